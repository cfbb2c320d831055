// The parameters that rules and samplers declare, and which of them a request has. No DOM.

import {inWords} from './language.js';

/**
 * symbol: as formulas have it. low, high: its range. step: of its input. help: one line.
 *
 * @typedef {{
 *   name: string, symbol: string, low: number, high: number, default: number, step: number, help: string,
 * }} Parameter
 */

/**
 * claim: what its paper says of it. samplers: those that it may be used with, all where there is no such list. renoises:
 * whether its two predictions are not of one z, so that Langevin steps cannot follow its score.
 *
 * @typedef {{
 *   name: string, title: string, formula: string, claim?: string, paper?: {authors: string, url: string},
 *   samplers?: string[], renoises?: boolean, parameters?: Parameter[],
 * }} RuleDescription
 */

/**
 * diffuses: whether, at its usual parameters, it follows the reverse diffusion with all of its noise.
 *
 * @typedef {{name: string, title: string, steps: number, diffuses?: boolean, parameters?: Parameter[]}} SamplerDescription
 */

/** The rules and samplers that may be chosen. @typedef {{rules: RuleDescription[], samplers: SamplerDescription[]}} Offer */
/** What is chosen of them. @typedef {{rule: string, sampler: string}} Chosen */

/**
 * The parameters that the chosen rule and sampler have, those of the rule first.
 *
 * @param {Offer} offer
 * @param {Chosen} chosen
 * @returns {Parameter[]}
 */
export function parametersOf({rules, samplers}, {rule, sampler}) {
  const owners = [rules.find(each => each.name === rule), samplers.find(each => each.name === sampler)];
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
 * Whether a rule may be used with a sampler.
 *
 * @param {RuleDescription | undefined} rule
 * @param {string} sampler
 */
export const goesWith = (rule, sampler) => rule?.samplers?.includes(sampler) ?? true;

/**
 * The fields that choose a rule: with it another sampler, and its usual steps, where it does not go with the present one.
 *
 * @param {Offer} offer
 * @param {string} name of the rule
 * @param {string} sampler the present one
 * @returns {{rule: string, sampler?: string, steps?: number}}
 */
export function choosingRule({rules, samplers}, name, sampler) {
  const rule = rules.find(each => each.name === name);
  if (goesWith(rule, sampler)) return {rule: name};
  const other = samplers.find(each => goesWith(rule, each.name));
  return {rule: name, sampler: other?.name ?? sampler, steps: other?.steps};
}

/**
 * The names of all parameters that any rule or sampler has.
 *
 * @param {Offer} offer
 */
export function parameterNames({rules, samplers}) {
  return [...new Set([...rules, ...samplers].flatMap(owner => ownParameters(owner).map(each => each.name)))];
}

/**
 * Whether a request has the parameters that a curve was measured with; one that the request does not say is the curve's.
 *
 * @param {{[name: string]: number} | undefined} parameters
 * @param {{[field: string]: unknown}} request
 */
export function sameParameters(parameters, request) {
  return Object.entries(parameters ?? {}).every(([name, value]) => Number(request[name] ?? value) === value);
}

/**
 * A request without whatever is neither one of its own fields nor a parameter of its rule and sampler.
 *
 * @template {Chosen & {[field: string]: unknown}} T
 * @param {string[]} fields that every request has
 * @param {Offer} offer
 * @param {T} request
 * @returns {T}
 */
export function withOwnParameters(fields, offer, request) {
  const names = new Set([...fields, ...parametersOf(offer, request).map(each => each.name)]);
  return /** @type {T} */ (Object.fromEntries(Object.entries(request).filter(([name]) => names.has(name))));
}

/**
 * The rules and samplers, as the server describes them, in the language of the page.
 *
 * @template {Offer} T
 * @param {T} offer
 * @returns {T}
 */
export function offerInWords(offer) {
  /** @type {<U extends SamplerDescription | RuleDescription>(owner: U) => U} */
  const spoken = owner => ({...owner, title: inWords(owner.title), parameters: ownParameters(owner).map(each => ({...each, help: inWords(each.help)}))});
  const rules = offer.rules.map(rule => ({...spoken(rule), formula: inWords(rule.formula), claim: rule.claim && inWords(rule.claim)}));
  return {...offer, rules, samplers: offer.samplers.map(spoken)};
}
