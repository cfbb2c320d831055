// The scene in the address bar. Its fields stand there as toy2d_NAME; links of before have plane_NAME.

import {updateAddress} from '../shared/address.js';

/** @typedef {import('./types.js').Scene} Scene */

const PREFIX = 'toy2d_', FORMER = 'plane_';

/**
 * The fields of a scene that are not the default's; null for the others, and for those of former links.
 *
 * @param {Scene} scene
 * @param {Scene} usual
 * @returns {Record<string, string | null>}
 */
export function addressFields(scene, usual) {
  /** @param {[string, unknown]} field @returns {[string, string | null][]} */
  const field = ([name, value]) => {
    const same = JSON.stringify(value) === JSON.stringify(Reflect.get(usual, name));
    return [[FORMER + name, null], [PREFIX + name, same ? null : String(value)]];
  };
  return Object.fromEntries(Object.entries(scene).flatMap(field));
}

/** @param {Scene} scene @param {Scene} usual */
export const writeScene = (scene, usual) => updateAddress(addressFields(scene, usual));

/**
 * The scene's fields in a link: numbers where they are numbers, means as points.
 *
 * @param {string} query
 * @returns {Record<string, unknown>}
 */
export function linkedFields(query) {
  const given = [...new URLSearchParams(query)];
  const named = [FORMER, PREFIX].flatMap(prefix => given
    .filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), parsed(value)]));
  const fields = Object.fromEntries(named);
  if (typeof fields.means === 'string') {
    const numbers = parsed(`[${fields.means}]`);
    if (Array.isArray(numbers)) fields.means = pairs(numbers);
  }
  return fields;
}

/** @param {string} raw */
function parsed(raw) {
  try {
    return JSON.parse(raw);
  } catch {
    return raw;
  }
}

/** @param {unknown[]} numbers */
const pairs = numbers => Array.from({length: Math.ceil(numbers.length / 2)}, (_, n) => numbers.slice(2 * n, 2 * n + 2));
