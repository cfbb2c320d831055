// All that Explore shows of its state, drawn together once before a frame of the display.

import {one} from '../shared/dom.js';
import {announceExplored, announcePressed, onPress, onPressed} from '../shared/tabs.js';
import {gridTitle} from '../shared/wording.js';
import {Captions} from './captions.js';
import {ComparisonMenu} from './comparison.js';
import {Controls} from './controls.js';
import {TradeOffCurve} from './curve.js';
import {Difference} from './difference.js';
import {Pane} from './panes.js';
import {Rail} from './rail.js';
import {RealPictures} from './real.js';
import {Settings} from './settings.js';
import {Strip} from './strip.js';

/** @typedef {import('./playback.js').Playback} Playback */
/** @typedef {import('./store.js').Pane} PaneIndex */
/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').Description} Description */

export class Views {
  #redrawing = false;

  /**
   * @param {HTMLElement} lab
   * @param {Store} store
   * @param {import('./controls.js').ControlEvents & {choose: (label: number) => void, drawn: () => void}} events what
   *   the controls ask for; drawn: after each redraw
   * @param {() => boolean} calm whether nothing may move by itself
   * @param {import('./types.js').ExploreServer['real_pictures']} fetchReal
   */
  constructor(lab, store, events, calm, fetchReal) {
    const {change, settle, choose} = events;
    this.lab = lab;
    this.store = store;
    this.events = events;
    this.calm = calm;
    /** The denoising, which shows older frames. @type {Playback | null} */
    this.playback = null;
    this.captions = new Captions(lab, store);
    this.panes = ['unguided', 'guided'].map(name => new Pane(one(lab, `.pane.${name}`, HTMLElement), store));
    this.strip = new Strip(one(lab, '.strip', HTMLElement), store, settle);
    this.rail = new Rail(lab, store, choose);
    this.curve = new TradeOffCurve(one(lab, 'aside', HTMLElement), store);
    this.difference = new Difference(lab, this.panes, () => this.redraw());
    this.real = new RealPictures(lab, this.panes[0].figure, store, fetchReal, () => this.redraw());
    this.comparison = new ComparisonMenu(this.panes[0].figure, store, change);
    this.controls = new Controls(lab, store, events);
    this.settings = new Settings(lab, store, change);
    this.panes.forEach((pane, i) => pane.listen({
      pick: n => this.pick(n), press: n => announcePressed(n), picked: () => this.strip.sample, speak: sentence => this.captions.speak(sentence),
      request: () => (i ? store.guided : store.reference),
    }));
    onPress(n => this.press(n));
    onPressed(n => this.press(n));
  }

  /**
   * What the model of the store offers.
   *
   * @param {Description['models']} models that may be chosen
   * @param {string} rail pictures of the classes
   */
  adopt(models, rail) {
    this.controls.adopt(models);
    this.comparison.adopt(models);
    this.settings.adopt();
    this.real.reflect();
    this.rail.build(rail);
    this.curve.build();
  }

  /** Set everything that can be set to the request. */
  reflect() {
    const {store} = this;
    this.rail.reflect();
    this.controls.reflect();
    this.settings.reflect();
    this.comparison.reflect();
    this.curve.move();
    announceExplored({...store.guided, w: store.thumb});
  }

  /** After a refusal: also what is being typed is what is asked for. */
  restoreTyped() {
    this.reflect();
    this.controls.restoreTyped();
    this.settings.restoreTyped();
  }

  /** Draw the best of what is held, once before the next frame of the display. */
  redraw() {
    if (this.#redrawing) return;
    this.#redrawing = true;
    requestAnimationFrame(() => {
      this.#redrawing = false;
      const {missing} = this.store;
      if (missing !== null) this.lab.dataset.missing = String(missing);
      this.panes.forEach((pane, i) => this.#drawPane(pane, /** @type {PaneIndex} */ (i)));
      this.difference.draw();
      this.strip.draw();
      this.#describe();
      this.events.drawn();
    });
  }

  /** @param {Pane} pane @param {PaneIndex} i */
  #drawPane(pane, i) {
    const live = this.store.live(i), frame = this.store.nearest(i) ?? live;
    pane.progress.value = live ? live.evaluations / live.total : 0;
    const waits = !frame?.pixels || (this.calm() && !frame.done);
    pane.figure.classList.toggle('stale', waits);
    const title = i || !frame ? gridTitle(this.store.request.rule, frame?.w ?? 0) : this.comparison.title;
    const real = i ? null : this.real.shown;
    if (frame && real) pane.showReal(frame, real);
    else if (frame && (!waits || !pane.drawn)) pane.show(frame, this.playback?.frame(i) ?? frame, title);
    pane.showMeters();
  }

  /**
   * Show one sample over all w, or the grids again.
   *
   * @param {number | null} n
   */
  pick(n) {
    if (this.strip.sample === n) return;
    this.strip.sample = n;
    for (const pane of this.panes) pane.markSample(n);
    this.redraw();
  }

  /** Mark a sample of both grids as one that is pointed at, or none. @param {number | null} n */
  press(n) {
    for (const pane of this.panes) pane.markSample(n, pane.pressed);
  }

  /** The frame of a pane, where it is of what is asked for now. @param {Pane} pane */
  #current({frame}) {
    return frame && this.store.held.get(frame.serial) === frame ? frame : null;
  }

  #describe() {
    const [reference, guided] = this.panes.map(pane => this.#current(pane));
    this.captions.describe(reference, guided, this.panes[1].frame, this.playback?.step ?? null, this.comparison.title);
  }
}
