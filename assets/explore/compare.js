// What the left grid shows: the guided request with some fields of its own, from the same noise. No DOM.
//
// A request keeps these fields in `vs`: `{}` is the unguided grid; `{w: 1}` another w; with any other field, but without
// w, the left grid is drawn at the w of the slider.

import {number} from '../shared/dom.js';
import {ownParameters, withOwnParameters} from '../shared/parameters.js';
import {say} from '../shared/language.js';
import {gridTitle} from '../shared/wording.js';
import {FIELDS} from './parameters.js';

/** @typedef {import('./types.js').Comparison} Comparison */
/** @typedef {import('./types.js').Description} Description */
/** @typedef {import('./types.js').GridRequest} GridRequest */
/** @typedef {import('./types.js').ModelDescription} ModelDescription */
/** @typedef {import('./types.js').PlainRequest} PlainRequest */

const PREFIX = 'vs_';

/**
 * Whether the left grid follows the slider: something else than w is compared, and no w was fixed.
 *
 * @param {Comparison} vs
 */
export const follows = vs => Object.keys(vs).length > 0 && vs.w === undefined;

/**
 * The w of the left grid where the slider is at w.
 *
 * @param {Comparison} vs
 * @param {number} w
 */
export const referenceW = (vs, w) => (follows(vs) ? w : Number(vs.w ?? 0));

/**
 * The request of the left grid.
 *
 * @param {Pick<ModelDescription, 'rules' | 'samplers'>} model
 * @param {GridRequest} request of the right grid
 * @returns {PlainRequest}
 */
export function referenceOf(model, request) {
  const {vs, ...fields} = request, sampler = model.samplers.find(each => each.name === vs.sampler);
  const steps = vs.steps ?? (sampler && vs.sampler !== request.sampler ? sampler.steps : request.steps);
  return withOwnParameters(FIELDS, model, /** @type {PlainRequest} */ ({...fields, ...vs, steps, w: referenceW(vs, request.w)}));
}

/**
 * The comparison without what is equal on both sides.
 *
 * @param {GridRequest} request
 * @param {Comparison} vs
 * @returns {Comparison}
 */
export function withoutEqual(request, vs) {
  const differing = Object.entries(vs).filter(([name, value]) => name === 'w' || String(request[name]) !== String(value));
  return Object.fromEntries(differing);
}

/**
 * What stands above the left grid.
 *
 * @param {ModelDescription} model
 * @param {Description['models']} models
 * @param {GridRequest} request
 */
export function referenceTitle(model, models, request) {
  const {vs} = request, other = referenceOf(model, request);
  const parts = [];
  if (vs.model !== undefined) parts.push(models.find(each => each.hash === vs.model)?.title ?? say('compared.another_model'));
  if (vs.rule !== undefined) parts.push(model.rules.find(each => each.name === vs.rule)?.title ?? vs.rule);
  if (vs.sampler !== undefined) parts.push(model.samplers.find(each => each.name === vs.sampler)?.title ?? vs.sampler);
  if (vs.sampler !== undefined || vs.steps !== undefined) parts.push(say('grid.steps', {steps: other.steps}));
  for (const owner of [...model.rules, ...model.samplers]) {
    for (const {name, symbol} of ownParameters(owner)) if (vs[name] !== undefined) parts.push(`${symbol} = ${number(Number(vs[name]))}`);
  }
  return parts.length ? [...new Set(parts)].join(', ') : gridTitle(String(other.rule), other.w);
}

/**
 * The comparison in a link.
 *
 * @param {Record<string, string>} query
 * @returns {Comparison}
 */
export function comparisonOf(query) {
  const own = Object.entries(query).filter(([name, value]) => name.startsWith(PREFIX) && value !== '');
  return Object.fromEntries(own.map(([name, value]) => [name.slice(PREFIX.length), Number.isFinite(+value) ? +value : value]));
}

/**
 * The fields of a link for a comparison; null takes a field out of the address bar.
 *
 * @param {Comparison} vs
 * @param {string[]} parameters names of all parameters there are
 * @returns {Record<string, string | null>}
 */
export function comparisonFields(vs, parameters) {
  const names = ['model', 'w', 'rule', 'sampler', 'steps', ...parameters];
  return Object.fromEntries(names.map(name => [PREFIX + name, vs[name] === undefined ? null : String(vs[name])]));
}
