// The Explore tab: one state (the store), the calls of the server (the transport), and the views of both.
//
// Each frame of the display draws the best of what is held: dragging moves through the grids that have arrived, without
// the server; when the thumb rests, the exact w is asked for. Grids swap, they never blend, and what is drawn carries
// the w it was computed at, wherever the thumb is by then.

import {readAddress} from '../shared/address.js';
import {copiesLink, one, showMessage} from '../shared/dom.js';
import {inWords, say, translate} from '../shared/language.js';
import {announceMeasured, forgetMeasured, onOpenInExplore, onRemoteGpuRefused} from '../shared/tabs.js';
import {goneModel} from '../shared/wording.js';
import {room} from '../room/room.js';
import {inClass, showClass} from './class_server.js';
import {comparisonOf} from './compare.js';
import {modelInWords} from './described.js';
import {listenKeys} from './keys.js';
import {Location} from './location.js';
import {measuredOf} from './measured.js';
import {requestOf} from './parameters.js';
import {Playback} from './playback.js';
import {closeSession, openSession} from './session.js';
import {SaveMenu} from './save.js';
import {Store} from './store.js';
import {Transport} from './transport.js';
import {Views} from './views.js';

/** @typedef {import('./types.js').Description} Description */
/** @typedef {import('./types.js').ExploreServer} ExploreServer */
/** @typedef {import('./types.js').GridRequest} GridRequest */

const REST = 150;       // milliseconds after which a thumb that does not move rests
const PATIENCE = 2000;  // milliseconds after which what is drawn can be cancelled

/**
 * Gradio calls this once the markup is on the page.
 *
 * @param {HTMLElement} element
 * @param {ExploreServer} server
 * @param {{KINDS: Record<string, string>}} constants titles of the kinds of files that can be saved
 * @param {(event: string, data: object) => void} trigger an event of the component, which Gradio queues
 */
export async function mount(element, server, {KINDS}, trigger) {
  const lab = one(element, '.explore', HTMLElement), message = one(lab, '.message', HTMLElement);
  translate(element);
  await room.ready;
  const {search} = location, functions = inClass(server, room);
  const {token, ...description} = await openSession(functions, sentence => showMessage(message, sentence));
  const {store, views, location: place} = new Explore(lab, functions, trigger, token, description);
  if (location.search !== search) place.visited();
  new SaveMenu(lab, store, server.save, KINDS, () => views.strip.sample);
}

