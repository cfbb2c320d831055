// Which curves can be chosen, and under which names. No DOM.

import {say} from '../shared/language.js';

/** @typedef {import('./types.js').Curves} Curves */
/** @typedef {import('./types.js').Group} Group */
/** @typedef {import('./types.js').Model} Model */

/** Whether a group is of one model alone, which may be chosen. @param {Group} group */
const ofOneModel = ({main}) => main !== null;

/**
 * The models that have curves of their own: those on the page, in its order, then others.
 *
 * @param {Curves} found
 * @returns {Model[]}
 */
export function measuredModels(found) {
  const own = found.groups.filter(ofOneModel).map(({curves: [{hash = ''}]}) => hash);
  const ordered = found.models.map(({hash}) => hash).filter(hash => own.includes(hash));
  return [...new Set([...ordered, ...own])].map(hash => ({hash, title: titleOf(found, hash)}));
}

/**
 * The name of a model.
 *
 * @param {Curves} found
 * @param {string} hash
 */
export function titleOf({models, groups}, hash) {
  const title = models.find(each => each.hash === hash)?.title;
  const named = groups.flatMap(({curves}) => curves).find(curve => curve.hash === hash)?.model;
  return title ?? named?.split('/').at(-1) ?? hash;
}

/**
 * The groups that belong to a model: its own, then comparisons of others on the same data, under the names of these.
 *
 * @param {Curves} found
 * @param {string} model its hash
 * @returns {{group: Group, label: string}[]}
 */
export function groupsOf(found, model) {
  const own = found.groups.filter(({main, curves}) => (main === null ? curves.some(({hash}) => hash === model) : curves[0].hash === model));
  const data = own.find(ofOneModel)?.data;
  const others = found.groups.filter(group => !ofOneModel(group) && group.data === data && !own.includes(group));
  return [
    ...[...own.filter(ofOneModel), ...own.filter(group => !ofOneModel(group))].map(group => ({group, label: group.title})),
    ...others.map(group => ({group, label: say('tradeoff.of', {title: group.title, whose: whose(found, group)})})),
  ];
}

/**
 * Whose curves a group has: the name of the model, or how many models.
 *
 * @param {Curves} found
 * @param {Group} group
 */
export function whose(found, {curves}) {
  const hashes = [...new Set(curves.map(({hash = ''}) => hash))];
  return hashes.length === 1 ? titleOf(found, hashes[0]) : say('tradeoff.models', {count: hashes.length});
}

/**
 * The group that stands for a model.
 *
 * @param {Curves} found
 * @param {string} model its hash
 */
export const strengthOf = (found, model) => found.groups.find(({main, curves}) => main !== null && curves[0].hash === model) ?? null;
