// The controls that a question is answered with.

import {number, text} from '../shared/dom.js';
import {say} from '../shared/language.js';
import {explored, onExplored, onPressed, press} from '../shared/tabs.js';
import {setsW} from './questions.js';
import {pointOf} from './points.js';
import {elements} from './spans.js';

/** @typedef {import('./types.js').Answer} Answer */
/** @typedef {import('./types.js').Measured} Measured */
/** @typedef {import('./types.js').Question} Question */

/** The sides A and B as they are seen, and which grid each is. @typedef {Record<'A' | 'B', 'guided' | 'other'>} Sides */

const NAME = 'lesson-answer';

export class Answers {
  /** @type {Question | null} */ #question = null;
  /** @type {Measured} */ #measured = {};
  /** @type {HTMLOutputElement | null} */ #w = null;
  /** @type {HTMLInputElement | null} */ #sample = null;

  /** @param {HTMLElement} node */
  constructor(node) {
    this.node = node;
    onExplored(({w}) => { if (this.#w) this.#w.textContent = `w = ${number(w)}`; });
    onPressed(sample => { if (this.#sample) this.#sample.value = String(sample + 1); });
  }

  /**
   * Offer the answers to a question.
   *
   * @param {Question} question
   * @param {Measured} measured of what the page shows
   * @param {Sides} sides
   */
  ask(question, measured, sides) {
    this.#question = question;
    this.#measured = measured;
    this.#w = this.#sample = null;
    const {kind, options} = question;
    if (options.length) this.node.replaceChildren(...options.map((option, i) => this.#choice(String(i), ...elements(option.text))));
    else if (kind === 'guided') this.node.replaceChildren(...Object.entries(sides).map(([name, side]) => this.#choice(side, say('lesson.side', {name}))));
    else if (setsW(kind)) {
      this.#w = document.createElement('output');
      this.#w.textContent = `w = ${number(explored()?.w ?? 0)}`;
      this.node.replaceChildren(this.#w);
    } else this.#number(kind, measured.pictures ?? 16);
  }

  /** Take them away. */
  clear() {
    this.#question = this.#w = this.#sample = null;
    this.node.replaceChildren();
  }

  /** The answer that is set, null for none. @returns {Answer | null} */
  get value() {
    const question = this.#question, checked = this.node.querySelector('input:checked');
    if (!question) return null;
    if (setsW(question.kind)) return explored()?.w ?? null;
    if (checked instanceof HTMLInputElement) return checked.value;
    const typed = this.node.querySelector('input[type="number"]');
    if (!(typed instanceof HTMLInputElement) || !typed.value || !typed.validity.valid) return null;
    return question.kind === 'changes most' ? pointOf(Number(typed.value) - 1, this.#measured) : Number(typed.value);
  }

  /** @param {string} value @param {...(string | Node)} label */
  #choice(value, ...label) {
    const node = document.createElement('label'), input = document.createElement('input'), words = text('span', '');
    Object.assign(input, {type: 'radio', name: NAME, value, required: true});
    words.append(...label);
    node.append(input, words);
    return node;
  }

  /** @param {string} kind @param {number} pictures */
  #number(kind, pictures) {
    const node = document.createElement('label'), input = document.createElement('input'), points = kind === 'changes most';
    Object.assign(input, {type: 'number', min: 1, max: pictures, step: 1, required: true, autocomplete: 'off'});
    node.append(points ? say('lesson.sample') : say('lesson.count'), ' ', input, ' ', say('lesson.of', {pictures}));
    if (points) {
      this.#sample = input;
      input.addEventListener('input', () => { if (input.validity.valid && input.value) press(Number(input.value) - 1); });
    }
    this.node.replaceChildren(node);
  }
}
