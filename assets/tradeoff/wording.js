// What curves say, in plain sentences, as pure functions of the figures that are shown. Two figures differ where their
// 95 % intervals are apart, as in cfg_core/evaluation/conclusions.py.

import {number} from '../shared/dom.js';

/** @typedef {import('./types.js').MeasuredCurve} MeasuredCurve */
/** @typedef {import('./types.js').Result} Result */

/** A statement and what follows. @typedef {[strong: string, rest: string]} Sentence */

/** How each chart is to be read. */
export const READ = {
  fid: 'lower: closer to the data · right: surer of the class',
  precision: 'higher: more samples could be real pictures · right: more real pictures could be samples',
  paper: 'Inception features: its shape compares with ours, its figures do not',
};

/** What stands where there is nothing. */
export const NO_CURVE = 'No curve has been measured. python -m cfg_core evaluate writes one.';

/**
 * @param {string} wanted the title of a model without a curve
 * @param {string} shown that of the model whose curves are shown
 */
export const notMeasured = (wanted, shown) => `No curve of ${wanted} has been measured; these are of ${shown}.`;

/** The choice of a second model or of a table of the paper. */
export const COMPARED = {nothing: 'nothing', models: 'another model', paper: 'the paper'};

/** The titles of the two charts of a model. */
export const CHARTS = {fid: 'FID against Inception Score', precision: 'precision against recall'};

/**
 * Whether a figure is below another, their intervals apart.
 *
 * @param {Result} a
 * @param {Result} b
 * @param {string} metric
 */
const below = (a, b, metric) => (a[`${metric}_high`] ?? a[metric]) < (b[`${metric}_low`] ?? b[metric]);

/** The result with the lowest FID. @param {Result[]} results */
export const closest = results => results.reduce((best, each) => (each.fid < best.fid ? each : best));

/**
 * What becomes of pictures between two w, in words; '' where the figures do not tell.
 *
 * @param {[Result, Result][]} pairs of one curve each
 */
function becomes(pairs) {
  const words = [['p_correct', 'surer of their class', 'less sure of their class'], ['recall', 'more varied', 'less varied']]
    .flatMap(([metric, more, less]) => {
      if (pairs.every(([from, to]) => below(from, to, metric))) return [more];
      return pairs.every(([from, to]) => below(to, from, metric)) ? [less] : [];
    });
  return words.join(' and ');
}

/** @param {string[]} names */
const listed = names => (names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`);

/**
 * What a student sees on these curves.
 *
 * @param {MeasuredCurve[]} curves with results by w, at least one
 * @returns {Sentence}
 */
export const plainSentence = curves => (curves.length === 1 ? ofOne(curves[0]) : ofSeveral(curves));

/** @param {MeasuredCurve} curve @returns {Sentence} */
function ofOne(curve) {
  const {results} = curve.record, best = closest(results), first = results[0], last = results[results.length - 1];
  const alike = results.filter(each => !below(best, each, 'fid'));
  if (alike.length === results.length) return ['How close pictures get to the data does not depend on w here.', ''];
  const at = `${alike.length > 1 ? 'at about' : 'at'} w = ${number(best.w)}`;
  if (best === last) {
    const way = becomes([[first, last]]);
    return [`Pictures get closer to the data up to w = ${number(last.w)}, the largest measured.`, way && `On the way they become ${way}.`];
  }
  const way = becomes([[best, last]]), without = best === first && first.w === 0;
  return [
    `Pictures ${best === first ? 'are' : 'get'} closest to the data ${without ? 'without guidance, ' : ''}${at}.`,
    way && `Beyond, they become ${way}.`,
  ];
}

/** @param {MeasuredCurve[]} curves @returns {Sentence} */
function ofSeveral(curves) {
  const bests = curves.map(curve => ({title: curve.title, best: closest(curve.record.results), last: curve.record.results[curve.record.results.length - 1]}));
  const lowest = bests.reduce((a, b) => (b.best.fid < a.best.fid ? b : a));
  const near = bests.filter(({best}) => !below(lowest.best, best, 'fid')), far = bests.filter(each => !near.includes(each));
  const range = [...new Set(near.map(({best}) => best.w).sort((a, b) => a - b))], [from] = range, to = range[range.length - 1];
  const at = from === to ? `w = ${number(from)}` : `w = ${number(from)} to ${number(to)}`;
  const way = becomes(bests.map(({best, last}) => /** @type {[Result, Result]} */ ([best, last])));
  const beyond = way && `Beyond, ${curves.length === 2 ? 'both' : 'all'} become ${way}.`;
  const count = curves.length === 2 ? 'Both' : `All ${curves.length}`;
  if (!far.length) return [`${count} get about as close to the data as each other, at ${at}.`, beyond];
  const who = listed(near.map(({title}) => title)), others = listed(far.map(({title}) => title));
  return [
    `${who} ${near.length > 1 ? 'get' : 'gets'} closest to the data, at ${at}.`,
    `${others} ${far.length > 1 ? 'stay' : 'stays'} further away. ${beyond}`.trim(),
  ];
}
