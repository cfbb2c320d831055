// What is right: answers against what the page has measured or drawn. No DOM.

import {fixed, number} from '../shared/dom.js';
import {say} from '../shared/language.js';
import {sampleAt} from './points.js';

/** @typedef {import('./types.js').Answer} Answer */
/** @typedef {import('./types.js').Measured} Measured */
/** @typedef {import('./types.js').Question} Question */

/** How far a guess of the pictures that differ may be off, and the rank of a sample that changes much enough. */
const NEAR = 2, AMONG = 3;

/** The tabs whose figures a kind of question needs. @type {Record<string, string>} */
const TABS = {'choose acts': 'step', 'choose distance': 'toy2d'};

/**
 * The tab whose figures tell what is right.
 *
 * @param {string} kind of the question
 * @param {string} shown the tab on which it is revealed: one that is hidden measures nothing
 */
export const tabOf = (kind, shown) => (kind === 'lowest fid' && shown === 'tradeoff' ? shown : TABS[kind] ?? 'explore');

/** Whether w is set on the page's own slider. @param {string} kind */
export const setsW = kind => kind === 'lowest fid' || kind === 'best looking';

/** @param {[number, number]} pair @param {number} digits as they are shown */
function direction([before, after], digits) {
  const change = Number(after.toFixed(digits)) - Number(before.toFixed(digits));
  return change > 0 ? 'rises' : change < 0 ? 'falls' : 'stays';
}

/**
 * What is found by a measure; null where the page has not measured it.
 *
 * @param {string} kind of the question
 * @param {Measured} measured
 */
export function findingOf(kind, {sure, differ, most, distance, baseline}) {
  if (kind === 'choose sure') return sure ? direction(sure, 2) : null;
  if (kind === 'choose differ') return differ ? direction(differ, 1) : null;
  if (kind === 'choose acts') return most === undefined ? null : most < 1 / 3 ? 'early' : most < 2 / 3 ? 'middle' : 'late';
  if (kind === 'choose distance') return distance === undefined || baseline === undefined ? null : distance < 2 * baseline ? 'follows' : 'misses';
  return kind === 'choose' ? 'x' : null;
}

/**
 * The place of a sample among all, 1 for the one that changes most.
 *
 * @param {number[]} changes
 * @param {number} sample from 0
 */
export const rankOf = (changes, sample) => 1 + changes.filter(change => change > changes[sample]).length;

/**
 * Whether an answer is right, and the sentence about it. right: null where it is a matter of taste, or cannot be measured
 * here.
 *
 * @param {Question} question
 * @param {Answer} answer
 * @param {Measured} measured
 * @returns {{right: boolean | null, sentence: string}}
 */
export function verdict({kind, options}, answer, measured) {
  const {changes, lowest, measured: ws = [], differ, pictures = 0} = measured;
  if (options.length) {
    const finding = findingOf(kind, measured), right = finding === null ? null : options[Number(answer)]?.mark === finding;
    return judged(right, '');
  }
  if (kind === 'guided') return judged(answer === 'guided', '');
  if (kind === 'best looking') return judged(null, say('lesson.you_set', {w: number(Number(answer))}));
  if (kind === 'lowest fid') {
    const at = lowest ? ws.indexOf(lowest.w) : -1, [low, high] = [ws[at - 1] ?? ws[0], ws[at + 1] ?? ws[ws.length - 1]];
    return judged(lowest ? Number(answer) >= low && Number(answer) <= high : null, say('lesson.you_set', {w: number(Number(answer))}));
  }
  if (kind === 'differ') return judged(differ ? Math.abs(Number(answer) - differ[1]) <= NEAR : null, say('lesson.you_said', {answer: String(answer)}));
  if (!changes || typeof answer !== 'object') return judged(null, '');
  const rank = rankOf(changes, sampleAt(answer, measured));
  return judged(rank <= AMONG, rank === 1 ? say('lesson.changes_most') : say('lesson.changes_rank', {rank, pictures}));
}

/** @param {boolean | null} right @param {string} more */
const judged = (right, more) => ({
  right, sentence: [right === null ? '' : say(right ? 'lesson.right' : 'lesson.wrong'), more].filter(Boolean).join(' '),
});

/**
 * A figure of a text.
 *
 * @param {string} name
 * @param {Measured} measured
 */
export function figure(name, {sure, differ, pictures, lowest, distance, baseline}) {
  /** @type {Record<string, string | undefined>} */
  const figures = {
    'lowest w': lowest ? number(lowest.w) : undefined, 'lowest fid': lowest ? fixed(lowest.fid, 2) : undefined,
    sure: sure && fixed(sure[1], 2), 'sure before': sure && fixed(sure[0], 2),
    differ: differ && fixed(differ[1]), 'differ before': differ && fixed(differ[0]), pictures: pictures?.toString(),
    distance: distance === undefined ? undefined : fixed(distance, 2), 'exact distance': baseline === undefined ? undefined : fixed(baseline, 2),
  };
  return figures[name] ?? say('lesson.not_measured');
}
