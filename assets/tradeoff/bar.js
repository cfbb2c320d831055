// The choices of the Trade-off tab: the model, which of its curves, and what they are compared with.

import {one, text} from '../shared/dom.js';
import {say} from '../shared/language.js';
import {strengthOf} from './selection.js';

/** @typedef {import('./types.js').Curves} Curves */
/** @typedef {import('./types.js').Group} Group */
/** @typedef {import('./types.js').Model} Model */

export class Bar {
  /**
   * @param {HTMLElement} lab
   * @param {Curves} found
   * @param {Model[]} models that have curves
   * @param {{[choice in 'model' | 'group' | 'compared']: (value: string) => void}} pick
   */
  constructor(lab, found, models, pick) {
    this.found = found;
    this.models = models;
    this.pick = pick;
    this.model = one(lab, '.model-measured', HTMLSelectElement);
    this.groups = one(lab, '.groups', HTMLElement);
    this.compared = one(lab, '.compared', HTMLSelectElement);
    this.model.replaceChildren(...models.map(({hash, title}) => new Option(title, hash)));
    one(lab, '.of', HTMLElement).hidden = models.length < 2;
    this.model.addEventListener('change', () => pick.model(this.model.value));
    this.compared.addEventListener('change', () => pick.compared(this.compared.value));
  }

  /** @param {{model: string, groups: {group: Group, label: string}[], group: Group | null, compared: string}} shown */
  reflect({model, groups, group: chosen, compared}) {
    this.model.value = model;
    const focused = this.groups.contains(document.activeElement);
    this.groups.replaceChildren(...groups.map(({group, label}) => {
      const node = document.createElement('label'), input = document.createElement('input');
      Object.assign(input, {type: 'radio', name: 'tradeoff_group', value: group.name, checked: group === chosen});
      input.addEventListener('change', () => this.pick.group(group.name));
      node.append(input, text('span', label));
      return node;
    }));
    if (focused) one(this.groups, ':checked', HTMLInputElement).focus();
    const {found, models} = this, others = models.flatMap(({hash, title}) => {
      const group = hash === model ? null : strengthOf(found, hash);
      return group ? [new Option(title, group.name)] : [];
    });
    this.compared.replaceChildren(
      ...(groups.length ? [new Option(say('tradeoff.nothing'), '')] : []), ...part(say('compared.another_model'), others),
      ...part(say('tradeoff.paper'), found.tables.map(({name, title}) => new Option(title, name))),
    );
    this.compared.value = compared;
  }
}

/** @param {string} label @param {HTMLOptionElement[]} options */
function part(label, options) {
  const group = Object.assign(document.createElement('optgroup'), {label});
  group.append(...options);
  return options.length ? [group] : [];
}
