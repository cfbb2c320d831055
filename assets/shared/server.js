// What all tabs do when the server does not answer.

/** Milliseconds after which a server that did not answer is asked again. */
export const RETRY = 1000;

/** The message meanwhile. */
export const NO_ANSWER = 'The server does not answer; trying again.';

/** @param {number} milliseconds @returns {Promise<void>} */
export const sleep = milliseconds => new Promise(resolve => { setTimeout(resolve, milliseconds); });
