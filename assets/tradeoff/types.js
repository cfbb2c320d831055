// What cfg_core/ui/tradeoff.py sends: curve files, grouped, and the paper's tables.

/** @typedef {{w: number, [figure: string]: number}} Result figures at one w, with their intervals: metric, metric_low, … */

/**
 * A curve file as it is, or a line of the paper, which has results alone.
 *
 * @typedef {{
 *   results: Result[], checkpoint?: {name: string, hash: string}, classifier?: {hash: string},
 *   guide?: {name: string, hash: string} | null, features?: string, p_uncond?: number, rule?: string, sampler?: string,
 *   steps?: number, samples?: number, seed?: number,
 * }} Record
 */

/**
 * baseline: the figures of real pictures. model: the name of what was measured. parameters: all of its rule and sampler.
 * metrics: titles, which say whose features the figures are of.
 *
 * @typedef {{
 *   title: string, record: Record, file?: string, hash?: string, model?: string, source?: string,
 *   parameters?: {[name: string]: number}, metrics?: {[name: string]: string},
 *   baseline?: {[figure: string]: number},
 * }} MeasuredCurve
 */

/** @typedef {{chart: string, text: string, holds: boolean | null, verdict: string}} Conclusion */
/**
 * Curves that answer one question together. main: the file of the curve that the others compare with, or null where none
 * is special. data: what all were trained on.
 *
 * @typedef {{
 *   name: string, title: string, data: string, main: string | null, basis: string, curves: MeasuredCurve[],
 *   conclusions: Conclusion[],
 * }} Group
 */

/** @typedef {{name: string, title: string, curves: MeasuredCurve[], summary: string, source: string}} Table */

/** @typedef {{hash: string, title: string}} Model */

/**
 * models: those on the page. metrics, samplers: titles.
 *
 * @typedef {{
 *   models: Model[], problems: string[], metrics: {[name: string]: string}, samplers: {[name: string]: string},
 *   groups: Group[], tables: Table[],
 * }} Curves
 */

export {};
