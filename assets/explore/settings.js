// The settings: a list of what the grids are drawn with, each of which opens in place.

import {formula, number, one, text} from '../shared/dom.js';
import {say} from '../shared/language.js';
import {ParameterInputs} from '../shared/parameter_inputs.js';
import {choosingRule, goesWith, ownParameters} from '../shared/parameters.js';
import {belowZero} from '../shared/wording.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').GridRequest} GridRequest */

const SAMPLES = [1, 4, 8, 9, 16, 25, 36, 64];

export class Settings {
  /**
   * @param {HTMLElement} lab
   * @param {Store} store
   * @param {(fields: Partial<GridRequest>) => void} change ask for other fields
   */
  constructor(lab, store, change) {
    this.lab = lab;
    this.store = store;
    this.change = change;
    this.rule = one(lab, '.rule', HTMLSelectElement);
    this.below = one(lab, '.below', HTMLInputElement);
    this.sampler = one(lab, '.sampler', HTMLSelectElement);
    this.steps = one(lab, '.steps', HTMLInputElement);
    this.samples = one(lab, '.samples', HTMLSelectElement);
    this.ofRule = new ParameterInputs(one(lab, '.of-rule', HTMLElement), change);
    this.ofSampler = new ParameterInputs(one(lab, '.of-sampler', HTMLElement), change);
    this.samples.replaceChildren(...SAMPLES.map(n => new Option(String(n), String(n))));
    this.#listen();
  }

  /** What the model offers. */
  adopt() {
    const {model} = this.store;
    this.sampler.replaceChildren(...model.samplers.map(each => new Option(each.title, each.name)));
    this.rule.replaceChildren(...model.rules.map(each => new Option(each.title, each.name)));
    one(this.lab, '.rule-choice', HTMLElement).hidden = model.rules.length < 2;
    one(this.lab, '.about', HTMLElement).textContent = model.about;
  }

  /** Set the settings to the request, except an input that is being typed in. */
  reflect() {
    const {request, thumb, model, below} = this.store;
    const rule = model.rules.find(({name}) => name === request.rule);
    const sampler = model.samplers.find(({name}) => name === request.sampler);
    this.rule.value = request.rule;
    this.sampler.value = request.sampler;
    for (const option of this.sampler.options) option.disabled = !goesWith(rule, option.value);
    this.below.checked = below;
    one(this.lab, '.below-label', HTMLElement).replaceChildren(text('i', 'w'), ` ${belowZero(request.rule)}`);
    this.ofRule.reflect(ownParameters(rule), request);
    this.ofSampler.reflect(ownParameters(sampler), request);
    if (document.activeElement !== this.steps) this.steps.value = String(request.steps);
    const samples = String(request.samples);
    if (![...this.samples.options].some(option => option.value === samples)) this.samples.append(new Option(samples, samples));
    this.samples.value = samples;
    one(this.lab, '.each', HTMLElement).textContent = request.class === 'all' ? say('settings.each') : '';
    this.#summary('.rules', rule?.title ?? '', ...formula(rule?.formula ?? ''));
    this.#claim(rule);
    this.#summary('.samplers', `${sampler?.title ?? request.sampler}, ${say('grid.steps', {steps: request.steps})}`);
    one(this.lab, '.scale', HTMLElement).replaceChildren(...formula(`s = 1 + w = ${number(1 + thumb)}`));
  }

  /** After a refusal: also what is being typed is what is asked for. */
  restoreTyped() {
    const {model, request} = this.store;
    this.steps.value = String(request.steps);
    this.ofRule.reflect(ownParameters(model.rules.find(({name}) => name === request.rule)), request, true);
    this.ofSampler.reflect(ownParameters(model.samplers.find(({name}) => name === request.sampler)), request, true);
  }

  /** @param {string} setting @param {string} title @param {...(string | Node)} rest */
  #summary(setting, title, ...rest) {
    const small = document.createElement('small');
    small.append(...rest);
    one(this.lab, `${setting} summary b`, HTMLElement).replaceChildren(title, ...(rest.length ? [' ', small] : []));
  }

  /** What the rule's paper says of it. @param {import('../shared/parameters.js').RuleDescription | undefined} rule */
  #claim(rule) {
    const node = one(this.lab, '.claim', HTMLElement), link = text('a', rule?.paper?.authors ?? '');
    node.hidden = !rule?.claim;
    Object.assign(link, {href: rule?.paper?.url ?? '', target: '_blank', rel: 'noopener'});
    node.replaceChildren(link, `: ${rule?.claim ?? ''}.`);
  }

  #listen() {
    const {change, store} = this;
    this.below.addEventListener('change', () => {
      store.below = this.below.checked;
      change(store.below ? {} : {w: Math.max(0, store.thumb)});
    });
    this.rule.addEventListener('change', () => change(choosingRule(store.model, this.rule.value, store.request.sampler)));
    this.sampler.addEventListener('change', () => {
      const chosen = store.model.samplers.find(each => each.name === this.sampler.value);
      change({sampler: this.sampler.value, steps: chosen?.steps ?? store.request.steps});
    });
    this.steps.addEventListener('change', () => change({steps: this.steps.value}));
    this.samples.addEventListener('change', () => change({samples: +this.samples.value}));
  }
}
