// Real pictures of the class, from the training data, in the place of the left grid while the button is on.

import {bytes, one} from '../shared/dom.js';
import {answered} from '../shared/server.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').ExploreServer} ExploreServer */
/** @typedef {import('./types.js').RealPictures} Pictures */

export class RealPictures {
  on = false;
  /** By model and class; null while they are fetched. @type {Map<string, Pictures | null>} */ #held = new Map();

  /**
   * @param {HTMLElement} lab
   * @param {HTMLElement} figure where they are shown
   * @param {Store} store
   * @param {ExploreServer['real_pictures']} fetch
   * @param {() => void} redraw
   */
  constructor(lab, figure, store, fetch, redraw) {
    this.figure = figure;
    this.store = store;
    this.fetch = fetch;
    this.redraw = redraw;
    this.button = one(lab, '.real', HTMLButtonElement);
    this.button.addEventListener('click', () => this.toggle());
  }

  /** Offer them where the model has some. */
  reflect() {
    this.button.hidden = !this.store.model.real;
  }

  toggle() {
    if (!this.store.model.real) return;
    this.on = !this.on;
    this.button.setAttribute('aria-pressed', String(this.on));
    if (this.on) this.figure.scrollIntoView({block: 'nearest'});
    this.redraw();
  }

  /** The pictures to show now, if they are wanted and there; fetched where they are not. @returns {Pictures | null} */
  get shown() {
    const {model, request} = this.store;
    if (!this.on || !model.real) return null;
    const key = `${model.hash} ${request.class}`, held = this.#held.get(key);
    if (held === undefined) {
      this.#held.set(key, null);
      this.#get(key, model, request.class);
    }
    return held ?? null;
  }

  /** @param {string} key @param {Store['model']} model @param {number | 'all'} label */
  async #get(key, {hash, real, classes}, label) {
    const reply = await answered(() => this.fetch({model: hash, class: label}), {message: () => {}});
    if (!real || !reply?.ok) return;
    const labels = label === 'all' ? classes.map((_, n) => n) : [label];
    this.#held.set(key, {...real, classes: labels, samples: reply.samples, pixels: bytes(reply.pixels)});
    this.redraw();
  }
}
