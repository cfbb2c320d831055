// The sentences of the page about what it shows, as pure functions of the rule, the sampler, the model and the meters
// that are shown.

import {number} from './dom.js';
import {say} from './language.js';
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
  if (w === 0 && rule === BY_CLASSIFIER) return say('grid.by_classifier');
  if (w === 0) return say(UNGUIDED_AT_ZERO.has(rule) ? 'grid.unguided' : 'grid.at_zero');
  if (w === -1 && UNCONDITIONAL_BELOW.has(rule)) return say('grid.unconditional');
  return say('grid.guided');
}

/**
 * What the two figures above a grid mean.
 *
 * @param {boolean} several whether the grid is of several classes
 */
export function meterHelp(several) {
  return say(several ? 'meter.help_several' : 'meter.help');
}

/**
 * Where real pictures are from.
 *
 * @param {{data: string, licence: string}} real
 */
export const realCaption = ({data, licence}) => `${data} · ${say('grid.licence', {licence})}`;

/**
 * What the slider below 0 is for.
 *
 * @param {string} rule
 */
export function belowZero(rule) {
  if (rule === BY_CLASSIFIER) return say('below.by_classifier');
  return say(UNCONDITIONAL_BELOW.has(rule) ? 'below.way' : 'below.other');
}

/**
 * Whether a figure reads higher (1), lower (−1) or the same (0), in the digits that are shown of it.
 *
 * @param {number} before
 * @param {number} after
 * @param {number} digits
 */
const change = (before, after, digits) => Math.sign(Number(after.toFixed(digits)) - Number(before.toFixed(digits)));

/** Less, as much, more. */
const WAYS = ['less', 'same', 'more'];

/** @param {number} noises */
const fromNoises = noises => (noises === 1 ? say('noise.one') : say('noise.several', {noises}));

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
  const from = fromNoises(noises);
  if (w < 0) return belowSentence(rule, w, from);
  if (w === 0) return zeroSentence(rule);
  const paper = rule === 'cfg' && w >= 0.1 && w <= 0.3 ? ` ${say('said.paper')}` : '';
  const strength = say(w < 1 ? 'said.light' : w < 4 ? 'said.more' : 'said.strong');
  if (!meters) return [`${strength}.`, `${say('said.as_at_zero', {from, means: means(rule)})}${paper}`];
  const [before, after] = meters;
  const fidelity = change(before.fidelity, after.fidelity, 2), diversity = change(before.diversity, after.diversity, 1);
  const values = {from, thing, alike: say(`said.alike_${WAYS[diversity + 1]}`)};
  const lead = w < 1 || pictures === 1 || !diversity ? strength : say(diversity < 0 ? 'said.and_alike' : 'said.and_variety', {strength});
  return [`${lead}.`, `${say(`said.clear_${WAYS[fidelity + 1]}${pictures === 1 ? '_one' : ''}`, values)}${paper}`];
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
  const values = {w: number(w), from: fromNoises(noises), other: comparedWith};
  if (!meters) return [say('compared.lead', values), say('compared.rest', values)];
  const [left, right] = meters, fidelity = change(left.fidelity, right.fidelity, 2), diversity = change(left.diversity, right.diversity, 1);
  const clear = say(`compared.clear_${WAYS[fidelity + 1]}`), alike = say(`compared.alike_${WAYS[diversity + 1]}`);
  const lead = pictures === 1 ? clear : fidelity || diversity ? say('compared.both', {clear, alike}) : say('compared.equal');
  return [`${lead.charAt(0).toUpperCase()}${lead.slice(1)}.`, say('compared.against', values)];
}

/**
 * Where a server that was started again has no more of the model that a page showed.
 *
 * @param {import('../explore/types.js').Description} other the model that is shown from now on
 */
export function goneModel({model, models}) {
  const title = models.find(({hash}) => hash === model.hash)?.title ?? model.hash;
  return say('model.gone', {title});
}

/**
 * What w does under a rule, without a claim of what comes of it.
 *
 * @param {string} rule
 */
function means(rule) {
  if (['cfg', 'bayes', 'three_channels'].includes(rule)) {
    return `, ${say('said.along_the_way')}`;
  }
  if (rule === 'classifier' || rule === BY_CLASSIFIER) return `, ${say('said.along_the_gradient')}`;
  return '';
}

/** @param {string} rule @returns {Sentence} */
function zeroSentence(rule) {
  if (rule === BY_CLASSIFIER) {
    return [say('zero.by_classifier'), say('zero.by_classifier_rest')];
  }
  return UNGUIDED_AT_ZERO.has(rule) ? [say('zero.unguided'), say('zero.unguided_rest')] : [say('zero.same'), say('zero.same_rest')];
}

/** @param {string} rule @param {number} w @param {string} from @returns {Sentence} */
function belowSentence(rule, w, from) {
  const own = UNCONDITIONAL_BELOW.has(rule), zero = say(rule === BY_CLASSIFIER ? 'below.zero_by_classifier' : 'below.zero');
  if (own && w === -1) return [say('below.no_class'), say('below.no_class_rest')];
  if (own) return [say('below.on_the_way'), say('below.between', {zero, from})];
  if (rule === 'classifier') return [say('below.away'), say('below.away_rest', {from})];
  return [say('below.none'), say('below.none_rest', {w: number(w), from})];
}

/**
 * On which side of the measured w, in ascending order, w lies; nothing where it lies among them.
 *
 * @param {number[]} measured
 * @param {number} w
 */
export function beyond(measured, w) {
  const [first] = measured, last = measured[measured.length - 1];
  if (w > last) return say('curve.up_to', {w: number(last)});
  return w < first ? say('curve.from', {w: number(first)}) : '';
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
  const settings = `${sampler}, ${say('grid.steps', {steps: curve.steps})}${curve.rule === request.rule ? '' : `, ${rule}`}`;
  const label = dot ? say('curve.label', {w: number(request.w)}) : say('curve.label_other');
  return {dot, label, note: dot ? '' : say('curve.measured_with', {settings})};
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
    none: say('tradeoff.dot_none'), exact: note || say('tradeoff.dot_exact'),
    'other settings': [note, say('tradeoff.dot_other')].filter(Boolean).join('; '),
  }[found];
  return say('tradeoff.dot', {w: number(w), sampler, steps, where});
}
