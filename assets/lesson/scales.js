// What the drawing of a class's answers is of. No DOM.

import {say} from '../shared/language.js';
import {pointOf} from './points.js';
import {findingOf, setsW} from './questions.js';

/** @typedef {import('./types.js').Measured} Measured */
/** @typedef {import('./types.js').Question} Question */
/** @typedef {import('./types.js').Span} Span */
/** @typedef {import('../room/histogram.js').NumberScale | import('../room/histogram.js').ChoiceScale | import('../room/histogram.js').PointScale} Scale */

const ENDS = [-1, 8];  // of w

/** @param {Span[]} spans */
const plain = spans => spans.map(span => span.text).join('');

/**
 * What a drawing of the answers to a question is of.
 *
 * @param {Question} question
 * @param {Measured} measured
 * @param {boolean} revealed whether what is right may be seen
 * @returns {Scale}
 */
export function scaleOf({kind, options}, measured, revealed) {
  const {lowest, differ, pictures = 16, changes} = measured, finding = revealed ? findingOf(kind, measured) : null;
  if (options.length) {
    const right = options.findIndex(option => finding !== null && option.mark === finding);
    return {kind: 'choice', choices: Object.fromEntries(options.map((option, i) => [`${i}`, plain(option.text)])), right: right < 0 ? undefined : String(right)};
  }
  if (kind === 'guided') {
    return {kind: 'choice', choices: {guided: say('lesson.guided'), other: say('lesson.other')}, right: revealed ? 'guided' : undefined};
  }
  if (setsW(kind)) return {kind: 'number', low: ENDS[0], high: ENDS[1], bins: 18, of: 'w', right: revealed && kind === 'lowest fid' ? lowest?.w : undefined};
  if (kind === 'differ') return {kind: 'number', low: 0, high: pictures, bins: Math.min(pictures, 16), of: say('lesson.differ'), right: revealed ? differ?.[1] : undefined};
  return {kind: 'point', right: revealed && changes ? pointOf(changes.indexOf(Math.max(...changes)), measured) : undefined};
}