class Explore {
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #restTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #drawing;
  /** @type {Description['models']} */ models = [];
  /** Where the address leads. @type {{query: Record<string, string>, vs: import('./types.js').Comparison} | null} */
  #destination = null;

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
    const store = this.store = new Store(description.model, {...description.request, vs: {}});
    this.transport = new Transport(server, store, {
      received: () => this.views.redraw(),
      message: sentence => showMessage(this.message, sentence),
      refused: () => this.views.restoreTyped(),
      gaveUp: () => { lab.dataset.state = 'idle'; },
      drawRemotely: ask => trigger('submit', ask),
      replaced: other => this.adopt({...other, notice: goneModel(other)}),
    }, token, {hidden: () => document.hidden});
    this.location = new Location(store);
    this.views = new Views(lab, store, {
      change: fields => this.change(fields), move: w => this.move(w), settle: w => this.settle(w),
      choose: label => this.choose(label), drawn: () => this.#becomeIdle(),
    }, this.calm, server.real_pictures);
    this.playback = new Playback(store, {
      fetch: () => this.transport.trajectory(),
      idle: () => lab.dataset.state === 'idle',
      redraw: () => this.views.redraw(),
      playing: on => lab.classList.toggle('playing', on),
      calm: this.calm,
    });
    this.views.playback = this.playback;
    this.#listen();
    this.adopt(description, comparisonOf(readAddress()));
    this.#watch();
  }

  // ---- what is asked for ----

  /**
   * Draw with the model of a description from now on.
   *
   * @param {Description} description
   * @param {import('./types.js').Comparison} [vs]
   */
  adopt({model, models, rail, request, notice}, vs = this.store.request.vs) {
    this.models = models.map(each => ({...each, title: inWords(each.title)}));
    this.store.adopt(modelInWords(model), {...request, vs});
    this.views.adopt(this.models, rail);
    this.#sceneChanged();
    this.#begin();
    this.store.notice = notice;
    if (model.rail_pictures && !rail) this.#railLater(model.hash);
  }

  /** @param {string} model */
  async #railLater(model) {
    const pictures = await this.transport.rail(model);
    if (pictures && this.store.model.hash === model) this.views.rail.build(pictures);
  }

  /**
   * Ask for something else; the other fields stay as they are.
   *
   * @param {Partial<GridRequest>} fields
   */
  change(fields) {
    if (fields.model && fields.model !== this.store.model.hash) {
      const {class: label, ...others} = this.store.request;
      const kept = label === 'all' || this.#hasSameClasses(fields.model) ? {class: label} : {};
      this.changeModel({...others, ...kept, ...fields});
      return;
    }
    if (this.store.change(fields)) this.#sceneChanged();
    this.#begin();
    this.location.update('class' in fields);
  }

  /** @param {string} hash of a model that may be chosen */
  #hasSameClasses(hash) {
    const other = this.models.find(each => each.hash === hash);
    return other?.classes.join('\n') === this.store.model.classes.join('\n');
  }

  /**
   * Another model, and of the rest what it can do; without a class that on which it opens.
   *
   * @param {Partial<GridRequest>} fields
   */
  async changeModel(fields) {
    this.lab.dataset.state = 'drawing';
    const reply = await this.transport.describeModel(fields);
    if (!reply) return;
    if (reply.ok) {
      this.adopt(reply);
      this.location.update(true);
    } else this.change({});  // go on with the one before
    this.views.controls.models.value = this.store.model.hash;
    if (!reply.ok) this.store.notice = say('model.not_loaded', {error: inWords(reply.error)});
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
    if (all !== (request.class === 'all')) fields.samples = all ? 8 : 16;
    if (fields.class !== request.class) this.change(fields);
  }

  /**
   * The thumb moves: show what is nearest, and let the strip be filled from there.
   *
   * @param {number} w
   */
  move(w) {
    this.store.moveThumb(w);
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => this.settle(w), REST);
    this.#begin();
    this.location.updateSoon();
  }

  /** The thumb rests at this w. @param {number} exact */
  settle(exact) {
    clearTimeout(this.#restTimer);
    const {store} = this, w = store.restAt(exact);
    if (w !== store.request.w || w !== store.thumb || this.lab.dataset.state !== 'idle') this.change({w});
  }

  /**
   * The address leads here.
   *
   * @param {Record<string, string>} query
   * @param {import('./types.js').Comparison} vs
   */
  async restore(query, vs) {
    clearTimeout(this.#restTimer);  // a thumb that moved a moment ago rests elsewhere now
    forgetMeasured('explore');
    const request = this.#destination ? null : requestOf(this.store.model, query);
    if (request) {
      if (this.store.change({...request, vs})) this.#sceneChanged();
      this.#begin();
      return;
    }
    const underWay = this.#destination !== null, here = this.#destination = {query, vs};
    if (underWay) return;
    for (let to = here, arrived = false; !arrived; to = this.#destination ?? to) {
      const reply = await this.transport.describeModel(to.query);
      arrived = to === this.#destination;
      if (arrived && reply?.ok) this.adopt(reply, to.vs);
    }
    this.#destination = null;
  }

  /** Go back to the last grids that were finished. */
  cancel() {
    const {finishedRequest} = this.store;
    if (finishedRequest) this.change(finishedRequest);
  }

  /** @param {boolean} on whether what is drawn can be cancelled, once it takes long */
  #cancellable(on) {
    clearTimeout(this.#drawing);
    const button = one(this.lab, '.cancel', HTMLElement);
    button.hidden = true;
    if (on && this.store.finishedRequest) this.#drawing = setTimeout(() => { button.hidden = false; }, PATIENCE);
  }

  #begin() {
    forgetMeasured('explore');
    this.#cancellable(true);
    this.playback.reset();
    this.lab.dataset.state = 'drawing';
    this.views.reflect();
    this.views.redraw();
    this.transport.poll();
  }

  #sceneChanged() {
    delete this.lab.dataset.missing;
    this.views.pick(null);
  }

  /** Both grids are finished and drawn, the thumb is where they were asked for: now the link is of what is shown. */
  #becomeIdle() {
    const {store, lab} = this;
    if (!store.satisfied || store.thumb !== store.request.w || lab.dataset.state === 'idle') return;
    lab.dataset.state = 'idle';
    store.finish();
    this.#cancellable(false);
    this.views.redraw();  // what it took is known now
    this.location.update();
    this.playback.rested();
    const [reference, guided] = [store.live(0), store.live(1)];
    if (!reference?.done || !guided?.done || reference.error || guided.error) return;
    this.views.captions.speakOf(guided);
    announceMeasured('explore', this.location.fields, {...measuredOf(reference, guided, store.model), picture: this.views.panes[1].canvas});
  }

  /** While another tab is open nothing is drawn for this one. */
  #watch() {
    new IntersectionObserver(entries => {
      this.transport.setVisible(entries[entries.length - 1].isIntersecting);
    }).observe(this.lab);
  }

  #listen() {
    const {lab, playback, views: {captions: {step}, controls, difference, real}} = this;
    step.addEventListener('input', () => { playback.stop(); playback.scrub(+step.value); });
    one(lab, '.cancel', HTMLElement).addEventListener('click', () => this.cancel());
    one(lab, '.play', HTMLElement).addEventListener('click', () => playback.play());
    const part = one(lab, '.shown-part', HTMLSelectElement);
    part.addEventListener('change', () => playback.show(/** @type {typeof playback.shown} */ (part.value)));
    const keys = one(lab, '.keys', HTMLDialogElement);
    listenKeys({
      slide: event => {
        const w = controls.wOfKey(event);
        if (w !== null) this.move(w);
        return w !== null;
      },
      play: () => playback.play(), difference: on => difference.show(on), real: () => real.toggle(), help: () => keys.showModal(),
    });
    this.location.onVisit(w => this.move(w), (query, vs) => this.restore(query, vs));
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.transport.poll(); });
    addEventListener('pagehide', () => closeSession(this.transport.token));
    onOpenInExplore(fields => this.change(fields));
    onRemoteGpuRefused(() => this.transport.gpuRefused());
    showClass(room, this.store, this.transport);
    copiesLink(one(lab, '.link', HTMLButtonElement));
  }
}
