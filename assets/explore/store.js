// The state of the Explore tab: what is asked for, which frames are held, what of it is displayed. No DOM, no server.

import {bytes} from '../shared/dom.js';
import {withOwnParameters} from '../shared/parameters.js';
import {follows, referenceOf, referenceW, withoutEqual} from './compare.js';
import {FIELDS} from './parameters.js';

/** @typedef {import('./types.js').Frame} Frame */
/** @typedef {import('./types.js').GridRequest} GridRequest */
/** @typedef {import('./types.js').PlainRequest} PlainRequest */
/** @typedef {import('./types.js').ModelDescription} ModelDescription */
/** @typedef {import('./types.js').PollReply} PollReply */
/** @typedef {import('./types.js').WireFrame} WireFrame */

/** The two grids, in the order in which the server sends them. @typedef {0 | 1} Pane */

/**
 * Everything about a request but its w: what a strip is a strip of.
 *
 * @param {GridRequest} request
 */
export const sceneOf = ({w, ...fields}) => JSON.stringify(fields);

export class Store {
  /**
   * @param {ModelDescription} model
   * @param {GridRequest} request the first that is asked for
   */
  constructor(model, request) {
    this.model = model;
    /** What is asked for; replaced, never changed. */
    this.request = request;
    /** The last request that the server took, as it wrote it. @type {GridRequest | null} */
    this.accepted = null;
    /** The w under the thumb; the request's w is the rung next to it while the thumb moves. */
    this.thumb = request.w;
    /** Whether the slider begins at −1. */
    this.below = request.w < 0;
    /** The frames that have come of the requested grids and of their strip, by serial. @type {Map<number, Frame>} */
    this.held = new Map();
    /** The serials that each pane may show: of the left grid and of the right one, at any w. */
    this.sides = [new Set(), new Set()];
    /** The serials of the two displayed grids, which may be one. @type {number[]} */
    this.displayed = [];
    /** Rungs of the strip that have not come; null before the first answer. @type {number | null} */
    this.missing = null;
    this.rungs = 0;
    /** Sessions that are served before our first picture. */
    this.ahead = 0;
    /** The link of what was accepted last. */
    this.url = '';
    /** Milliseconds since when the request is waited for, and how long the last one was. */
    this.askedAt = performance.now();
    this.waited = 0;
    /** The last request whose grids were finished. @type {GridRequest | null} */
    this.finishedRequest = null;
    /** Counts the requests, so that what was fetched for an older one is let go. */
    this.revision = 0;
    /** What should still be read until something else is asked for. */
    this.notice = '';
  }

  /**
   * Draw with another model from now on.
   *
   * @param {ModelDescription} model
   * @param {GridRequest} request
   */
  adopt(model, request) {
    this.model = model;
    this.accepted = null;
    this.change(request);
  }

  /**
   * Ask for something else; parameters that another rule or sampler had are dropped. Returns whether it is another
   * scene, of which nothing is held.
   *
   * @param {Partial<GridRequest>} fields
   */
  change(fields) {
    const before = sceneOf(this.request);
    const request = withOwnParameters(FIELDS, this.model, /** @type {GridRequest} */ ({...this.request, ...fields}));
    this.request = {...request, vs: withoutEqual(request, request.vs)};
    this.thumb = this.request.w;
    if (this.thumb < 0) this.below = true;
    this.#asked();
    const another = sceneOf(this.request) !== before;
    if (another) this.forgetFrames();
    return another;
  }

  forgetFrames() {
    this.held = new Map();
    this.sides = [new Set(), new Set()];
    this.displayed = [];
    this.missing = null;
    this.ahead = 0;
  }

  /** The request of the right grid, as the server knows it. @returns {PlainRequest} */
  get guided() {
    const {vs, ...fields} = this.request;
    return fields;
  }

  /** The request of the left grid. @returns {PlainRequest} */
  get reference() {
    return referenceOf(this.model, this.request);
  }

  /**
   * The thumb moves: the rung next to it is asked for, from which the strip is filled.
   *
   * @param {number} w
   */
  moveThumb(w) {
    this.thumb = w;
    const next = this.pictures <= this.model.strip_pictures ? this.rungAt(w) : w;
    if (next !== this.request.w) this.request = {...this.request, w: next};
    this.#asked();
  }

