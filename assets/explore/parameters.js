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
