// The axes of a chart: from figures to pixels, linear or logarithmic, with round ticks.

/**
 * @typedef {{log: boolean, low: number, high: number, at: (value: number) => number, ticks: number[]}} Scale
 */

/**
 * Round numbers from low to high, about five; on a logarithmic axis 1, 2 and 5 of each decade, of many decades 1 and 3.
 *
 * @param {number} low
 * @param {number} high
 * @param {boolean} log
 * @returns {number[]}
 */
export function ticks(low, high, log) {
  if (log) {
    const decades = Array.from({length: Math.floor(Math.log10(high)) - Math.floor(Math.log10(low)) + 1},
      (_, i) => Math.floor(Math.log10(low)) + i);
    const inside = decades.flatMap(d => (decades.length > 3 ? [1, 3] : [1, 2, 5]).map(digit => digit * 10 ** d));
    return inside.filter(value => value >= low && value <= high);
  }
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find(digit => digit * power >= rough) ?? 10) * power;
  return Array.from({length: Math.floor(high / step) - Math.ceil(low / step) + 1}, (_, i) => (Math.ceil(low / step) + i) * step);
}

/**
 * From figures to pixels between two ends. Logarithmic where the figures, none of them 0, span more than a factor 10.
 *
 * @param {number[]} figures
 * @param {number[]} others that must be in view too
 * @param {number} from in pixels
 * @param {number} to in pixels
 * @returns {Scale}
 */
export function scale(figures, others, from, to) {
  const log = Math.min(...figures) > 0 && Math.max(...figures) > 10 * Math.min(...figures);
  const all = [...figures, ...others.filter(value => !log || value > 0)];
  const f = (/** @type {number} */ value) => (log ? Math.log10(value) : value);
  const [low, high] = [f(Math.min(...all)), f(Math.max(...all))], room = (high - low || 1) * 0.07;
  const [first, last] = [low - room, high + room];
  const invert = (/** @type {number} */ value) => (log ? 10 ** value : value);
  return {
    log, low: invert(first), high: invert(last),
    at: value => from + (f(value) - first) / (last - first) * (to - from),
    ticks: ticks(invert(first), invert(last), log),
  };
}
