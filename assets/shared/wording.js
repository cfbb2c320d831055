// The sentences of the page about what it shows, as pure functions of the rule, the sampler, the model and the meters
// that are shown.

import {number} from './dom.js';
import {sameParameters} from './parameters.js';

/** @typedef {import('../explore/types.js').PlainRequest} PlainRequest */
/** @typedef {import('../explore/types.js').MeasuredCurve} MeasuredCurve */
/** @typedef {import('../explore/types.js').Meter} Meter */
/** @typedef {import('../explore/types.js').ModelDescription} ModelDescription */

/** A statement and what explains it. @typedef {[strong: string, rest: string]} Sentence */

/** Rules that at w = 0 are the conditional model as it was trained. */
const UNGUIDED_AT_ZERO = new Set(['cfg', 'classifier', 'bayes', 'three_channels', 'interval', 'autoguidance']);

/** Rules that at w = −1 are the unconditional model, all of it. */
const UNCONDITIONAL_BELOW = new Set(['cfg', 'bayes', 'classifier_unconditional']);

const BY_CLASSIFIER = 'classifier_unconditional';

/**
 * What stands above a grid.
 *
 * @param {string} rule
 * @param {number} w of the pictures
 */
export function gridTitle(rule, w) {
  if (w === 0 && rule === BY_CLASSIFIER) return 'classifier at strength 1';
  if (w === 0) return UNGUIDED_AT_ZERO.has(rule) ? 'unguided' : 'at w = 0';
  if (w === -1 && UNCONDITIONAL_BELOW.has(rule)) return 'unconditional';
  return 'guided';
}

/**
 * What the two figures above a grid mean.
 *
 * @param {boolean} several whether the grid is of several classes
 */
export function meterHelp(several) {
  const which = several ? 'its class' : 'the class';
  return `Sure: how sure a separate classifier is of ${which}, mean p(c|x). Differ: how many of the pictures count as `
    + 'different to it (Vendi score).';
}

/**
 * Where real pictures are from.
 *
 * @param {{data: string, licence: string}} real
 */
export const realCaption = ({data, licence}) => `${data} · licence ${licence}`;

/**
 * What the slider below 0 is for.
 *
 * @param {string} rule
 */
export function belowZero(rule) {
  if (rule === BY_CLASSIFIER) return 'from −1: the way from unconditional to the classifier at strength 1';
  if (UNCONDITIONAL_BELOW.has(rule)) return 'from −1: the way from unconditional to conditional';
  return 'from −1: below no guidance';
}

/**
 * Whether a figure reads higher (1), lower (−1) or the same (0), in the digits that are shown of it.
 *
 * @param {number} before
 * @param {number} after
 * @param {number} digits
 */
const change = (before, after, digits) => Math.sign(Number(after.toFixed(digits)) - Number(before.toFixed(digits)));

/**
 * What the grids show, beside the one at w = 0 from the same noises.
 *
 * w: of the guided grid that is shown. thing: what one picture is of. pictures: of one grid. noises: samples of each
 * class. meters: of both grids, null where one of them is not shown.
 *
 * @param {{rule: string, w: number, thing: string, pictures: number, noises: number, meters: [Meter, Meter] | null}} shown
 * @returns {Sentence}
 */
export function gridSentence({rule, w, thing, pictures, noises, meters}) {
  const from = noises === 1 ? 'the same noise' : `the same ${noises} noises`;
  if (w < 0) return belowSentence(rule, w, from);
  if (w === 0) return zeroSentence(rule);
  const paper = rule === 'cfg' && w >= 0.1 && w <= 0.3 ? ' The paper finds its best FID here, on ImageNet.' : '';
  const strength = w < 1 ? 'A light touch' : w < 4 ? 'More guidance' : 'Strong guidance';
  if (!meters) return [`${strength}.`, `From ${from} as at w = 0${means(rule)}.${paper}`];
  const [before, after] = meters;
  const fidelity = change(before.fidelity, after.fidelity, 2), diversity = change(before.diversity, after.diversity, 1);
  const clear = {'1': 'becomes clearer', '0': 'is as clear as at w = 0', '-1': 'becomes less clear'}[fidelity];
  const alike = {'1': 'they become more different', '0': 'they are as different', '-1': 'they become more similar'}[diversity];
  const lead = w < 1 || pictures === 1 || !diversity ? strength : `${strength}, more ${diversity < 0 ? 'alike' : 'variety'}`;
  return [`${lead}.`, `From ${from}: each ${thing} ${clear}${pictures === 1 ? '' : `, and ${alike}`}.${paper}`];
}

/**
 * What the grids show, where the left one is something else than the unguided grid.
 *
 * comparedWith: what the left grid is; the rest as for ``gridSentence``.
 *
 * @param {{w: number, pictures: number, noises: number, meters: [Meter, Meter] | null, comparedWith: string}} shown
 * @returns {Sentence}
 */
