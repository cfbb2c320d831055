// The Explore tab: one state (the store), the calls of the server (the transport), and the views of both.
//
// Each frame of the display draws the best of what is held: dragging moves through the grids that have arrived, without
// the server; when the thumb rests, the exact w is asked for. Grids swap, they never blend, and what is drawn carries
// the w it was computed at, wherever the thumb is by then.

import {updateAddress} from '../shared/address.js';
import {copiesLink, isFreeSpace, one, showMessage} from '../shared/dom.js';
import {announceExplored, onOpenInExplore} from '../shared/tabs.js';
import {Captions} from './captions.js';
import {Controls} from './controls.js';
import {TradeOffCurve} from './curve.js';
import {Pane} from './panes.js';
import {addressFields} from './parameters.js';
import {Playback} from './playback.js';
import {Rail} from './rail.js';
import {closeSession, openSession} from './session.js';
import {Store} from './store.js';
import {Strip} from './strip.js';
import {Transport} from './transport.js';

/** @typedef {import('./store.js').Pane} PaneIndex */
/** @typedef {import('./types.js').Description} Description */
/** @typedef {import('./types.js').ExploreServer} ExploreServer */
/** @typedef {import('./types.js').GridRequest} GridRequest */

const REST = 150;     // milliseconds after which a thumb that does not move rests

/**
 * Gradio calls this once the markup is on the page.
 *
 * @param {HTMLElement} element
 * @param {ExploreServer} server
 * @param {object} constants
 * @param {(event: string, data: object) => void} trigger an event of the component, which Gradio queues
 */
export async function mount(element, server, constants, trigger) {
  const lab = one(element, '.explore', HTMLElement), message = one(lab, '.message', HTMLElement);
  const {token, ...description} = await openSession(server, sentence => showMessage(message, sentence));
  new Explore(lab, server, trigger, token, description);
}

class Explore {
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #resting;
  #redrawing = false;

  /**
   * @param {HTMLElement} lab
   * @param {ExploreServer} server
   * @param {(event: string, data: object) => void} trigger
   * @param {string} token
   * @param {Description} description
   */
  constructor(lab, server, trigger, token, description) {
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    this.lab = lab;
    this.calm = () => calm.matches;
    this.message = one(lab, '.message', HTMLElement);
    const store = this.store = new Store(description.model, description.request);
    this.transport = new Transport(server, store, {
      received: () => this.redraw(),
      message: sentence => showMessage(this.message, sentence),
      refused: () => this.#refused(),
      gaveUp: () => { lab.dataset.state = 'resting'; },
      drawRemotely: ask => trigger('submit', ask),
      replaced: () => location.reload(),
    }, token, {hidden: () => document.hidden});
    this.captions = new Captions(lab, store);
    this.panes = ['unguided', 'guided'].map(name => new Pane(one(lab, `.pane.${name}`, HTMLElement), store));
    this.strip = new Strip(one(lab, '.strip', HTMLElement), store, w => this.settle(w));
    this.rail = new Rail(lab, store, label => this.choose(label));
    this.curve = new TradeOffCurve(one(lab, 'aside', HTMLElement), store);
    this.controls = new Controls(lab, store, {
      change: fields => this.change(fields), move: w => this.move(w), settle: w => this.settle(w),
    });
    this.playback = new Playback(store, {
      fetch: () => this.transport.trajectory(),
      resting: () => lab.dataset.state === 'resting',
      redraw: () => this.redraw(),
      playing: on => lab.classList.toggle('playing', on),
      calm: this.calm,
    });
    this.#listen();
    this.adopt(description);
    this.#watch();
  }

  // ---- what is asked for ----

  /**
   * Draw with the model of a description from now on.
   *
   * @param {Description} description
   */
  adopt({model, models, rail, request, notice}) {
    this.store.adopt(model, request);
    this.controls.adopt(models);
    this.rail.build(rail);
    this.curve.build();
    this.#sceneChanged();
    this.#begin();
    this.store.notice = notice;
    if (model.rail_pictures && !rail) this.#railLater(model.hash);
  }

