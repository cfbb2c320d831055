// The tab "Inside a step": one sample of what Explore shows, at one step of its way from noise to clean.
//
// The server draws the way once and sends what is predicted with the class and without it; w is then moved here, at the
// display's rate, where the rule is linear in both. Where it is not, the server combines them.

import {readAddress, updateAddress} from '../shared/address.js';
import {copiesLink, one, showMessage, whenSeen} from '../shared/dom.js';
import {say, translate} from '../shared/language.js';
import {sleep} from '../shared/server.js';
import {announceMeasured, explored, forgetMeasured, onExplored, onOpenStep} from '../shared/tabs.js';
import {onVisit} from '../shared/visit.js';
import {addressFields, keptPlace, linkOf, otherFields} from './address.js';
import {Controls} from './controls.js';
import {Pictures} from './pictures.js';
import {Store, decoded} from './store.js';
import {Transport} from './transport.js';
import {progressSentence} from './wording.js';

/** @typedef {import('./types.js').PlainRequest} PlainRequest */
/** @typedef {import('./types.js').Link} Link */
/** @typedef {import('./types.js').Place} Place */
/** @typedef {import('./types.js').StepServer} StepServer */

const DEBOUNCE = 40;  // milliseconds after which the server is asked to combine, with the newest w

/**
 * Gradio calls this once the markup is on the page.
 *
 * @param {HTMLElement} element
 * @param {StepServer} server
 * @param {{W_RANGE: [low: number, high: number]}} constants
 */
export function mount(element, server, {W_RANGE}) {
  const lab = one(element, '.lab.step', HTMLElement);
  translate(element);
  const query = readAddress();
  let link = linkOf(query), other = otherFields(query);
  /** @type {StepTab | null} */ let tab = null;
  onOpenStep((sample, fields) => {
    [link, other] = [{sample: sample + 1}, fields];
    tab?.open(link, other);
  });
  onVisit(() => tab?.fields ?? null, query => {
    [link, other] = [linkOf(query), otherFields(query)];
    tab?.open(link, other);
  });
  whenSeen(lab, () => {
    lab.append(one(lab, 'template', HTMLTemplateElement).content);
    tab = new StepTab(lab, server, W_RANGE, link, other);
  });
}

class StepTab {
  #visible = false;
  #redrawing = false;
  #filling = false;
  #combining = false;
  /** What Explore shows. @type {PlainRequest | null} */ #explored = null;
  /** The request that is asked for, as text. */ #asked = '';
  /** A sentence of the last link or request. */ #notice = '';