export function comparisonSentence({w, pictures, noises, meters, comparedWith}) {
  const from = noises === 1 ? 'the same noise' : `the same ${noises} noises`;
  if (!meters) return [`w = ${number(w)}, compared.`, `From ${from} as ${comparedWith}.`];
  const [left, right] = meters, fidelity = change(left.fidelity, right.fidelity, 2), diversity = change(left.diversity, right.diversity, 1);
  const clear = {'1': 'clearer', '0': 'as clear', '-1': 'less clear'}[fidelity] ?? '';
  const alike = {'1': 'more different', '0': 'as different', '-1': 'more alike'}[diversity] ?? '';
  const [first, ...others] = pictures === 1 ? [clear] : fidelity || diversity ? [clear, alike] : ['equally clear', 'as different'];
  const lead = `${first.charAt(0).toUpperCase()}${first.slice(1)}${others.length ? `, and ${others[0]}` : ''}.`;
  return [lead, `The right grid, at w = ${number(w)}, against ${comparedWith}, from ${from}.`];
}

/**
 * Where a server that was started again has no more of the model that a page showed.
 *
 * @param {import('../explore/types.js').Description} other the model that is shown from now on
 */
export function goneModel({model, models}) {
  const title = models.find(({hash}) => hash === model.hash)?.title ?? model.hash;
  return `The model that was shown is no longer on the server; this is ${title}.`;
}

/**
 * What w does under a rule, without a claim of what comes of it.
 *
 * @param {string} rule
 */
function means(rule) {
  if (['cfg', 'bayes', 'three_channels'].includes(rule)) {
    return ', each prediction goes on along the way from no class to the class';
  }
  if (rule === 'classifier' || rule === BY_CLASSIFIER) return ', each prediction follows the gradient of the classifier';
  return '';
}

/** @param {string} rule @returns {Sentence} */
function zeroSentence(rule) {
  if (rule === BY_CLASSIFIER) {
    return ['The classifier alone.', 'At w = 0 both grids are the unconditional model, guided by the classifier at strength 1: the same pictures twice.'];
  }
  if (!UNGUIDED_AT_ZERO.has(rule)) return ['The same twice.', 'At w = 0 both grids are the same pictures.'];
  return ['No guidance.', 'At w = 0 both grids are the conditional model as it was trained: the same pictures twice.'];
}

/** @param {string} rule @param {number} w @param {string} from @returns {Sentence} */
function belowSentence(rule, w, from) {
  const own = UNCONDITIONAL_BELOW.has(rule), zero = rule === BY_CLASSIFIER ? 'the classifier at strength 1' : 'conditional';
  if (own && w === -1) {
    return ['No class at all.', 'At w = −1 only the unconditional model is used: the right grid has no class.'];
  }
  if (own) return ['On the way to the class.', `Between unconditional (w = −1) and ${zero} (w = 0), from ${from}.`];
  if (rule === 'classifier') return ['Away from the class.', `Below 0 the classifier guides away from its class, from ${from}.`];
  return ['Below no guidance.', `w = ${number(w)}, from ${from}.`];
}

/**
 * On which side of the measured w, in ascending order, w lies; nothing where it lies among them.
 *
 * @param {number[]} measured
 * @param {number} w
 */
export function beyond(measured, w) {
  const [first] = measured, last = measured[measured.length - 1];
  if (w > last) return `measured up to w = ${number(last)}`;
  return w < first ? `measured from w = ${number(first)}` : '';
}

/**
 * The small trade-off curve: whether what is shown is on it, and its note. A curve belongs to one rule, one sampler and
 * its steps, and to their parameters.
 *
 * @param {Pick<ModelDescription, 'rules' | 'samplers'>} model
 * @param {MeasuredCurve} curve
 * @param {PlainRequest} request
 */
export function curveOf(model, curve, request) {
  const same = (/** @type {string} */ name) => String(Reflect.get(curve, name)) === String(request[name]);
  const dot = ['rule', 'sampler', 'steps'].every(same) && sameParameters(curve.parameters, request);
  const rule = model.rules.find(each => each.name === curve.rule)?.title ?? curve.rule;
  const sampler = model.samplers.find(each => each.name === curve.sampler)?.title ?? curve.sampler;
  const settings = `${sampler}, ${curve.steps} steps${curve.rule === request.rule ? '' : `, ${rule}`}`;
  const label = dot ? `FID against Inception Score over w, at w = ${number(request.w)}`
    : 'FID against Inception Score over w, of other settings than these';
  return {dot, label, note: dot ? '' : `Measured with ${settings}.`};
}

/**
 * What Explore shows, and where the dot of the Trade-off tab is.
 *
 * @param {{w: number, sampler: string, steps: string | number}} now w and what Explore draws with, in words
 * @param {'exact' | 'other settings' | 'none'} found whether there is a curve of the settings, of the model, or none
 * @param {string} note where the dot is on its curve
 */
export function dotSentence({w, sampler, steps}, found, note) {
  const where = {
    none: 'no curve here is of it', exact: note || 'the dot',
    'other settings': `${note ? note + '; ' : ''}the dot is on the first curve of the model, for these settings were not measured`,
  }[found];
  return `Explore shows w = ${number(w)}, ${sampler}, ${steps} steps: ${where}.`;
}
