// The types of what travels between the tab "Inside a step" and cfg_core/ui/step.py.

/** @typedef {import('../explore/types.js').PlainRequest} PlainRequest */

/** Predictions of the clean sample, or of the noise. @typedef {'x' | 'eps'} View */

/** Where one is: sample and step count from 1; w is that of the guided prediction. @typedef {{sample: number, step: number, w: number, view: View}} Place */

/** The fields of a link, as far as it has them. @typedef {{sample?: unknown, step?: unknown, step_w?: unknown, step_view?: unknown}} Link */

/**
 * The samples of a request on their way. rule, sampler: their titles. linear: whether the guided prediction is
 * c + w (c − u) where acts, and c elsewhere. shape: (channels, rows, columns) of a sample. log_snrs: λ of each step.
 * interval: the λ between which the rule guides, where it has such parameters. norms: base64, (step, sample), float32.
 * samples: base64, the finished ones, bytes. chunk: steps that one call of ``parts`` returns.
 *
 * @typedef {{
 *   request: PlainRequest, class: string, rule: string, formula: string, linear: boolean, sampler: string,
 *   shape: [channels: number, rows: number, columns: number], log_snrs: number[], acts: boolean[],
 *   interval: [low: number, high: number] | null, norms: Record<View, string>, samples: string, chunk: number,
 *   place: Place, notice: string,
 * }} WireTrajectory
 */

/** The same, decoded. @typedef {Omit<WireTrajectory, 'norms' | 'samples'> & {norms: Record<View, Float32Array>, samples: Uint8Array}} Trajectory */

/** z, and both predictions of v there; of one sample at one step. @typedef {{z: Float32Array, conditional: Float32Array, unconditional: Float32Array}} Parts */

/** busy: it may be asked for again later. @typedef {{ok: false, error: string, busy?: boolean}} Refusal */
/** ahead: others that are drawn before. @typedef {{ok: true, waiting: true, evaluations: number, total: number, ahead: number}} Waiting */

/**
 * The answer to a call: what was asked for, how far it is, or a sentence; null where it failed on the way.
 *
 * @template T
 * @typedef {({ok: true, waiting?: undefined} & T) | Waiting | Refusal | null} Reply
 */

/**
 * The server functions. Each takes one object.
 *
 * @typedef {{
 *   read: (ask: {request: PlainRequest, link: Link}) => Promise<Reply<WireTrajectory>>,
 *   parts: (ask: {request: PlainRequest, sample: number, chunk: number}) => Promise<Reply<{parts: string}>>,
 *   guided: (ask: {request: PlainRequest, sample: number, step: number, w: number}) => Promise<Reply<{x: string, eps: string}>>,
 * }} StepServer
 */

export {};
