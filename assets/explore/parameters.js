// The parameters of the chosen rule and sampler: which fields of a request they are. No DOM.

/** @typedef {import('./types.js').ModelDescription} ModelDescription */
/** @typedef {import('./types.js').Parameter} Parameter */
/** @typedef {import('./types.js').PlainRequest} PlainRequest */

/**
 * The parameters that a rule and a sampler of a model have, those of the rule first.
 *
 * @param {Pick<ModelDescription, 'rules' | 'samplers'>} model
 * @param {Pick<PlainRequest, 'rule' | 'sampler'>} request
 * @returns {Parameter[]}
 */
export function parametersOf(model, {rule, sampler}) {
  const owners = [model.rules.find(each => each.name === rule), model.samplers.find(each => each.name === sampler)];
  return owners.flatMap(ownParameters);
}

/**
 * The parameters of one rule or sampler.
 *
 * @param {{parameters?: Parameter[]} | undefined} owner
 * @returns {Parameter[]}
 */
export const ownParameters = owner => owner?.parameters ?? [];

/**
 * The names of all parameters that any rule or sampler of a model has.
 *
 * @param {Pick<ModelDescription, 'rules' | 'samplers'>} model
 */
export function parameterNames(model) {
  return [...new Set([...model.rules, ...model.samplers].flatMap(owner => (owner.parameters ?? []).map(each => each.name)))];
}

/** The fields that every request of the page has. */
export const FIELDS = ['model', 'class', 'w', 'seed', 'samples', 'sampler', 'steps', 'rule', 'vs'];

/**
 * A request without the parameters that its rule and sampler do not have.
 *
 * @param {Pick<ModelDescription, 'rules' | 'samplers'>} model
 * @template {PlainRequest} R
 * @param {R} request
 * @returns {R}
 */
export function withOwnParameters(model, request) {
  const names = new Set([...FIELDS, ...parametersOf(model, request).map(each => each.name)]);
  const kept = {...request};
  for (const name of Object.keys(kept)) if (!names.has(name)) delete kept[name];
  return kept;
}

/**
 * The fields of a request for the address bar, before the server has written its link.
 *
 * @param {Pick<ModelDescription, 'rules' | 'samplers'>} model
 * @param {PlainRequest} request
 * @returns {Record<string, string | null>}
 */
export function requestFields(model, request) {
  const own = parametersOf(model, request).filter(each => Number(request[each.name] ?? each.default) !== each.default);
  const names = [...FIELDS.filter(name => name !== 'vs'), ...own.map(each => each.name)];
  const absent = Object.fromEntries(parameterNames(model).map(name => [name, null]));
  return {...absent, ...Object.fromEntries(names.map(name => [name, String(request[name])]))};
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
