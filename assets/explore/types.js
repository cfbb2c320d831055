// The types of what travels between the page and cfg_core/ui/explore.py, and of what the scripts share.

/** The fields in which the left grid differs from the right one. @typedef {Record<string, string | number>} Comparison */

/**
 * A grid as the server knows it. Parameters of the rule and the sampler stand beside the other fields, under their own
 * names.
 *
 * @typedef {{
 *   model: string, class: number | 'all', w: number, seed: number | string, samples: number, sampler: string,
 *   steps: number | string, rule: string, [parameter: string]: any,
 * }} PlainRequest
 */

/** What the page asks for: the right grid, and what the left one is. @typedef {PlainRequest & {vs: Comparison}} GridRequest */

/** @typedef {import('../shared/parameters.js').RuleDescription} RuleDescription */
/** @typedef {import('../shared/parameters.js').SamplerDescription} SamplerDescription */
/** @typedef {{w: number, inception: number, fid: number}} CurvePoint */

/**
 * The measured trade-off curve of a model, and the settings that it was measured with. metrics: titles.
 *
 * @typedef {{
 *   rule: string, sampler: string, steps: number, parameters: {[name: string]: number},
 *   metrics: {[name: string]: string}, points: CurvePoint[],
 * }} MeasuredCurve
 */

/**
 * What the page must know of a model. remote: it is drawn by a remote GPU, a strip at a time. rail_pictures: whether
 * the rail shows a picture of each class. real: the data set of the real pictures that the server has.
 *
 * @typedef {{
 *   hash: string, classes: string[], size: number, channels: number, about: string, meters: boolean, remote: boolean,
 *   rail_pictures: boolean, real: {data: string, licence: string} | null, rules: RuleDescription[], samplers: SamplerDescription[], ladder: number[],
 *   below: number[], strip_pictures: number, curve: MeasuredCurve | null,
 * }} ModelDescription
 */

/** @typedef {{fidelity: number, diversity: number}} Meter */

/**
 * A grid after some of its evaluations, as the server sends it. pixels: base64, null where the page has them. noisy: the
 * same of z as it is after the step, in trajectories only.
 *
 * @typedef {{
 *   serial: number, w: number, classes: number[], samples: number, seed: number, evaluations: number, total: number,
 *   done: boolean, seconds: number, precomputed: boolean, error: string | null, meter: Meter | null,
 *   pixels: string | null, noisy?: string | null,
 * }} WireFrame
 */

/**
 * The same with its pixels decoded, if any have come.
 *
 * @typedef {Omit<WireFrame, 'pixels' | 'noisy'> & {pixels?: Uint8Array, noisy?: Uint8Array}} Frame
 */

/**
 * Pictures that a model was trained on, as many of each class.
 *
 * @typedef {{data: string, licence: string, classes: number[], samples: number, pixels: Uint8Array}} RealPictures
 */

/**
 * The answer to ``describe_model``, and with a token to ``open_session``.
 *
 * @typedef {{
 *   ok: true, model: ModelDescription, models: {hash: string, title: string, classes: string[]}[], rail: string,
 *   request: PlainRequest, notice: string,
 * }} Description
 */

/**
 * unknown: the session has expired. gone: the server has no such model.
 *
 * @typedef {{ok: false, error: string, unknown?: boolean, gone?: boolean}} Refusal
 */
/** @typedef {{ok: true, superseded: true}} Superseded */

/**
 * The answer to ``poll``. frames: of the left and of the right grid. strip, reference_strip: what is new of the right
 * grid at other w, and of the left one where it follows the slider. missing: rungs of both that are not finished. ahead: sessions that are served before the first picture. queue_position: in the queue before the lab, 0
 * inside. remote_calls: calls of a remote GPU of this session that have ended.
 *
 * @typedef {{
 *   ok: true, superseded?: undefined, frames: WireFrame[], strip: WireFrame[], reference_strip: WireFrame[],
 *   rungs: number, missing: number, ahead: number, queue_position: number, remote_calls: number, request: PlainRequest,
 *   url: string,
 * }} PollReply
 */

/**
 * The server functions. Each takes one object; what fails on the way rejects or gives null. anew: whether the request has
 * not been answered yet.
 *
 * @typedef {{
 *   open_session: (ask: {query: object}) => Promise<(Description & {token: string}) | Refusal | null>,
 *   describe_model: (ask: {query: object}) => Promise<Description | Refusal | null>,
 *   poll: (ask: {token: string, request: PlainRequest, reference: PlainRequest, seen: Record<string, number>, ahead: number}, anew?: boolean)
 *     => Promise<PollReply | Superseded | Refusal | null>,
 *   rail: (ask: {model: string}) => Promise<{ok: true, rail: string} | Refusal | null>,
 *   real_pictures: (ask: {model: string, class: number | 'all'}) =>
 *     Promise<{ok: true, samples: number, pixels: string} | Refusal | null>,
 *   trajectory: (ask: {token: string}) => Promise<{ok: true, trajectories: WireFrame[][]} | Refusal | null>,
 *   pause_session: (ask: {token: string}) => Promise<{ok: true, queue_position: number} | Refusal | null>,
 *   close_session: (ask: {token: string}) => Promise<{ok: true} | null>,
 *   save: (ask: {kind: string, request: PlainRequest, reference: PlainRequest, sample: number}) =>
 *     Promise<{ok: true, name: string, media_type: string, content: string} | Refusal | null>,
 * }} ExploreServer
 */

export {};
