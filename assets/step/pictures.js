// The five pictures of a step, and what stands above them.

import {decimal, fixed, number, one} from '../shared/dom.js';
import {say} from '../shared/language.js';
import {colourOf, diverging, picture, put} from './canvas.js';
import {peak, roundUp} from './predictions.js';
import {symbol} from './wording.js';

/** @typedef {import('./canvas.js').Colour} Colour */
/** @typedef {import('./store.js').Shown} Shown */
/** @typedef {import('./store.js').Store} Store */

const NAMES = /** @type {const} */ (['noisy', 'conditional', 'unconditional', 'difference', 'guided']);
const NOISE = 3;  // standard deviations of noise that are white

export class Pictures {
  /** Of differences: negative, none, positive. @type {[Colour, Colour, Colour]} */ #colours = [[0, 0, 0], [0, 0, 0], [0, 0, 0]];

  /**
   * @param {HTMLElement} row
   * @param {Store} store
   */
  constructor(row, store) {
    this.row = row;
    this.store = store;
    this.figures = Object.fromEntries(NAMES.map(name => [name, one(row, `.${name}`, HTMLElement)]));
    this.readColours();
  }

  readColours() {
    this.#colours = [colourOf(this.row, '--reference'), colourOf(this.row, '--card'), colourOf(this.row, '--guided')];
  }

  /** Draw the place; what is not here yet stays as it was, faint. */
  draw() {
    const {store: {trajectory, place, logSnr}} = this, shown = this.store.shown();
    for (const name of NAMES) this.figures[name].classList.toggle('stale', !shown || (name === 'guided' && !shown.guided));
    if (!trajectory || !shown) return;
    const {shape} = trajectory, letter = symbol(place.view), reach = place.view === 'x' ? 1 : NOISE, thing = trajectory.class;
    const at = say('step.at', {level: fixed(logSnr)});
    this.#show('noisy', picture(shown.z, shape, 1), 'z', say('step.with_noise', {level: fixed(logSnr)}), say('step.z', {at}));
    this.#show('conditional', picture(shown.conditional, shape, reach), `${letter}(c)`, say('step.with', {thing}), say('step.predicted_with', {letter, thing, at}));
    this.#show('unconditional', picture(shown.unconditional, shape, reach), `${letter}(∅)`, say('step.without'), say('step.predicted_without', {letter, at}));
    this.#difference(shown, `${letter}(c) − ${letter}(∅)`, at);
    if (shown.guided) this.#guided(shown.guided, shown.w, reach, at);
  }

  /** @param {Shown} shown @param {string} title @param {string} at */
  #difference(shown, title, at) {
    const {trajectory} = this.store, figure = this.figures.difference;
    if (!trajectory) return;
    const end = roundUp(peak(shown.difference));
    this.#show('difference', diverging(shown.difference, trajectory.shape, end, this.#colours), title, null, say('step.from_to', {title, at, end: number(end)}));
    const [low, high] = figure.querySelectorAll('.scale span');
    low.textContent = `−${number(end)}`;
    high.textContent = number(end);
    figure.dataset.scale = String(end);
  }

  /** @param {Float32Array} values @param {number} w @param {number} reach @param {string} at */
  #guided(values, w, reach, at) {
    const {trajectory, place} = this.store;
    if (!trajectory) return;
    const letter = symbol(place.view), tilde = place.view === 'x' ? 'x̃' : 'ε̃', acts = trajectory.acts[place.step - 1];
    const made = !acts ? say('step.not_guided', {letter}) : trajectory.linear
      ? `${letter}(c) ${w < 0 ? '−' : '+'} ${decimal(Math.abs(w))} (${letter}(c) − ${letter}(∅))` : `w = ${decimal(w)}, ${trajectory.rule}`;
    this.#show('guided', picture(values, trajectory.shape, reach), say('step.guided', {tilde}), made, say('step.guided_with', {tilde, w: number(w), at}));
    this.figures.guided.dataset.w = String(w);
  }

  /**
   * @param {typeof NAMES[number]} name
   * @param {ImageData} image
   * @param {string} title
   * @param {string | null} words
   * @param {string} label
   */
  #show(name, image, title, words, label) {
    const figure = this.figures[name], canvas = one(figure, 'canvas', HTMLCanvasElement);
    put(canvas, image);
    canvas.setAttribute('aria-label', label);
    one(figure, 'b', HTMLElement).textContent = title;
    if (words !== null) one(figure, 'figcaption > span', HTMLElement).textContent = words;
  }
}
