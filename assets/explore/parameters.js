// Which fields of a request of Explore are parameters, and how they stand in its address. No DOM.

import {parameterNames, parametersOf} from '../shared/parameters.js';

/** @typedef {import('../shared/parameters.js').Offer} Offer */
/** @typedef {import('./types.js').PlainRequest} PlainRequest */

/** The fields that every request of the page has, whatever its rule and its sampler. */
export const FIELDS = ['model', 'class', 'w', 'seed', 'samples', 'sampler', 'steps', 'rule', 'vs'];

/**
 * The fields of a request for the address bar, before the server has written its link.
 *
 * @param {Offer} offer
 * @param {PlainRequest} request
 * @returns {Record<string, string | null>}
 */
export function requestFields(offer, request) {
  const own = parametersOf(offer, request).filter(each => Number(request[each.name] ?? each.default) !== each.default);
  const names = [...FIELDS.filter(name => name !== 'vs'), ...own.map(each => each.name)];
  const absent = Object.fromEntries(parameterNames(offer).map(name => [name, null]));
  return {...absent, ...Object.fromEntries(names.map(name => [name, String(request[name])]))};
}

/**
 * The fields of a link for the address bar; a parameter that the link lacks is taken out there.
 *
 * @param {Offer} offer
 * @param {string} url the query that the server made of a request
 * @returns {Record<string, string | null>}
 */
export function addressFields(offer, url) {
  const absent = Object.fromEntries(parameterNames(offer).map(name => [name, null]));
  return {...absent, ...Object.fromEntries(new URLSearchParams(url))};
}

/**
 * The request of an address that has all fields of one of this model, as the page writes them; null for any other, which
 * the server reads.
 *
 * @param {Offer & {hash: string, classes: string[]}} model
 * @param {Record<string, string>} query
 * @returns {PlainRequest | null}
 */
export function requestOf(model, query) {
  const {model: hash, class: label, rule, sampler} = query, chosen = {rule, sampler};
  const known = model.rules.some(({name}) => name === rule) && model.samplers.some(({name}) => name === sampler);
  if (hash !== model.hash || !known || (label !== 'all' && !model.classes[Number(label || NaN)])) return null;
  const parameters = parametersOf(model, chosen).map(each => [each.name, query[each.name] ?? String(each.default)]);
  const texts = Object.fromEntries([...['w', 'seed', 'samples', 'steps'].map(name => [name, query[name] ?? '']), ...parameters]);
  if (Object.values(texts).some(text => text.trim() === '' || !Number.isFinite(Number(text)))) return null;
  const numbers = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Number(text)]));
  return /** @type {PlainRequest} */ ({model: hash, class: label === 'all' ? label : Number(label), ...chosen, ...numbers});
}
