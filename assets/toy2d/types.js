// The types of what travels between the 2-D lab and cfg_core/ui/toy2d.py.

/** @typedef {[x: number, y: number]} Vector */

/**
 * What is asked for. means: of the components; owners: the class of each. Parameters of the rule and the sampler stand beside the other fields, under their own names.
 *
 * @typedef {{
 *   class: number, means: Vector[], owners: number[], w: number, rule: string, sampler: string, steps: number, langevin: number, resampled: boolean,
 *   points: number, seed: number, density: 'tilted' | 'class' | 'all', [parameter: string]: number | string | boolean | Vector[] | number[],
 * }} Scene
 */

/**
 * What the scripts get with the page. SPREAD: standard deviation of a component. REACH: how far out a mean may
 * lie. MEASURED: distances are measured over [−MEASURED, MEASURED]². PATH_STEPS: of a trajectory's coordinates, from the
 * middle of the displayed square to its rim. ARROWS: of the score, a side. OFFER: the rules and samplers.
 *
 * @typedef {{
 *   DEFAULT: Scene, CLASSES: string[], OFFER: import('../shared/parameters.js').Offer, SPREAD: number, REACH: number,
 *   MEASURED: number, PATH_STEPS: number, ARROWS: number,
 * }} Constants
 */

/** @typedef {{plain?: number, langevin?: number}} Beside */

/** @typedef {{ok: false, error: string, busy?: boolean}} Refusal busy: it may be asked for again later */

/**
 * distance: of the samples from the tilted density. baseline: that of as many exact draws from it. half: the square
 * [−half, half]² holds both. effective: of particles, the smallest effective number; null without them. beside: the
 * distances of plain guidance and of Langevin steps in as many evaluations, where there are particles.
 *
 * @typedef {{
 *   ok: true, scene: Scene, points: string, exact: string, distance: number, baseline: number, heat: string, half: number,
 *   effective: number | null, beside: Beside,
 * }} DrawReply
 */

/**
 * half: the square [−half, half]² holds the paths; density and score are given over it.
 *
 * @typedef {{
 *   ok: true, scene: Scene, half: number, log_snrs: (number | null)[], paths: string, heat: string, score: string,
 * }} TrajectoryReply
 */

/**
 * The server functions. Each takes one object; what fails on the way rejects or gives null.
 *
 * @typedef {{
 *   restore: (ask: object) => Promise<{ok: true, scene: Scene, notice: string} | null>,
 *   draw: (ask: Scene) => Promise<DrawReply | Refusal | null>,
 *   trajectory: (ask: Scene) => Promise<TrajectoryReply | Refusal | null>,
 * }} Toy2dServer
 */

/**
 * What was drawn, decoded.
 *
 * @typedef {{
 *   scene: Scene, points: Float32Array, exact: Float32Array, distance: number, baseline: number, heat: Uint8Array,
 *   half: number, effective: number | null, beside: Beside, milliseconds: number,
 * }} Drawn
 */

/**
 * The trajectories of the samples: at each moment λ, the last null (the clean end), their positions, the displayed
 * density, and the guided score.
 *
 * @typedef {{
 *   scene: Scene, half: number, log_snrs: (number | null)[], heat: Uint8Array, score: Int8Array, paths: Float32Array,
 * }} Trajectory
 */

export {};
