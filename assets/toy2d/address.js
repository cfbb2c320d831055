// The scene in the address bar. Its fields stand there as toy2d_NAME; links of before have plane_NAME.

import {updateAddress} from '../shared/address.js';
import {parameterNames, parametersOf} from '../shared/parameters.js';

/** @typedef {import('./types.js').Constants} Constants */
/** @typedef {import('./types.js').Scene} Scene */

const PREFIX = 'toy2d_', FORMER = 'plane_';

/** Whether w and the class are those of Explore, whose own fields hold them. @typedef {import('./wording.js').Follows} Follows */

/**
 * The fields of a scene that are not the default's, and w and the class where they are not Explore's; null for the others, for parameters that the scene does not have, and
 * for those of former links.
 *
 * @param {Scene} scene
 * @param {Pick<Constants, 'DEFAULT' | 'OFFER'>} constants
 * @param {Follows} follows
 * @returns {Record<string, string | null>}
 */
export function addressFields(scene, {DEFAULT, OFFER}, follows) {
  const declared = parametersOf(OFFER, scene).map(each => [each.name, each.default]);
  const usual = {...DEFAULT, ...Object.fromEntries(declared)};
  /** @param {string} name @returns {[string, string | null][]} */
  const field = name => {
    const value = scene[name], usually = JSON.stringify(value) === JSON.stringify(usual[name]);
    const same = name === 'w' || name === 'class' ? follows[name] : usually;
    return [[FORMER + name, null], [PREFIX + name, same || value === undefined ? null : String(value)]];
  };
  return Object.fromEntries([...Object.keys(scene), ...parameterNames(OFFER)].flatMap(field));
}

/** @param {Scene} scene @param {Pick<Constants, 'DEFAULT' | 'OFFER'>} constants @param {Follows} follows */
export const writeScene = (scene, constants, follows) => updateAddress(addressFields(scene, constants, follows));

/**
 * The scene's fields in a link: numbers where they are numbers, means as points, owners as a list.
 *
 * @param {string} query
 * @returns {Record<string, unknown>}
 */
export function linkedFields(query) {
  const given = [...new URLSearchParams(query)];
  const named = [FORMER, PREFIX].flatMap(prefix => given
    .filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), parsed(value)]));
  const fields = Object.fromEntries(named);
  for (const name of ['means', 'owners'].filter(each => each in fields)) {
    const numbers = parsed(`[${fields[name]}]`);
    if (Array.isArray(numbers)) fields[name] = name === 'means' ? pairs(numbers) : numbers;
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
