// The controls of Explore: they show the request and change it.

import {all, decimal, formula, number, one, text} from '../shared/dom.js';
import {belowZero} from '../shared/wording.js';
import {parametersOf} from './parameters.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').Description} Description */
/** @typedef {import('./types.js').GridRequest} GridRequest */
/** @typedef {import('./types.js').Parameter} Parameter */

const SAMPLES = [1, 4, 9, 16, 25, 36, 64];

/**
 * change: ask for other fields. move: the thumb of the guidance slider is dragged here. settle: it rests here.
 *
 * @typedef {{
 *   change: (fields: Partial<GridRequest>) => void, move: (w: number) => void, settle: (w: number) => void,
 * }} ControlEvents
 */

export class Controls {
  #parameterKey = '';

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
    this.below = one(lab, '.below', HTMLInputElement);
    this.belowLabel = one(lab, '.below-label', HTMLElement);
    this.rule = one(lab, '.rule', HTMLSelectElement);
    this.sampler = one(lab, '.sampler', HTMLSelectElement);
    this.steps = one(lab, '.steps', HTMLInputElement);
    this.samples = one(lab, '.samples', HTMLSelectElement);
    this.seed = one(lab, '.seed', HTMLInputElement);
    this.models = one(lab, '.models', HTMLSelectElement);
    this.parameters = one(lab, '.parameters', HTMLElement);
    this.track = one(lab, '.track', HTMLElement);
    this.samples.replaceChildren(...SAMPLES.map(n => new Option(String(n), String(n))));
    this.#listen();
  }

  /**
   * What a model offers.
   *
   * @param {Description['models']} models that may be chosen
   */
  adopt(models) {
    const {model} = this.store;
    this.models.replaceChildren(...models.map(({title, hash}) => new Option(title, hash)));
    this.models.value = model.hash;
    one(this.lab, '.model label', HTMLElement).hidden = models.length < 2;
    this.sampler.replaceChildren(...model.samplers.map(each => new Option(each.title, each.name)));
    this.rule.replaceChildren(...model.rules.map(each => new Option(each.title, each.name)));
    one(this.lab, '.rules', HTMLElement).hidden = model.rules.length < 2;
    all(this.lab, '.meters, .meaning', HTMLElement).forEach(part => { part.hidden = !model.meters; });
    one(this.lab, '.model span', HTMLElement).textContent = model.about;
  }

  /** Set the controls to the request, except an input that is being typed in. */
  reflect() {
    const {request, thumb, model, below} = this.store;
    const low = below ? -1 : 0;
    this.below.checked = below;
    this.w.min = String(low);
    this.w.value = String(thumb);
    this.w.setAttribute('aria-valuetext', `w = ${number(thumb)}, scale s = ${number(1 + thumb)}`);
    this.track.style.setProperty('--low', String(low));
    this.track.style.setProperty('--at', String((thumb - low) / (8 - low)));
    one(this.track, 'ol', HTMLElement).replaceChildren(...Array.from({length: 9 - low}, (_, i) => text('li', number(i + low))));
    one(this.lab, '.strength output b', HTMLElement).textContent = `w = ${decimal(thumb)}`;
    one(this.lab, '.strength output small', HTMLElement).textContent = `scale s = 1 + w = ${decimal(1 + thumb)}`;
    this.rule.value = request.rule;
    const rule = model.rules.find(({name}) => name === request.rule);
    one(this.lab, '.strength label small', HTMLElement).replaceChildren(...formula(rule?.formula ?? ''));
    this.belowLabel.replaceChildren(text('i', 'w'), ` ${belowZero(request.rule)}`);
    this.sampler.value = request.sampler;
    this.#reflectText(this.steps, request.steps);
    this.#reflectText(this.seed, request.seed);
    const samples = String(request.samples);
    if (![...this.samples.options].some(option => option.value === samples)) this.samples.append(new Option(samples, samples));
    this.samples.value = samples;
    one(this.lab, '.each', HTMLElement).textContent = request.class === 'all' ? 'of each class' : '';
    this.#reflectParameters();
  }

  /** After a refusal: also what is being typed is what is asked for. */
  restoreTyped() {
    const {request} = this.store;
    this.steps.value = String(request.steps);
    this.seed.value = String(request.seed);
    for (const parameter of parametersOf(this.store.model, request)) {
      const input = this.parameters.querySelector(`input[name="${parameter.name}"]`);
      if (input instanceof HTMLInputElement) input.value = String(request[parameter.name] ?? parameter.default);
    }
  }

  /** @param {HTMLInputElement} input @param {string | number} value */
  #reflectText(input, value) {
    if (document.activeElement !== input) input.value = String(value);
  }

  /** One number input for each parameter of the chosen rule and sampler. */
  #reflectParameters() {
    const {model, request} = this.store, parameters = parametersOf(model, request);
    const key = `${model.hash} ${request.rule} ${request.sampler}`;
    if (key !== this.#parameterKey) {
      this.#parameterKey = key;
      this.parameters.replaceChildren(...parameters.map(each => this.#parameter(each)));
    }
    const inputs = all(this.parameters, 'input', HTMLInputElement);
    parameters.forEach((each, i) => this.#reflectText(inputs[i], request[each.name] ?? each.default));
  }

  /** @param {Parameter} parameter */
  #parameter({name, symbol, low, high, step, help}) {
    const label = text('label', ''), input = document.createElement('input');
    Object.assign(input, {type: 'number', name, min: low, max: high, step: step || 'any', autocomplete: 'off'});
    label.title = help;
    label.append(text('span', symbol), ' ', input);
    input.addEventListener('change', () => {
      this.events.change({[name]: input.value.trim() === '' ? this.#usual(name) : Number(input.value)});
    });
    return label;
  }

  /** @param {string} name of a parameter; an input that was emptied goes back to its default */
  #usual(name) {
    const {model, request} = this.store;
    return parametersOf(model, request).find(each => each.name === name)?.default ?? 0;
  }

  #listen() {
    const {change, move, settle} = this.events, {store} = this;
    const atThumb = () => Math.round(Number(this.w.value) * 10) / 10;
    this.w.addEventListener('input', () => move(atThumb()));
    this.w.addEventListener('change', () => settle(atThumb()));
    this.below.addEventListener('change', () => {
      store.below = this.below.checked;
      change(store.below ? {} : {w: Math.max(0, store.thumb)});
    });
    this.models.addEventListener('change', () => change({model: this.models.value}));
    this.rule.addEventListener('change', () => change({rule: this.rule.value}));
    this.sampler.addEventListener('change', () => {
      const chosen = store.model.samplers.find(each => each.name === this.sampler.value);
      change({sampler: this.sampler.value, steps: chosen?.steps ?? store.request.steps});
    });
    this.steps.addEventListener('change', () => change({steps: this.steps.value}));
    this.samples.addEventListener('change', () => change({samples: +this.samples.value}));
    this.seed.addEventListener('change', () => change({seed: this.seed.value}));
    one(this.lab, '.dice', HTMLElement).addEventListener('click', () => {
      this.seed.blur();
      change({seed: Math.floor(Math.random() * 10000)});
    });
  }
}
