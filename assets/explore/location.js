// The address of what Explore shows: true at every moment, with entries of its own in the browser's history.

import {updateAddress} from '../shared/address.js';
import {parameterNames} from '../shared/parameters.js';
import {onVisit} from '../shared/visit.js';
import {comparisonFields, comparisonOf} from './compare.js';
import {addressFields, requestFields} from './parameters.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').Comparison} Comparison */

const INTERVAL = 400;  // milliseconds between changes of the address while the thumb moves; browsers limit their number

export class Location {
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /** Look at the address: it may lead elsewhere by now. */ visited = () => {};

  /** @param {Store} store */
  constructor(store) {
    this.store = store;
  }

  /** What the address should say of this tab: the server's link, or what is asked for until it has answered. */
  get fields() {
    const {model, request, accepted, url, guided, thumb} = this.store;
    const fields = request === accepted ? addressFields(model, url) : requestFields(model, {...guided, w: thumb});
    return {...fields, ...comparisonFields(request.vs, parameterNames(model))};
  }

  /** @param {boolean} [entry] whether Back returns to what the address says now */
  update(entry) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    updateAddress(this.fields, entry);
  }

  /** The same, soon. */
  updateSoon() {
    this.#timer ??= setTimeout(() => this.update(), INTERVAL);
  }

  /**
   * Call a listener where the address leads to something else than is shown.
   *
   * @param {(w: number) => void} move called where it is the same but for w
   * @param {(query: Record<string, string>, vs: Comparison) => void} restore called with the query and its comparison
   */
  onVisit(move, restore) {
    this.visited = onVisit(() => this.fields, (query, differing) => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      const w = Number(query.w || NaN);
      if (String(differing) === 'w' && w >= (this.store.below ? -1 : 0) && w <= 8) move(w);
      else restore(query, comparisonOf(query));
    });
  }
}
