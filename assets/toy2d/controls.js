// The controls of the 2-D lab: they show the requested scene and change it.

import {all, fixed, formula, number, one, text} from '../shared/dom.js';
import {ParameterInputs} from '../shared/parameter_inputs.js';
import {goesWith, parametersOf} from '../shared/parameters.js';
import {choosing, choosingParticles} from './scene.js';

/** @typedef {import('./types.js').Constants} Constants */
/** @typedef {import('./types.js').Scene} Scene */

const CHOICES = /** @type {const} */ (['density', 'sampler', 'rule']);
const TYPED = /** @type {const} */ (['steps', 'seed']);
const LANGEVIN = [1, 2, 4, 8];

export class Controls {
  /**
   * @param {HTMLElement} lab
   * @param {Constants} constants
   * @param {(fields: Partial<Scene>) => void} change
   * @param {() => Scene} scene what is asked for now
   */
  constructor(lab, constants, change, scene) {
    this.lab = lab;
    this.constants = constants;
    this.change = change;
    this.scene = scene;
    this.w = one(lab, '.w', HTMLInputElement);
    this.selects = Object.fromEntries([...CHOICES, 'langevin'].map(name => [name, one(lab, `.${name}`, HTMLSelectElement)]));
    this.typed = TYPED.map(name => ({name, input: one(lab, `.${name}`, HTMLInputElement)}));
    this.parameters = new ParameterInputs(one(lab, '.parameters', HTMLElement), change);
    this.resampled = one(lab, '.resampled', HTMLInputElement);
    this.classes = one(lab, '.classes', HTMLElement);
    this.#build();
    this.#listen();
  }

  /**
   * Set the controls to the requested scene, except an input that is being typed in.
   *
   * @param {boolean} [everything] that input too
   */
  reflect(everything = false) {
    const scene = this.scene(), {w} = scene, {OFFER} = this.constants;
    const rule = OFFER.rules.find(({name}) => name === scene.rule);
    this.w.value = String(w);
    this.w.setAttribute('aria-valuetext', `w = ${number(w)}, scale s = ${number(1 + w)}`);
    one(this.lab, '.strength output b', HTMLElement).textContent = `w = ${fixed(w)}`;
    one(this.lab, '.strength output small', HTMLElement).textContent = `scale s = 1 + w = ${fixed(1 + w)}`;
    for (const [name, select] of Object.entries(this.selects)) select.value = String(Reflect.get(scene, name));
    one(this.lab, '.strength label small', HTMLElement).replaceChildren(...formula(rule?.formula ?? ''));
    for (const option of this.selects.sampler.options) option.disabled = !goesWith(rule, option.value);
    this.selects.langevin.disabled = Boolean(rule?.renoises);
    this.resampled.checked = scene.resampled;
    this.parameters.reflect(parametersOf(OFFER, scene), scene, everything);
    for (const {name, input} of this.typed) {
      if (everything || document.activeElement !== input) input.value = String(scene[name]);
    }
    all(this.classes, 'button', HTMLButtonElement).forEach((button, label) => {
      button.setAttribute('aria-checked', String(label === scene.class));
      button.tabIndex = label === scene.class ? 0 : -1;
    });
  }

  /** @param {string} name @param {number} label */
  #choice(name, label) {
    const button = text('button', name), {length} = this.constants.CLASSES;
    Object.assign(button, {type: 'button'});
    button.setAttribute('role', 'radio');
    button.setAttribute('aria-label', `class ${name}`);
    button.addEventListener('click', () => this.change({class: label}));
    /** @type {Record<string, number>} */
    const ways = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1};
    button.addEventListener('keydown', event => {
      const by = ways[event.key];
      if (!by) return;
      event.preventDefault();
      const to = (label + by + length) % length;
      all(this.classes, 'button', HTMLButtonElement)[to].focus();
      this.change({class: to});
    });
    return button;
  }

  #build() {
    const {CLASSES, OFFER} = this.constants, {sampler, rule, langevin} = this.selects;
    /** @param {{name: string, title: string}} choice */
    const option = ({name, title}) => new Option(title, name);
    this.classes.replaceChildren(...CLASSES.map((name, label) => this.#choice(name, label)));
    sampler.replaceChildren(...OFFER.samplers.map(option));
    rule.replaceChildren(...OFFER.rules.map(option));
    langevin.replaceChildren(new Option('none', '0'), ...LANGEVIN.map(count => new Option(String(count))));
    one(this.lab, '.track ol', HTMLElement).replaceChildren(...Array.from({length: 9}, (_, w) => text('li', w)));
  }

  #listen() {
    this.w.addEventListener('input', () => this.change({w: Math.round(10 * Number(this.w.value)) / 10}));
    const {density} = this.selects;
    density.addEventListener('change', () => this.change(/** @type {Partial<Scene>} */ ({density: density.value})));
    for (const name of /** @type {const} */ (['sampler', 'rule'])) {
      const select = this.selects[name];
      select.addEventListener('change', () => this.change(choosing(name, select.value, this.scene(), this.constants)));
    }
    this.resampled.addEventListener('change', () => {
      this.change(choosingParticles(this.resampled.checked, this.scene(), this.constants));
    });
    this.selects.langevin.addEventListener('change', () => this.change({langevin: +this.selects.langevin.value}));
    for (const {name, input} of this.typed) {
      input.addEventListener('change', () => {
        const {value} = input, isNumber = value.trim() !== '' && Number.isFinite(Number(value));
        this.change(/** @type {Partial<Scene>} */ ({[name]: isNumber ? Number(value) : value}));
      });
    }
  }
}
