// A class's answers as a drawing: over w or another number, as bars of choices, as dots on the picture. No DOM: each is a
// pure function to the text of an SVG element.

import {say} from '../shared/language.js';

/** @typedef {import('./types.js').Answer} Answer */

/**
 * What the answers are of.
 *
 * number: low, high: the range; bins: into how many parts it is divided; right: what is right, once it is revealed; of: what
 * the number is, in words. choice: value → title, in their order; right: one of the values. point: places from 0 to 1 of the
 * picture's width and height; right: the same.
 *
 * @typedef {{kind: 'number', low: number, high: number, bins?: number, right?: number, of?: string}} NumberScale
 * @typedef {{kind: 'choice', choices: Record<string, string>, right?: string}} ChoiceScale
 * @typedef {{kind: 'point', right?: {x: number, y: number}}} PointScale
 */

const WIDTH = 480, HEIGHT = 200, LEFT = 12, RIGHT = 468, TOP = 26, BOTTOM = 168;

/** @param {unknown} value */
const escaped = value => String(value).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** @param {number} value */
const short = value => String(+value.toFixed(2)).replace('-', '−');

/**
 * @param {string} label what is read aloud
 * @param {number} width
 * @param {number} height
 * @param {string[]} parts
 */
const drawing = (label, width, height, parts) => `<svg class="answers-chart" viewBox="0 0 ${width} ${height}" role="img" `
  + `aria-label="${escaped(label)}">${parts.join('')}</svg>`;

/** @param {number} n */
const answersOf = n => say(n === 1 ? 'lesson.one_answer' : 'lesson.answers', {count: n});

/**
 * How many numbers lie in each of the equal parts of a range; those outside it in the first and the last.
 *
 * @param {number[]} values
 * @param {number} low
 * @param {number} high
 * @param {number} bins
 */
export function binned(values, low, high, bins) {
  const counts = Array.from({length: bins}, () => 0);
  for (const value of values) counts[Math.max(0, Math.min(bins - 1, Math.floor((value - low) / (high - low) * bins)))] += 1;
  return counts;
}

/** @param {Answer[]} answers @param {NumberScale} scale */
function ofNumbers(answers, {low, high, bins = 16, right, of = 'value'}) {
  const values = answers.filter(/** @returns {value is number} */ value => typeof value === 'number' && Number.isFinite(value));
  const counts = binned(values, low, high, bins), most = Math.max(1, ...counts), step = (RIGHT - LEFT) / bins;
  const at = (/** @type {number} */ value) => LEFT + (Math.max(low, Math.min(high, value)) - low) / (high - low) * (RIGHT - LEFT);
  const bars = counts.flatMap((count, i) => {
    const height = count / most * (BOTTOM - TOP), x = LEFT + i * step;
    return count ? [`<rect class="bar" x="${x + 1}" y="${BOTTOM - height}" width="${step - 2}" height="${height}"></rect>`,
      `<text class="tick" x="${x + step / 2}" y="${BOTTOM - height - 4}" text-anchor="middle">${count}</text>`] : [];
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(part => low + part * (high - low)).map((value, i) => `<text class="tick" x="${at(value)}" `
    + `y="${BOTTOM + 16}" text-anchor="${['start', 'middle', 'middle', 'middle', 'end'][i]}">${short(value)}</text>`);
  const line = right === undefined ? [] : [`<line class="right-line" x1="${at(right)}" x2="${at(right)}" y1="${TOP - 10}" y2="${BOTTOM}"></line>`,
    `<text x="${at(right)}" y="${TOP - 13}" text-anchor="${at(right) > WIDTH / 2 ? 'end' : 'start'}">${escaped(of)} = ${short(right)}</text>`];
  const middle = values.length ? `, ${say('class.median')} ${short(values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)])}` : '';
  return drawing(`${say('class.over_range', {answers: answersOf(values.length), of, low: short(low), high: short(high)})}${middle}`, WIDTH, HEIGHT, [
    ...bars, `<line class="axis" x1="${LEFT}" x2="${RIGHT}" y1="${BOTTOM}" y2="${BOTTOM}"></line>`, ...ticks, ...line,
    `<text class="tick" x="${(LEFT + RIGHT) / 2}" y="${BOTTOM + 31}" text-anchor="middle">${escaped(of)}</text>`,
  ]);
}

/** @param {Answer[]} answers @param {ChoiceScale} scale */
function ofChoices(answers, {choices, right}) {
  const rows = Object.entries(choices).map(([value, title]) => ({value, title, count: answers.filter(each => each === value).length}));
  const most = Math.max(1, ...rows.map(row => row.count)), each = 46;
  const parts = rows.flatMap(({value, title, count}, i) => {
    const y = i * each, width = count / most * (RIGHT - LEFT - 44);
    return [`<text x="${LEFT}" y="${y + 16}">${escaped(title)}</text>`,
      `<rect class="bar${value === right ? ' right' : ''}" x="${LEFT}" y="${y + 22}" width="${Math.max(width, 1)}" height="14"></rect>`,
      `<text class="tick" x="${LEFT + Math.max(width, 1) + 6}" y="${y + 33}">${count}</text>`];
  });
  return drawing(rows.map(row => `${row.title}: ${row.count}`).join('; '), WIDTH, rows.length * each + 4, parts);
}

/** @param {Answer[]} answers @param {PointScale} scale */
function ofPoints(answers, {right}) {
  const points = answers.flatMap(each => (isPoint(each) ? [each] : []));
  const dot = (/** @type {{x: number, y: number}} */ {x, y}, kind = '') => `<circle class="dot${kind}" cx="${100 * x}" cy="${100 * y}" r="2.2"></circle>`;
  return drawing(say('class.points', {answers: answersOf(points.length)}), 100, 100, [...points.map(each => dot(each)), ...(right ? [dot(right, ' right')] : [])]);
}

/** @param {Answer} value @returns {value is {x: number, y: number}} */
function isPoint(value) {
  if (typeof value !== 'object' || value === null) return false;
  const place = [Reflect.get(value, 'x'), Reflect.get(value, 'y')];
  return place.every(each => typeof each === 'number' && each >= 0 && each <= 1);
}

/**
 * The drawing of a class's answers, as the text of an SVG element. Answers of another kind than the scale's are left out.
 *
 * @param {Answer[]} answers
 * @param {NumberScale | ChoiceScale | PointScale} scale
 * @returns {string}
 */
export function histogram(answers, scale) {
  switch (scale.kind) {
    case 'number': return ofNumbers(answers, scale);
    case 'choice': return ofChoices(answers, scale);
    case 'point': return ofPoints(answers, scale);
  }
}
