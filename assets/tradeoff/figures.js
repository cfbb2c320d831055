// The same figures as text, as rows of a table, and as files. No DOM.

import {say} from '../shared/language.js';

/** @typedef {import('./types.js').Curves} Curves */
/** @typedef {import('./types.js').MeasuredCurve} MeasuredCurve */

/** A flat row of a table. @typedef {{[column: string]: unknown}} Row */

/** @param {number} value */
export const short = value => (value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3));

/**
 * A figure, and its interval where it has one.
 *
 * @param {{[figure: string]: any}} result
 * @param {string} metric
 */
export function described(result, metric) {
  const figure = short(result[metric]), low = result[metric + '_low'];
  return low === undefined ? figure : say('tradeoff.interval', {figure, low: short(low), high: short(result[metric + '_high'])});
}

/**
 * How many samples a curve is of.
 *
 * @param {import('./types.js').Record} record
 */
export const drawn = ({samples = 0, seed = 0}) => say('tradeoff.samples', {samples: samples.toLocaleString('en'), seed});

/**
 * The metrics that a result has.
 *
 * @param {Curves} found
 * @param {object} result
 */
export const measured = (found, result) => Object.keys(found.metrics).filter(metric => Reflect.get(result, metric) !== undefined);

/**
 * One row a point, one for the real baseline of each of our curves.
 *
 * @param {MeasuredCurve[]} curves
 * @returns {Row[]}
 */
export function rows(curves) {
  return curves.flatMap(({title, file, source, record, baseline}) => {
    const {checkpoint, classifier, guide, features, p_uncond, rule, sampler, steps, samples, seed, results} = record;
    const from = {
      curve: title, source: file ?? source, checkpoint: checkpoint?.hash, classifier: classifier?.hash,
      guide: guide?.hash, features, p_uncond, rule, sampler, steps, samples, seed,
    };
    return [...results, ...(baseline ? [{...baseline, w: 'real'}] : [])].map(figures => ({...from, ...figures}));
  });
}

/** @param {Row[]} every */
export function csv(every) {
  const columns = [...new Set(every.flatMap(row => Object.keys(row)))];
  /** @param {unknown} value */
  const cell = value => {
    const text = value === undefined || value === null ? '' : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...every.map(row => columns.map(name => row[name]))].map(line => line.map(cell).join()).join('\n') + '\n';
}
