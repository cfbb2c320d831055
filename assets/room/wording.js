// The words of the class's strips and dialog. No DOM.

import {inWords, say} from '../shared/language.js';

/** @typedef {import('./types.js').Counts} Counts */

/** Digits in groups of four, as they are read aloud. @param {string} code */
export const spacedCode = code => `${code.slice(0, 4)} ${code.slice(4)}`;

/** @param {Counts} counts */
export const countsSentence = ({following, exploring}) => say(exploring ? 'class.counts' : 'class.following', {following, exploring});

/**
 * What a student's strip says.
 *
 * @param {{exploring: boolean, connected: boolean, problem: string}} student
 */
export function studentSentence({exploring, connected, problem}) {
  if (!connected) return problem ? inWords(problem) : say('class.connecting');
  return say(exploring ? 'class.you_explore' : 'class.you_follow');
}

/**
 * What the teacher should know of the link: an address of this machine leads nobody else here.
 *
 * @param {string} host
 */
export function reachSentence(host) {
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(host);
  return here ? say('class.only_here') : '';
}

/**
 * What a page says of a class that it is no longer in.
 *
 * @param {boolean} ended
 * @param {string} notice
 */
export const endSentence = (ended, notice) => (notice ? inWords(notice) : ended ? say('class.over') : '');