  /** @param {string} model */
  async #railLater(model) {
    const pictures = await this.transport.rail(model);
    if (pictures && this.store.model.hash === model) this.rail.build(pictures);
  }

  /**
   * Ask for something else; the other fields stay as they are.
   *
   * @param {Partial<GridRequest>} fields
   */
  change(fields) {
    if (fields.model && fields.model !== this.store.model.hash) {
      this.changeModel(/** @type {GridRequest} */ ({...this.store.request, ...fields}));
      return;
    }
    if (this.store.change(fields)) this.#sceneChanged();
    this.#begin();
  }

  /**
   * Another model, and of the rest what it can do.
   *
   * @param {GridRequest} fields
   */
  async changeModel(fields) {
    this.lab.dataset.state = 'drawing';
    const reply = await this.transport.describeModel(fields);
    if (!reply) return;
    if (reply.ok) this.adopt(reply);
    else this.change({});  // go on with the one before
    this.controls.models.value = this.store.model.hash;
    if (!reply.ok) this.store.notice = `The model could not be loaded: ${reply.error}`;
  }

  /**
   * Another class, by its label; the one after the last is that of all classes.
   *
   * @param {number} label
   */
  choose(label) {
    const {request, model} = this.store, all = label === model.classes.length;
    /** @type {Partial<GridRequest>} */
    const fields = {class: all ? 'all' : label};
    if (all !== (request.class === 'all')) fields.samples = all ? 4 : 16;
    if (fields.class !== request.class) this.change(fields);
  }

  /**
   * The thumb moves: show what is nearest, and let the strip be filled from there.
   *
   * @param {number} w
   */
  move(w) {
    this.store.moveThumb(w);
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.settle(w), REST);
    this.#begin();
  }

  /**
   * The thumb rests at this w.
   *
   * @param {number} exact
   */
  settle(exact) {
    clearTimeout(this.#resting);
    const {store} = this, w = store.restAt(exact);
    if (w !== store.request.w || w !== store.thumb || this.lab.dataset.state !== 'resting') this.change({w});
  }

  #begin() {
    this.playback.reset();
    this.lab.dataset.state = 'drawing';
    this.#reflect();
    this.redraw();
    this.transport.poll();
  }

  #sceneChanged() {
    delete this.lab.dataset.missing;
    this.pick(null);
  }

  #refused() {
    this.#reflect();
    this.controls.restoreTyped();
  }

  // ---- what is shown ----

  #reflect() {
    const {store} = this;
    this.rail.reflect();
    this.controls.reflect();
    this.curve.move();
    announceExplored({...store.request, w: store.thumb});
  }

  /** Draw the best of what is held, once before the next frame of the display. */
  redraw() {
    if (this.#redrawing) return;
    this.#redrawing = true;
    requestAnimationFrame(() => {
      this.#redrawing = false;
      const {store} = this;
      if (store.missing !== null) this.lab.dataset.missing = String(store.missing);
      this.panes.forEach((pane, i) => this.#drawPane(pane, /** @type {PaneIndex} */ (i)));
      this.strip.draw();
      this.#describe();
      this.#rest();
    });
  }

  /** @param {Pane} pane @param {PaneIndex} i */
  #drawPane(pane, i) {
    const live = this.store.live(i), frame = this.store.nearest(i) ?? live;
    pane.progress.value = live ? live.evaluations / live.total : 0;
    const waits = !frame?.pixels || (this.calm() && !frame.done);
    pane.figure.classList.toggle('stale', waits);
    if (frame && (!waits || !pane.drawn)) pane.show(frame, this.playback.frame(i) ?? frame);
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

  /** The frame of a pane, where it is of what is asked for now. @param {Pane} pane */
  #current({frame}) {
    return frame && this.store.held.get(frame.serial) === frame ? frame : null;
  }

  #describe() {
    const [reference, guided] = this.panes.map(pane => this.#current(pane));
    this.captions.describe(reference, guided, this.panes[1].frame, this.playback.step);
  }

  /** Both grids are finished and drawn, the thumb is where they were asked for: now the link is of what is shown. */
  #rest() {
    const {store, lab} = this;
    if (!store.satisfied || store.thumb !== store.request.w || lab.dataset.state === 'resting') return;
    lab.dataset.state = 'resting';
    updateAddress(addressFields(store.model, store.url));
    const guided = store.live(1);
    if (!guided?.done || guided.error) return;
    this.captions.speakOf(guided);
  }

  // ---- events ----

  /** While another tab is open nothing is drawn for this one. */
  #watch() {
    new IntersectionObserver(entries => {
      this.transport.setVisible(entries[entries.length - 1].isIntersecting);
    }).observe(this.lab);
  }

  #listen() {
    const {lab, playback, captions: {step}} = this;
    for (const pane of this.panes) {
      pane.listen({
        pick: n => this.pick(n), picked: () => this.strip.sample, speak: sentence => this.captions.speak(sentence),
      });
    }
    step.addEventListener('input', () => { playback.stop(); playback.scrub(+step.value); });
    one(lab, '.play', HTMLElement).addEventListener('click', () => playback.play());
    lab.addEventListener('keydown', event => {
      if (!isFreeSpace(event)) return;
      event.preventDefault();
      playback.play();
    });
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.transport.poll(); });
    addEventListener('pagehide', () => closeSession(this.transport.token));
    onOpenInExplore(fields => this.change(fields));
    copiesLink(one(lab, '.link', HTMLButtonElement));
  }
}
