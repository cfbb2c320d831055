// The parameters of the chosen rule and sampler: which fields of a request they are. No DOM.

/** @typedef {import('./types.js').GridRequest} GridRequest */
/** @typedef {import('./types.js').ModelDescription} ModelDescription */
/** @typedef {import('./types.js').Parameter} Parameter */

/**
 * The parameters that a rule and a sampler of a model have, those of the rule first.
 *
 * @param {Pick<ModelDescription, 'rules' | 'samplers'>} model
 * @param {Pick<GridRequest, 'rule' | 'sampler'>} request
 * @returns {Parameter[]}
 */
export function parametersOf(model, {rule, sampler}) {
  const owners = [model.rules.find(each => each.name === rule), model.samplers.find(each => each.name === sampler)];
  return owners.flatMap(owner => owner?.parameters ?? []);
}

/**
 * The names of all parameters that any rule or sampler of a model has.
 *
 * @param {Pick<ModelDescription, 'rules' | 'samplers'>} model
 */
export function parameterNames(model) {
  return [...new Set([...model.rules, ...model.samplers].flatMap(owner => (owner.parameters ?? []).map(each => each.name)))];
}

/** The fields that every request has. */
export const FIELDS = ['model', 'class', 'w', 'seed', 'samples', 'sampler', 'steps', 'rule'];

/**
 * A request without the parameters that its rule and sampler do not have.
 *
 * @param {Pick<ModelDescription, 'rules' | 'samplers'>} model
 * @param {GridRequest} request
 * @returns {GridRequest}
 */
export function withOwnParameters(model, request) {
  const names = new Set([...FIELDS, ...parametersOf(model, request).map(each => each.name)]);
  const kept = {...request};
  for (const name of Object.keys(kept)) if (!names.has(name)) delete kept[name];
  return kept;
}

/**
 * The fields of a link for the address bar; a parameter that the link lacks is taken out there.
 *
 * @param {Pick<ModelDescription, 'rules' | 'samplers'>} model
 * @param {string} url the query that the server made of a request
 * @returns {Record<string, string | null>}
 */
export function addressFields(model, url) {
  const absent = Object.fromEntries(parameterNames(model).map(name => [name, null]));
  return {...absent, ...Object.fromEntries(new URLSearchParams(url))};
}
