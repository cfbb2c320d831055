// The sentences of the tab "Inside a step", as pure functions of the figures that are shown.

import {fixed, number} from '../shared/dom.js';

/** @typedef {import('../shared/wording.js').Sentence} Sentence */
/** @typedef {import('./types.js').View} View */

/** The letter of a prediction. @param {View} view */
export const symbol = view => (view === 'x' ? 'x̂' : 'ε̂');

/** Three significant digits. @param {number} value */
export const figure = value => number(Number(value.toPrecision(3)));

/**
 * What is seen at one step of one sample.
 *
 * thing: the class. norms: of the difference at each step of this sample. acts: whether w changes the prediction at this
 * step. linear: whether it does so by eq. 6. moved: how far the guided prediction is from the conditional, null where it
 * is not known yet.
 *
 * @param {{
 *   view: View, thing: string, step: number, logSnrs: number[], norms: number[], acts: boolean, linear: boolean, w: number,
 *   moved: number | null,
 * }} shown
 * @returns {Sentence}
 */
export function stepSentence({view, thing, step, logSnrs, norms, acts, linear, w, moved}) {
  const most = Math.max(...norms), here = norms[step - 1], share = most ? here / most : 0, at = norms.indexOf(most);
  const much = at === step - 1 ? 'most' : share >= 0.5 ? 'much' : share >= 0.15 ? 'a little' : 'hardly anything';
  const where = at === step - 1 ? 'the most on this way'
    : `${share < 0.01 ? 'less than 1' : Math.round(100 * share)} % of the most, at λ = ${fixed(logSnrs[at])}`;
  const apart = `The predictions with ${thing} and without a class are ${most ? `${figure(here)} apart: ${where}` : 'the same'}.`;
  return [`Here the class changes ${most ? much : 'nothing'}.`, `${apart} ${guidance({view, acts, linear, w, moved})}`.trim()];
}

/** What w makes of it. @param {{view: View, acts: boolean, linear: boolean, w: number, moved: number | null}} shown */
function guidance({view, acts, linear, w, moved}) {
  const c = `${symbol(view)}(c)`, u = `${symbol(view)}(∅)`;
  if (!acts) return `The rule does not guide at this λ: the guided prediction is ${c}, whatever w is.`;
  if (moved === null) return '';
  if (linear && w === 0) return `At w = 0 the guided prediction is ${c}.`;
  if (linear && w === -1) return `At w = −1 the guided prediction is ${u}.`;
  if (linear && w < 0) return `At w = ${number(w)} the guided prediction lies between, ${figure(moved)} from ${c}.`;
  if (linear) return `w = ${number(w)} adds ${w === 1 ? 'as much again' : `${number(w)} times that`}: ${figure(moved)} beyond ${c}.`;
  return `At w = ${number(w)} the rule moves the prediction by ${figure(moved)} from ${c}.`;
}

/**
 * The chart in words: where on the way guidance acts.
 *
 * @param {{view: View, samples: number, sample: number, logSnrs: number[], mean: number[]}} shown
 */
export function chartLabel({view, samples, sample, logSnrs, mean}) {
  const at = mean.indexOf(Math.max(...mean)), what = `norm of ${symbol(view)}(c) − ${symbol(view)}(∅) over λ`;
  const whose = samples === 1 ? 'of one sample' : `of ${samples} samples and their mean, sample ${sample} marked`;
  return `${what}, ${whose}; ${samples === 1 ? 'it' : 'the mean'} is largest at λ = ${fixed(logSnrs[at])}, ${figure(mean[at])}`;
}

/**
 * How far the drawing of the steps is.
 *
 * @param {{evaluations: number, total: number, ahead: number}} waiting
 */
export const progressSentence = ({evaluations, total, ahead}) => (ahead
  ? `Waiting for the steps: ${ahead} ${ahead === 1 ? 'is' : 'are'} drawn first.`
  : `Drawing the steps: ${evaluations} of ${total} evaluations.`);