  #asked() {
    this.notice = '';
    this.revision += 1;
    this.askedAt = performance.now();
  }

  /** Both grids that were asked for are finished and shown. */
  finish() {
    this.waited = performance.now() - this.askedAt;
    this.finishedRequest = this.request;
  }

  /**
   * About how many seconds both grids still take, by what has been done of them; null before there is anything to go by.
   */
  get secondsLeft() {
    const live = this.displayed.map(serial => this.held.get(serial)).filter(frame => frame !== undefined);
    const done = live.reduce((sum, frame) => sum + frame.evaluations, 0), total = live.reduce((sum, frame) => sum + frame.total, 0);
    return done && live.length ? ((performance.now() - this.askedAt) / 1000) * (total - done) / done : null;
  }

  /**
   * Where a thumb that is let go here rests: there, or at a rung of the strip where a remote GPU draws whole strips.
   *
   * @param {number} w
   */
  restAt(w) {
    return this.model.remote ? this.rungAt(w) : w;
  }

  /** @param {number} w */
  rungAt(w) {
    const ladder = this.below ? [...this.model.below, ...this.model.ladder] : this.model.ladder;
    return ladder.reduce((a, b) => (Math.abs(b - w) < Math.abs(a - w) ? b : a));
  }

  /** Pictures of one grid. */
  get pictures() {
    return this.request.samples * (this.request.class === 'all' ? this.model.classes.length : 1);
  }

  /** Whether both displayed grids are those that are asked for, finished. */
  get satisfied() {
    const done = this.displayed.every(serial => this.held.get(serial)?.done);
    return this.request === this.accepted && this.displayed.length === 2 && done;
  }

  /** What the server need not send again: the evaluations that are held of each grid. */
  get seen() {
    return Object.fromEntries([...this.held].map(([serial, {evaluations}]) => [serial, evaluations]));
  }

  /**
   * Hold what has come. Pixels come once for each grid and evaluation; a frame without them repeats what is held, and
   * one that is older than what is held, of an answer that was overtaken, is let go.
   *
   * @param {WireFrame[]} frames
   * @param {Pane[]} panes that may show them
   */
  keep(frames, panes = [0, 1]) {
    for (const {noisy, ...frame} of frames) {
      for (const pane of panes) this.sides[pane].add(frame.serial);
      const before = this.held.get(frame.serial);
      if (before && (before.done || before.evaluations > frame.evaluations)) continue;
      if (before?.evaluations === frame.evaluations && before.done === frame.done) continue;
      this.held.set(frame.serial, {...frame, pixels: frame.pixels ? bytes(frame.pixels) : before?.pixels});
    }
  }

  /**
   * The server has taken a request: where it is still the one that is asked for, it is as the server wrote it, but for
   * the comparison, which only the page knows.
   *
   * @param {GridRequest} sent
   * @param {PollReply} reply
   */
  accept(sent, reply) {
    if (this.request !== sent) return;
    this.request = this.accepted = {...reply.request, vs: sent.vs};
    this.url = reply.url;
  }

  /**
   * What is displayed and what is missing, of the newest answer.
   *
   * @param {PollReply} reply
   */
  receive(reply) {
    this.displayed = reply.frames.map(frame => frame.serial);
    this.missing = reply.missing;
    this.rungs = reply.rungs;
    this.ahead = reply.ahead;
    for (const [serial, frame] of this.held) {  // what is not finished and no longer asked for will never be
      if (!frame.done && !this.displayed.includes(serial)) this.held.delete(serial);
    }
  }

  /** Ask again for what was accepted last, since the newest request was refused. */
  revert() {
    if (!this.accepted) return;
    this.request = this.accepted;
    this.thumb = this.request.w;
  }

  /**
   * The finished frames that a pane may show, those that were precomputed last.
   *
   * @param {Pane} pane
   */
  finished(pane) {
    return [...this.held.values()]
      .filter(frame => frame.done && frame.pixels && !frame.error && this.sides[pane].has(frame.serial))
      .sort((a, b) => Number(a.precomputed) - Number(b.precomputed));
  }

  /**
   * The finished frame whose w is nearest to the thumb; a left grid that does not follow the slider shows its own w only.
   *
   * @param {Pane} pane
   */
  nearest(pane) {
    const {vs} = this.request, follower = pane === 1 || follows(vs), w = follower ? this.thumb : referenceW(vs, this.thumb);
    const near = this.finished(pane).reduce(
      (/** @type {Frame | null} */ a, b) => (a && Math.abs(a.w - w) <= Math.abs(b.w - w) ? a : b), null);
    return near && (follower || near.w === w) ? near : null;
  }

  /**
   * The newest frame of a displayed grid, finished or not.
   *
   * @param {Pane} pane
   */
  live(pane) {
    return this.held.get(this.displayed[pane]);
  }
}
