// The state of the tab: the trajectory that is shown, where one is on it, which parts are held. No DOM, no server.

import {bytes} from '../shared/dom.js';
import {difference, extrapolated, predicted} from './predictions.js';

/** @typedef {import('./types.js').Parts} Parts */
/** @typedef {import('./types.js').Place} Place */
/** @typedef {import('./types.js').Trajectory} Trajectory */
/** @typedef {import('./types.js').View} View */
/** @typedef {import('./types.js').WireTrajectory} WireTrajectory */

const HELD = 64;  // chunks of parts, half a megabyte each or one step

/** @param {string} base64 */
const floats = base64 => new Float32Array(bytes(base64).buffer);

/**
 * A guided prediction of the server's, and where it is of.
 *
 * @typedef {{sample: number, step: number, w: number, x: Float32Array, eps: Float32Array}} Guided
 */

/**
 * What the pictures show. guided: null while the server has not combined it; w: that of the guided one.
 *
 * @typedef {{
 *   z: Float32Array, conditional: Float32Array, unconditional: Float32Array, difference: Float32Array,
 *   guided: Float32Array | null, w: number,
 * }} Shown
 */

export class Store {
  /** @type {Trajectory | null} */ trajectory = null;
  /** @type {Place} */ place = {sample: 1, step: 1, w: 0, view: 'x'};
  /** What the server combined last, for a rule that is not linear. @type {Guided | null} */ combined = null;
  /** Parts by sample and chunk. @type {Map<string, Float32Array>} */ #chunks = new Map();

  /** Show another trajectory from now on. @param {WireTrajectory} found */
  adopt(found) {
    const {norms, samples} = found;
    this.trajectory = {...found, norms: {x: floats(norms.x), eps: floats(norms.eps)}, samples: bytes(samples)};
    this.place = found.place;
    this.combined = null;
    this.#chunks.clear();
  }

  /** λ at the step. */
  get logSnr() {
    return this.trajectory?.log_snrs[this.place.step - 1] ?? 0;
  }

  /** The step whose λ is nearest. @param {number} logSnr */
  stepAt(logSnr) {
    const levels = this.trajectory?.log_snrs ?? [];
    return 1 + levels.reduce((best, level, i) => (Math.abs(level - logSnr) < Math.abs(levels[best] - logSnr) ? i : best), 0);
  }

  /** ‖x̂(c) − x̂(∅)‖, or of ε̂, of one sample at each step. @param {number} sample @param {View} view */
  norms(sample, view) {
    const {trajectory} = this;
    if (!trajectory) return [];
    const {norms, log_snrs: levels} = trajectory, samples = norms.x.length / levels.length;
    return levels.map((_, step) => norms[view][step * samples + sample - 1]);
  }

  /** Where on the way the mean of ‖x̂(c) − x̂(∅)‖ over the samples is largest, from 0 (noise) to 1 (clean). */
  get most() {
    const every = Array.from({length: this.samples}, (_, n) => this.norms(n + 1, 'x'));
    const sums = every[0].map((_, step) => every.reduce((sum, norms) => sum + norms[step], 0));
    return sums.indexOf(Math.max(...sums)) / Math.max(1, sums.length - 1);
  }

  /** How many samples there are. */
  get samples() {
    return this.trajectory ? this.trajectory.norms.x.length / this.trajectory.log_snrs.length : 0;
  }

  /** The chunk to fetch next: that of the place, then its neighbours; null where they are held. */
  missing() {
    const {trajectory, place} = this;
    if (!trajectory) return null;
    const at = Math.floor((place.step - 1) / trajectory.chunk), last = Math.floor((trajectory.log_snrs.length - 1) / trajectory.chunk);
    const wanted = [at, at + 1, at - 1].filter(chunk => chunk >= 0 && chunk <= last && !this.#chunks.has(`${place.sample} ${chunk}`));
    return wanted.length ? {sample: place.sample, chunk: wanted[0]} : null;
  }

  /** @param {{sample: number, chunk: number}} which @param {string} parts */
  keep({sample, chunk}, parts) {
    this.#chunks.set(`${sample} ${chunk}`, floats(parts));
    for (const oldest of this.#chunks.keys()) if (this.#chunks.size > HELD) this.#chunks.delete(oldest);
  }

  /** The parts of the place, or null while they are not here. @returns {Parts | null} */
  get parts() {
    const {trajectory, place} = this;
    if (!trajectory) return null;
    const {chunk, shape} = trajectory, length = shape[0] * shape[1] * shape[2];
    const held = this.#chunks.get(`${place.sample} ${Math.floor((place.step - 1) / chunk)}`);
    if (!held) return null;
    const from = 3 * length * ((place.step - 1) % chunk);
    const [z, conditional, unconditional] = [0, 1, 2].map(n => held.subarray(from + n * length, from + (n + 1) * length));
    return {z, conditional, unconditional};
  }

  /** Whether the server has to combine the guided prediction of the place, and has not. */
  get uncombined() {
    const {trajectory, place, combined} = this;
    if (!trajectory || trajectory.linear) return false;
    return !combined || combined.sample !== place.sample || combined.step !== place.step || combined.w !== place.w;
  }

  /** The predictions at the place; null while its parts are not here. @returns {Shown | null} */
  shown() {
    const {trajectory, place, parts, combined} = this;
    if (!trajectory || !parts) return null;
    const {view, step} = place, {z} = parts;
    const c = predicted(z, parts.conditional, this.logSnr, view), u = predicted(z, parts.unconditional, this.logSnr, view);
    const here = combined && combined.sample === place.sample && combined.step === step ? combined : null;
    const guided = trajectory.linear ? (trajectory.acts[step - 1] ? extrapolated(c, u, place.w) : c) : here?.[view] ?? null;
    return {z, conditional: c, unconditional: u, difference: difference(c, u), guided, w: trajectory.linear ? place.w : here?.w ?? place.w};
  }
}

/** The server's answer, decoded. @param {Omit<Guided, 'x' | 'eps'>} asked @param {{x: string, eps: string}} reply @returns {Guided} */
export const decoded = (asked, {x, eps}) => ({...asked, x: floats(x), eps: floats(eps)});
