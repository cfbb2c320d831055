// The menu behind the left grid's title: what the right grid is compared with.

import {one} from '../shared/dom.js';
import {ParameterInputs} from '../shared/parameter_inputs.js';
import {choosingRule, goesWith, parametersOf} from '../shared/parameters.js';
import {follows, referenceOf, referenceTitle} from './compare.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').Comparison} Comparison */
/** @typedef {import('./types.js').Description} Description */
/** @typedef {import('./types.js').GridRequest} GridRequest */

export class ComparisonMenu {
  /** @type {Description['models']} */ #models = [];

  /**
   * @param {HTMLElement} pane the left one
   * @param {Store} store
   * @param {(fields: Partial<GridRequest>) => void} change ask for other fields
   */
  constructor(pane, store, change) {
    this.pane = pane;
    this.store = store;
    this.details = one(pane, '.compare', HTMLDetailsElement);
    this.rule = one(pane, '.vs-rule', HTMLSelectElement);
    this.sampler = one(pane, '.vs-sampler', HTMLSelectElement);
    this.steps = one(pane, '.vs-steps', HTMLInputElement);
    this.model = one(pane, '.vs-model', HTMLSelectElement);
    this.w = one(pane, '.vs-w', HTMLInputElement);
    this.same = one(pane, '.vs-same', HTMLInputElement);
    /** @param {Comparison} fields */
    const compare = fields => change({vs: {...store.request.vs, ...fields}});
    this.parameters = new ParameterInputs(one(pane, '.vs-parameters', HTMLElement), compare);
    this.#listen(change, compare);
  }

  /**
   * What the model can be compared with.
   *
   * @param {Description['models']} models
   */
  adopt(models) {
    const {model} = this.store, classes = model.classes.join('\n');
    this.#models = models.filter(each => each.hash === model.hash || (!model.remote && each.classes.join('\n') === classes));
    this.model.replaceChildren(...this.#models.map(({title, hash}) => new Option(title, hash)));
    this.rule.replaceChildren(...model.rules.map(each => new Option(each.title, each.name)));
    this.sampler.replaceChildren(...model.samplers.map(each => new Option(each.title, each.name)));
    for (const select of [this.model, this.rule, this.sampler]) {
      if (select.parentElement) select.parentElement.hidden = select.options.length < 2;
    }
  }

  /** Show what is compared with. */
  reflect() {
    const {store} = this, {model, request} = store, other = referenceOf(model, request), {vs} = request;
    this.rule.value = String(other.rule);
    this.sampler.value = String(other.sampler);
    const rule = model.rules.find(({name}) => name === other.rule);
    for (const option of this.sampler.options) option.disabled = !goesWith(rule, option.value);
    this.model.value = String(other.model);
    if (document.activeElement !== this.steps) this.steps.value = String(other.steps);
    this.same.checked = follows(vs);
    this.same.disabled = Object.keys(vs).every(name => name === 'w');
    this.w.disabled = follows(vs);
    if (document.activeElement !== this.w) this.w.value = String(other.w);
    this.parameters.reflect(parametersOf(model, other), other);
  }

  /** What stands above the left grid. */
  get title() {
    return referenceTitle(this.store.model, this.#models, this.store.request);
  }

  /**
   * @param {(fields: Partial<GridRequest>) => void} change
   * @param {(fields: Comparison) => void} compare
   */
  #listen(change, compare) {
    const {store} = this;
    this.rule.addEventListener('change', () => {
      compare(choosingRule(store.model, this.rule.value, String(referenceOf(store.model, store.request).sampler)));
    });
    this.sampler.addEventListener('change', () => compare({sampler: this.sampler.value}));
    this.steps.addEventListener('change', () => compare({steps: this.steps.value}));
    this.model.addEventListener('change', () => compare({model: this.model.value}));
    this.w.addEventListener('change', () => compare({w: Number(this.w.value)}));
    this.same.addEventListener('change', () => {
      const {w, ...others} = store.request.vs;
      change({vs: this.same.checked ? others : {...others, w: store.thumb}});
    });
    one(this.pane, '.vs-unguided', HTMLButtonElement).addEventListener('click', () => {
      change({vs: {}});
      this.details.open = false;
    });
    document.addEventListener('pointerdown', event => {
      if (event.target instanceof Node && !this.details.contains(event.target)) this.details.open = false;
    });
    this.details.addEventListener('keydown', event => {
      if (event.key !== 'Escape') return;
      this.details.open = false;
      one(this.details, 'summary', HTMLElement).focus();
    });
  }
}
