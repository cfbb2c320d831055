// What curves say, in plain sentences, as pure functions of the figures that are shown. Two figures differ where their
// 95 % intervals are apart, as in cfg_core/evaluation/conclusions.py.

import {number} from '../shared/dom.js';
import {inWords, say, titlesInWords} from '../shared/language.js';

/** @typedef {import('./types.js').Curves} Curves */
/** @typedef {import('./types.js').MeasuredCurve} MeasuredCurve */
/** @typedef {import('./types.js').Result} Result */

/** A statement and what follows. @typedef {[strong: string, rest: string]} Sentence */

/**
 * The curves as the server describes them, in the language of the page.
 *
 * @param {Curves} found
 * @returns {Curves}
 */
export function curvesInWords(found) {
  /** @param {MeasuredCurve} curve */
  const spoken = curve => ({...curve, title: inWords(curve.title), metrics: curve.metrics && titlesInWords(curve.metrics)});
  return {
    ...found, models: found.models.map(each => ({...each, title: inWords(each.title)})), metrics: titlesInWords(found.metrics), samplers: titlesInWords(found.samplers), problems: found.problems.map(inWords),
    groups: found.groups.map(group => ({
      ...group, title: inWords(group.title), basis: inWords(group.basis), curves: group.curves.map(spoken),
      conclusions: group.conclusions.map(({text, verdict, ...rest}) => ({...rest, text: text.split('; ').map(inWords).join('; '), verdict: inWords(verdict)})),
    })),
    tables: found.tables.map(table => ({...table, title: inWords(table.title), summary: inWords(table.summary), source: inWords(table.source)})),
  };
}

/**
 * @param {string} wanted the title of a model without a curve
 * @param {string} shown that of the model whose curves are shown
 */
export const notMeasured = (wanted, shown) => say('tradeoff.not_measured', {wanted, shown});

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
  const words = [['p_correct', 'tradeoff.surer', 'tradeoff.less_sure'], ['recall', 'tradeoff.varied', 'tradeoff.less_varied']]
    .flatMap(([metric, more, less]) => {
      if (pairs.every(([from, to]) => below(from, to, metric))) return [say(more)];
      return pairs.every(([from, to]) => below(to, from, metric)) ? [say(less)] : [];
    });
  return listed(words);
}

/** @param {string[]} names @returns {string} */
const listed = names => (names.length < 2 ? names.join('') : say('tradeoff.and', {first: names.slice(0, -1).join(', '), last: names[names.length - 1]}));

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
  if (alike.length === results.length) return [say('tradeoff.no_matter'), ''];
  const at = say(alike.length > 1 ? 'tradeoff.at_about' : 'tradeoff.at_w', {w: number(best.w)});
  if (best === last) {
    const way = becomes([[first, last]]);
    return [say('tradeoff.up_to', {w: number(last.w)}), way && say('tradeoff.on_the_way', {way})];
  }
  const way = becomes([[best, last]]), where = best !== first ? 'closest' : first.w === 0 ? 'closest_without' : 'closest_first';
  return [say(`tradeoff.${where}`, {at}), way && say('tradeoff.beyond', {way})];
}

/** @param {MeasuredCurve[]} curves @returns {Sentence} */
function ofSeveral(curves) {
  const bests = curves.map(({title, record: {results}}) => ({title, best: closest(results), last: results[results.length - 1]}));
  const lowest = bests.reduce((a, b) => (b.best.fid < a.best.fid ? b : a));
  const near = bests.filter(({best}) => !below(lowest.best, best, 'fid')), far = bests.filter(each => !near.includes(each));
  const range = [...new Set(near.map(({best}) => best.w).sort((a, b) => a - b))], [from] = range, to = range[range.length - 1];
  const at = from === to ? say('tradeoff.at_w', {w: number(from)}) : say('tradeoff.at_range', {from: number(from), to: number(to)});
  const way = becomes(bests.map(({best, last}) => /** @type {[Result, Result]} */ ([best, last]))), which = curves.length === 2 ? 'both' : 'all';
  const beyond = way && say(`tradeoff.beyond_${which}`, {way});
  if (!far.length) return [say(`tradeoff.alike_${which}`, {count: curves.length, at}), beyond];
  const who = listed(near.map(({title}) => title)), others = listed(far.map(({title}) => title));
  return [
    say(near.length > 1 ? 'tradeoff.closest_some' : 'tradeoff.closest_one', {who, at}),
    `${say(far.length > 1 ? 'tradeoff.further_some' : 'tradeoff.further_one', {others})} ${beyond}`.trim(),
  ];
}
