// Calls of the server, for all tabs: a call whose answer is lost is made again.

import {say} from './language.js';

/** Milliseconds before a call is made again: at first, and, after twice as long each time, at most. */
export const FIRST_WAIT = 500, LONGEST_WAIT = 8000;

/** The message meanwhile. */
export const NO_ANSWER = say('server.no_answer');

/** @param {number} milliseconds @returns {Promise<void>} */
export const sleep = milliseconds => new Promise(resolve => { setTimeout(resolve, milliseconds); });

/** The wait after another one. @param {number} milliseconds */
export const longer = milliseconds => Math.min(2 * milliseconds, LONGEST_WAIT);

/**
 * The answer to a call of a server function. The call is made again where its answer is lost (a connection is cut, a
 * proxy answers 502: then it rejects or gives nothing) and where the server puts it off.
 *
 * So every server function may be called twice. All of them only read, or say what is wanted from now on, save
 * open_session: the session of a lost answer expires unused.
 *
 * message: takes a sentence while there is no answer, and '' once there is. later: why the server puts the call off, ''
 * where it does not. wanted: whether the answer is still waited for.
 *
 * @template T
 * @param {() => Promise<T | null | undefined>} call
 * @param {{
 *   message: (sentence: string) => void, later?: (answer: T) => string, wanted?: () => boolean,
 *   wait?: (milliseconds: number) => Promise<void>,
 * }} options
 * @returns {Promise<T | null>} null where it is not wanted any more
 */
export async function answered(call, {message, later = () => '', wanted = () => true, wait = sleep}) {
  for (let pause = FIRST_WAIT; wanted(); pause = longer(pause)) {
    const answer = await call().catch(() => null), problem = answer ? later(answer) : NO_ANSWER;
    if (answer && !problem) {
      if (pause > FIRST_WAIT) message('');
      return answer;
    }
    if (!wanted()) break;
    message(problem);
    await wait(pause);
  }
  return null;
}
