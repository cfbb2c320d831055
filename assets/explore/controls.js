// The guidance slider, the noise and the model: they show the request and change it.

import {number, one} from '../shared/dom.js';
import {say} from '../shared/language.js';
import {nextRung, positionOf, rungsOf, stepped, wAt} from './axis.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').Description} Description */
/** @typedef {import('./types.js').GridRequest} GridRequest */

/**
 * change: ask for other fields. move: the thumb of the guidance slider is dragged here. settle: it rests here.
 *
 * @typedef {{
 *   change: (fields: Partial<GridRequest>) => void, move: (w: number) => void, settle: (w: number) => void,
 * }} ControlEvents
 */

export class Controls {
  /**
   * @param {HTMLElement} lab
   * @param {Store} store
   * @param {ControlEvents} events
   */
  constructor(lab, store, events) {
    this.lab = lab;
    this.store = store;
    this.events = events;
    this.w = one(lab, '.w', HTMLInputElement);
    this.track = one(lab, '.track', HTMLElement);
    this.bubble = one(this.track, 'output', HTMLElement);
    this.seed = one(lab, '.seed', HTMLInputElement);
    this.models = one(lab, '.models', HTMLSelectElement);
    this.label = one(lab, 'label.model', HTMLElement);
    one(document, '.shell .actions', HTMLElement).append(this.label);
    this.#listen();
  }

  /**
   * The models that may be chosen.
   *
   * @param {Description['models']} models
   */
  adopt(models) {
    this.models.replaceChildren(...models.map(({title, hash}) => new Option(title, hash)));
    this.models.value = this.store.model.hash;
    this.label.hidden = models.length < 2;
  }

  /** Set the controls to the request, except an input that is being typed in. */
  reflect() {
    const {request, thumb} = this.store, rungs = this.#rungs, at = positionOf(thumb, rungs);
    this.w.max = String(rungs.length - 1);
    this.w.value = String(at);
    this.w.setAttribute('aria-valuetext', say('slider.value', {w: number(thumb), s: number(1 + thumb)}));
    this.track.style.setProperty('--at', String(at / (rungs.length - 1)));
    this.track.classList.toggle('late', at > 0.85 * (rungs.length - 1));
    this.bubble.textContent = `w = ${number(thumb)}`;
    if (document.activeElement !== this.seed) this.seed.value = String(request.seed);
  }

  /** After a refusal: also what is being typed is what is asked for. */
  restoreTyped() {
    this.seed.value = String(this.store.request.seed);
  }

  /**
   * The w that a key of the slider leads to: the arrows a step, PageUp and PageDown a rung, Home and End the ends, and a
   * digit the rung of that number; null for any other key.
   *
   * @param {KeyboardEvent} event
   */
  wOfKey({key, altKey, ctrlKey, metaKey}) {
    const {thumb} = this.store, rungs = this.#rungs;
    if (altKey || ctrlKey || metaKey) return null;
    switch (key) {
      case 'ArrowLeft': case 'ArrowDown': return stepped(thumb, -1, rungs);
      case 'ArrowRight': case 'ArrowUp': return stepped(thumb, 1, rungs);
      case 'PageDown': return nextRung(thumb, -1, rungs);
      case 'PageUp': return nextRung(thumb, 1, rungs);
      case 'Home': return rungs[0];
      case 'End': return rungs[rungs.length - 1];
    }
    return /^\d$/.test(key) ? rungsOf(false)[(Number(key) + 9) % 10] ?? null : null;
  }

  get #rungs() {
    return rungsOf(this.store.below);
  }

  #listen() {
    const {change, move, settle} = this.events, atThumb = () => wAt(Number(this.w.value), this.#rungs);
    this.w.addEventListener('input', () => move(atThumb()));
    this.w.addEventListener('change', () => settle(atThumb()));
    this.w.addEventListener('keydown', event => {
      const w = this.wOfKey(event);
      if (w === null) return;
      event.preventDefault();
      event.stopPropagation();
      move(w);
    });
    this.models.addEventListener('change', () => change({model: this.models.value}));
    this.seed.addEventListener('change', () => change({seed: this.seed.value}));
    one(this.lab, '.dice', HTMLElement).addEventListener('click', () => {
      this.seed.blur();
      change({seed: Math.floor(Math.random() * 10000)});
    });
  }
}
