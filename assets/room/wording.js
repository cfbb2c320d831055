// The words of the class's strips and dialog. No DOM.

/** @typedef {import('./types.js').Counts} Counts */

/** Digits in groups of four, as they are read aloud. @param {string} code */
export const spacedCode = code => `${code.slice(0, 4)} ${code.slice(4)}`;

/** @param {Counts} counts */
export const countsSentence = ({following, exploring}) => `${following} follow${exploring ? `, ${exploring} explore` : ''}`;

/**
 * What a student's strip says.
 *
 * @param {{exploring: boolean, connected: boolean, problem: string}} student
 */
export function studentSentence({exploring, connected, problem}) {
  if (!connected) return problem || 'Connecting to the class…';
  return exploring ? 'You are exploring.' : 'You follow the class.';
}

/**
 * What the teacher should know of the link: an address of this machine leads nobody else here.
 *
 * @param {string} host
 */
export function reachSentence(host) {
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(host);
  return here ? 'This link works on this computer only. Start the app with --host 0.0.0.0 and open the page at this computer’s address, or start it with --share.' : '';
}

/**
 * What a page says of a class that it is no longer in.
 *
 * @param {boolean} ended
 * @param {string} notice
 */
export const endSentence = (ended, notice) => notice || (ended ? 'The class is over.' : '');
