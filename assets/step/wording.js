// The sentences of the tab "Inside a step", as pure functions of the figures that are shown.

import {fixed, number} from '../shared/dom.js';
import {say} from '../shared/language.js';

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
  const much = !most ? 'nothing' : at === step - 1 ? 'most' : share >= 0.5 ? 'much' : share >= 0.15 ? 'little' : 'hardly';
  const percent = share < 0.01 ? say('step.less_than_1') : Math.round(100 * share);
  const where = at === step - 1 ? say('step.the_most') : say('step.of_the_most', {percent, level: fixed(logSnrs[at])});
  const apart = most ? say('step.apart', {thing, distance: figure(here), where}) : say('step.same', {thing});
  return [say(`step.changes_${much}`), `${apart} ${guidance({view, acts, linear, w, moved})}`.trim()];
}

/** What w makes of it. @param {{view: View, acts: boolean, linear: boolean, w: number, moved: number | null}} shown */
function guidance({view, acts, linear, w, moved}) {
  const c = `${symbol(view)}(c)`, u = `${symbol(view)}(∅)`;
  const values = {c, u, w: number(w), distance: moved === null ? '' : figure(moved)};
  if (!acts) return say('step.no_guidance', values);
  if (moved === null) return '';
  if (linear && w === 0) return say('step.at_zero', values);
  if (linear && w === -1) return say('step.at_minus_one', values);
  if (linear && w < 0) return say('step.between', values);
  if (linear) return say(w === 1 ? 'step.adds_once' : 'step.adds', values);
  return say('step.moves', values);
}

/**
 * The chart in words: where on the way guidance acts.
 *
 * @param {{view: View, samples: number, sample: number, logSnrs: number[], mean: number[]}} shown
 */
export function chartLabel({view, samples, sample, logSnrs, mean}) {
  const at = mean.indexOf(Math.max(...mean)), values = {letter: symbol(view), samples, sample, level: fixed(logSnrs[at]), most: figure(mean[at])};
  return say(samples === 1 ? 'step.chart_one' : 'step.chart', values);
}

/**
 * How far the drawing of the steps is.
 *
 * @param {{evaluations: number, total: number, ahead: number}} waiting
 */
export const progressSentence = ({evaluations, total, ahead}) => (ahead
  ? say(ahead === 1 ? 'step.waiting_one' : 'step.waiting', {ahead})
  : say('step.drawing', {evaluations, total}));
