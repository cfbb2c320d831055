// A number input for each parameter of a rule or a sampler, made from its declaration.

import {all, formula, text} from './dom.js';

/** @typedef {import('./parameters.js').Parameter} Parameter */

export class ParameterInputs {
  #declared = '';

  /**
   * @param {HTMLElement} node
   * @param {(fields: Record<string, number>) => void} change
   */
  constructor(node, change) {
    this.node = node;
    this.change = change;
  }

  /**
   * Show these parameters as a request has them, except in an input that is being typed in.
   *
   * @param {Parameter[]} parameters
   * @param {{[field: string]: unknown}} request
   * @param {boolean} [everything] in that input too
   */
  reflect(parameters, request, everything = false) {
    const declared = JSON.stringify(parameters);
    if (declared !== this.#declared) {
      this.#declared = declared;
      this.node.replaceChildren(...parameters.map(each => this.#label(each)));
    }
    all(this.node, 'input', HTMLInputElement).forEach((input, i) => {
      const {name, default: usual} = parameters[i];
      if (everything || document.activeElement !== input) input.value = String(request[name] ?? usual);
    });
  }

  /** @param {Parameter} parameter */
  #label({name, symbol, low, high, step, help, default: usual}) {
    const label = text('label', ''), sign = text('span', ''), input = document.createElement('input');
    Object.assign(input, {type: 'number', name, min: low, max: high, step: step || 'any', autocomplete: 'off'});
    label.title = help;
    sign.append(...formula(symbol));
    label.append(sign, ' ', input);
    input.addEventListener('change', () => {  // one that was emptied goes back to its default
      this.change({[name]: input.value.trim() === '' ? usual : Number(input.value)});
    });
    return label;
  }
}