  /**
   * @param {HTMLElement} lab
   * @param {StepServer} server
   * @param {[low: number, high: number]} range of w
   * @param {Link} link where to begin
   * @param {Partial<PlainRequest>} other fields of the request that differ from what Explore shows
   */
  constructor(lab, server, range, link, other) {
    this.lab = lab;
    /** Where to begin with the next request. @type {Link | null} */
    this.link = link;
    this.other = other;
    this.message = one(lab, '.message', HTMLElement);
    this.status = one(lab, '[role="status"]', HTMLElement);
    this.store = new Store();
    this.pictures = new Pictures(one(lab, '.pictures', HTMLElement), this.store);
    this.controls = new Controls(lab, this.store, range, place => this.go(place));
    this.transport = new Transport(server, {
      message: sentence => showMessage(this.message, sentence || this.#notice),
      progress: waiting => this.controls.wait(progressSentence(waiting)),
    });
    this.#listen();
    if (!explored()) showMessage(this.message, say('step.waiting_for_explore'));
    onExplored(request => this.#follow(request));
  }

  /** What the address says of this tab; null where that is not known yet. */
  get fields() {
    const {trajectory, place} = this.store;
    return trajectory && !this.link ? addressFields(place, trajectory.request.w, this.other) : null;
  }

  /**
   * Show another sample, or another request.
   *
   * @param {Link} link
   * @param {Partial<PlainRequest>} other
   */
  open(link, other) {
    this.link = link;
    this.other = other;
    this.#asked = '';
    this.#load();
  }

  /** @param {PlainRequest} request */
  #follow(request) {
    if (this.#explored && JSON.stringify(this.#explored) !== JSON.stringify(request)) this.other = {};
    this.#explored = request;
    this.#load();
  }

  /** The request whose samples are shown: that of Explore, of one class. @returns {PlainRequest | null} */
  get #request() {
    if (!this.#explored) return null;
    const request = {...this.#explored, ...this.other};
    return {...request, class: request.class === 'all' ? 0 : request.class};
  }

  /**
   * Have the way of the request drawn, unless it is shown or not seen.
   *
   * @param {string} [problem] what was wrong with the request before
   */
  async #load(problem = '') {
    const request = this.#request, asked = JSON.stringify(request), {store, lab} = this;
    if (!request || !this.#visible || asked === this.#asked) return;
    this.#asked = asked;
    forgetMeasured('step');
    lab.dataset.state = store.trajectory ? 'drawing' : 'opening';
    const link = this.link ?? (store.trajectory ? keptPlace(store.place, store.trajectory.request, request) : {});
    const reply = await this.transport.ask('read', {request, link}, () => asked === this.#asked);
    if (!reply) return;
    if (!reply.ok) {
      this.#say(reply.error);
      store.trajectory = null;
      lab.dataset.state = 'opening';
      if (!Object.keys(this.other).length) return;
      this.other = {};  // of a link: go on with what Explore shows
      this.#load(reply.error);
      return;
    }
    this.link = null;
    store.adopt(reply);
    announceMeasured('step', reply.request, {most: store.most});
    this.controls.adopt();
    this.go({});
    this.#say([problem, reply.notice].filter(Boolean).join(' '));
  }

  /** A sentence that stays until something else is asked for. @param {string} sentence */
  #say(sentence) {
    this.#notice = sentence;
    showMessage(this.message, sentence);
  }

  /**
   * Go to another sample, step, w or view.
   *
   * @param {Partial<Place>} place
   */
  go(place) {
    const {store} = this;
    if (!store.trajectory) return;
    store.place = {...store.place, ...place};
    this.#say('');
    updateAddress(addressFields(store.place, store.trajectory.request.w, this.other));
    this.redraw();
    this.#fill();
    this.#combine();
  }

  // ---- what comes from the server ----

  /** Fetch the parts of the place and next to it, one call after the other. */
  async #fill() {
    if (this.#filling) return;
    this.#filling = true;
    const {store} = this;
    for (let next = store.missing(); next; next = store.missing()) {
      const {trajectory} = store;
      if (!trajectory) break;
      const reply = await this.transport.ask('parts', {request: trajectory.request, ...next}, () => store.trajectory === trajectory);
      if (reply && !reply.ok) {
        this.#say(reply.error);
        break;
      }
      if (reply) store.keep(next, reply.parts);
      this.redraw();
    }
    this.#filling = false;
  }

  /** Have the server combine the prediction of the place, the newest one, one call after the other. */
  async #combine() {
    if (this.#combining) return;
    this.#combining = true;
    const {store} = this;
    while (store.uncombined) {
      await sleep(DEBOUNCE);
      const {trajectory, place: {sample, step, w}} = store;
      if (!trajectory) break;
      const reply = await this.transport.ask('guided', {request: trajectory.request, sample, step, w}, () => store.trajectory === trajectory);
      if (reply && !reply.ok) {
        this.#say(reply.error);
        break;
      }
      if (reply) store.combined = decoded({sample, step, w}, reply);
      this.redraw();
    }
    this.#combining = false;
  }

  // ---- what is shown ----

  /** Draw before the next frame of the display. */
  redraw() {
    if (this.#redrawing) return;
    this.#redrawing = true;
    requestAnimationFrame(() => {
      this.#redrawing = false;
      this.pictures.draw();
      this.controls.reflect();
      const {parts, uncombined, place} = this.store;
      this.lab.dataset.state = parts && !uncombined ? 'idle' : 'drawing';
      Object.assign(this.lab.dataset, place);
    });
  }

  #listen() {
    const {lab} = this;
    new IntersectionObserver(entries => {
      this.#visible = entries[entries.length - 1].isIntersecting;
      this.#load();
    }).observe(lab);
    lab.addEventListener('change', () => {
      requestAnimationFrame(() => { this.status.textContent = one(lab, '.sentence', HTMLElement).textContent; });
    });
    const recoloured = () => { this.pictures.readColours(); this.redraw(); };
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recoloured);
    new MutationObserver(recoloured).observe(document.body, {attributeFilter: ['class']});
    copiesLink(one(lab, '.link', HTMLButtonElement));
  }
}
