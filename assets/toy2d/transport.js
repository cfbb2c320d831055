// The calls of the 2-D lab's server functions: one drawing is in flight, and a newer scene replaces the next. No DOM.
// A scene that the server refuses is given up.

import {bytes} from '../shared/dom.js';
import {answered, sleep} from '../shared/server.js';

/** @typedef {import('./types.js').Drawn} Drawn */
/** @typedef {import('./types.js').Scene} Scene */
/** @typedef {import('./types.js').Toy2dServer} Toy2dServer */
/** @typedef {import('./types.js').Trajectory} Trajectory */

/**
 * drawn: a drawing has come. message: a sentence for above the drawing, or ''. refused: the scene was, and the one before
 * is asked for again. idle: nothing more is on its way.
 *
 * @typedef {{
 *   drawn: () => void, message: (sentence: string) => void, refused: () => void, idle: () => void,
 * }} TransportEvents
 */

/** @param {string} base64 */
const floats = base64 => new Float32Array(bytes(base64).buffer);

/**
 * Whether two plain values are equal.
 *
 * @param {unknown} a
 * @param {unknown} b
 */
export const same = (a, b) => Boolean(a) && Boolean(b) && JSON.stringify(a) === JSON.stringify(b);

export class Transport {
  /** What is asked for; replaced, never changed. @type {Scene | null} */ request = null;
  /** What the server drew last. @type {Drawn | null} */ shown = null;
  /** Its trajectory from noise, where it was fetched. @type {Trajectory | null} */ trajectory = null;
  /** What should still be read until something else is asked for. */
  notice = '';
  /** Whether a drawing is on its way. */
  busy = false;
  /** The trajectory that is asked for. @type {{scene: Scene, here: Promise<boolean>} | null} */ #fetching = null;

  /**
   * @param {Toy2dServer} server
   * @param {Pick<import('./types.js').Constants, 'DEFAULT' | 'PATH_STEPS'>} constants
   * @param {TransportEvents} events
   * @param {{wait?: (milliseconds: number) => Promise<void>, now?: () => number}} [environment]
   */
  constructor(server, {DEFAULT, PATH_STEPS}, events, {wait = sleep, now = () => performance.now()} = {}) {
    this.server = server;
    this.usual = DEFAULT;
    this.steps = PATH_STEPS;
    this.events = events;
    this.wait = wait;
    this.now = now;
  }

  /**
   * The scene of a link, asked for until the server answers.
   *
   * @param {object} fields
   */
  async restore(fields) {
    const reply = await answered(() => this.server.restore(fields), {message: this.events.message, wait: this.wait});
    return /** @type {{scene: Scene, notice: string}} */ (reply);
  }

  /**
   * Ask for a scene.
   *
   * @param {Scene} scene
   */
  async ask(scene) {
    this.request = scene;
    this.notice = '';
    if (this.busy) return;
    this.busy = true;
    while (this.request && !same(this.request, this.shown?.scene)) {
      if (!await this.#once(this.request)) break;
    }
    this.busy = false;
    this.events.message(this.notice);
    this.events.idle();
  }

  /**
   * One drawing.
   *
   * @param {Scene} scene
   * @returns {Promise<boolean>} whether there may be more to ask for
   */
  async #once(scene) {
    let since = 0;
    const reply = await this.#answered(() => { since = this.now(); return this.server.draw(scene); }, () => scene === this.request);
    if (!reply) return true;
    if (!reply.ok) {
      this.notice = reply.error;
      return this.#refused(scene);
    }
    const {scene: drawn, points, exact, heat, distance, baseline, half, effective, beside} = reply;
    const milliseconds = Math.round(this.now() - since);
    this.shown = {scene: drawn, points: floats(points), exact: floats(exact), heat: bytes(heat), distance, baseline, half, effective, beside, milliseconds};
    if (scene === this.request) this.request = drawn;
    this.events.message('');
    this.events.drawn();
    return true;
  }

  /**
   * @template {import('./types.js').Refusal | {ok: true}} T
   * @param {() => Promise<T | null>} call
   * @param {() => boolean} wanted
   */
  #answered(call, wanted) {
    const later = (/** @type {T} */ answer) => (!answer.ok && answer.busy ? answer.error : '');
    return answered(call, {message: this.events.message, later, wanted, wait: this.wait});
  }

  /**
   * Go back to what is shown, or, where nothing is, to the default.
   *
   * @param {Scene} scene
   */
  #refused(scene) {
    if (scene !== this.request) return true;
    const before = this.shown?.scene ?? this.usual;
    const other = !same(scene, before);
    this.request = before;
    this.events.refused();
    return other;
  }

  /** Have the trajectory of what is shown, asked for once; returns whether it is here. */
  fetchTrajectory() {
    const {shown} = this;
    if (!shown) return Promise.resolve(false);
    if (this.#fetching?.scene !== shown.scene) this.#fetching = {scene: shown.scene, here: this.#fetchTrajectory(shown.scene)};
    return this.#fetching.here;
  }

  /** @param {Scene} scene */
  async #fetchTrajectory(scene) {
    if (same(this.trajectory?.scene, scene)) return true;
    const wanted = () => scene === this.shown?.scene;
    const reply = await this.#answered(() => this.server.trajectory(scene), wanted);
    if (!reply?.ok || !wanted()) {
      if (this.#fetching?.scene === scene) this.#fetching = null;
      if (reply && !reply.ok) this.events.message(reply.error);
      return false;
    }
    this.trajectory = {
      scene: reply.scene, half: reply.half, log_snrs: reply.log_snrs, heat: bytes(reply.heat), score: new Int8Array(bytes(reply.score).buffer),
      paths: Float32Array.from(new Int16Array(bytes(reply.paths).buffer), place => (place * reply.half) / this.steps),
    };
    return true;
  }
}
