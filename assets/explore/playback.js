// The denoising of both grids: fetched when it is first asked for, scrubbed and played without the server.

import {bytes} from '../shared/dom.js';

/** @typedef {import('./store.js').Pane} Pane */
/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').Frame} Frame */
/** @typedef {import('./types.js').WireFrame} WireFrame */

/**
 * fetch: the trajectories, or null. idle: whether both grids are finished. redraw: show the step that is set.
 * playing: it began or ended. calm: whether nothing may move by itself.
 *
 * @typedef {{
 *   fetch: () => Promise<WireFrame[][] | null>, idle: () => boolean, redraw: () => void,
 *   playing: (on: boolean) => void, calm: () => boolean,
 * }} PlaybackView
 */

/** @param {WireFrame} frame @returns {Frame} */
const decoded = frame => ({
  ...frame, pixels: frame.pixels ? bytes(frame.pixels) : undefined, noisy: frame.noisy ? bytes(frame.noisy) : undefined,
});

/**
 * Pictures of which the upper left half is of one grid and the lower right half of another.
 *
 * @param {Uint8Array} upper
 * @param {Uint8Array} lower
 * @param {number} size
 * @param {number} channels
 */
export function halves(upper, lower, size, channels) {
  return upper.map((value, i) => {
    const pixel = Math.floor(i / channels) % (size * size), row = Math.floor(pixel / size), column = pixel % size;
    return row + column < size ? value : lower[i];
  });
}

export class Playback {
  /** The frames of both grids, once they are here. @type {Frame[][] | null} */ trajectories = null;
  /** What is drawn of each evaluation. @type {'predicted' | 'noisy' | 'both'} */ shown = 'predicted';
  /** The evaluation that is shown, or null for the finished picture. @type {number | null} */ step = null;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  /** @type {Promise<boolean> | null} */ #fetching = null;
  #waiting = false;   // to play once both grids are finished

  /**
   * @param {Store} store
   * @param {PlaybackView} view
   */
  constructor(store, view) {
    this.store = store;
    this.view = view;
  }

  /**
   * Show the predicted pictures, z itself, or half of each.
   *
   * @param {'predicted' | 'noisy' | 'both'} what
   */
  async show(what) {
    this.shown = what;
    if (what !== 'predicted') await this.#fetch();
    this.view.redraw();
  }

  /** Something else is asked for: the finished pictures are shown again. */
  reset() {
    this.trajectories = this.step = null;
    this.stop();
  }

  /**
   * The frame of a grid at the evaluation that is shown, or the last one before it that was kept.
   *
   * @param {Pane} pane
   * @returns {Frame | null}
   */
  frame(pane) {
    const {step} = this, frames = this.trajectories?.[pane];
    if (step === null || !frames) return null;
    const after = frames.findIndex(frame => frame.evaluations > step);
    const frame = after === -1 ? frames.at(-1) : frames[Math.max(0, after - 1)];
    if (!frame?.noisy || !frame.pixels || this.shown === 'predicted') return frame ?? null;
    const {size, channels} = this.store.model;
    return {...frame, pixels: this.shown === 'noisy' ? frame.noisy : halves(frame.noisy, frame.pixels, size, channels)};
  }

  /** Evaluations of the guided grid. */
  get total() {
    return this.trajectories?.[1].at(-1)?.total ?? 0;
  }

  /** Have the trajectories, asked for once; whether they are here. */
  #fetch() {
    this.#fetching ??= this.#ask().finally(() => { this.#fetching = null; });
    return this.#fetching;
  }

  async #ask() {
    if (this.trajectories) return true;
    if (!this.view.idle()) return false;
    const {revision} = this.store, found = await this.view.fetch();
    const whole = found?.every(frames => frames.at(-1)?.done && !frames.at(-1)?.error);
    if (!found || !whole || revision !== this.store.revision) return false;
    this.trajectories = found.map(frames => frames.map(decoded));
    return true;
  }

  /**
   * Show an evaluation; the last one is the finished picture.
   *
   * @param {number} to
   */
  async scrub(to) {
    if (await this.#fetch()) this.step = to < this.total ? to : null;
    this.view.redraw();
  }

  /** Play from where it is, or stop; while the grids are drawn, play once they are. */
  async play() {
    if (this.#timer || this.#waiting) return this.stop();
    if (!this.view.idle()) {
      this.#waiting = true;
      this.view.playing(true);
      return;
    }
    if (!await this.#fetch() || this.#timer) return;
    const {total} = this;
    if (this.view.calm()) {  // nothing moves by itself: one evaluation at a time
      this.scrub((this.step ?? 0) % total + 1);
      return;
    }
    let at = this.step ?? 0;
    this.view.playing(true);
    this.#timer = setInterval(() => {
      at += 1;
      this.scrub(at);
      if (at >= total) this.stop();
    }, Math.max(40, Math.min(150, 3000 / total)));
  }

  /** Both grids are finished. */
  rested() {
    if (!this.#waiting) return;
    this.stop();
    this.play();
  }

  stop() {
    this.#waiting = false;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.view.playing(false);
  }
}
