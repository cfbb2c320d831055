// The calls of the server functions. No DOM. What is still being drawn, a server that is busy or does not answer: each is
// asked again while the answer is wanted.

import {answered, sleep} from '../shared/server.js';

/** @typedef {import('./types.js').StepServer} StepServer */
/** @typedef {import('./types.js').Refusal} Refusal */
/** @typedef {import('./types.js').Waiting} Waiting */

/**
 * message: a sentence for above the pictures, or ''. progress: how far the drawing is.
 *
 * @typedef {{message: (sentence: string) => void, progress: (waiting: Waiting) => void}} TransportEvents
 */

export class Transport {
  /**
   * @param {StepServer} server
   * @param {TransportEvents} events
   * @param {{wait?: (milliseconds: number) => Promise<void>}} [environment]
   */
  constructor(server, events, {wait = sleep} = {}) {
    this.server = server;
    this.events = events;
    this.wait = wait;
  }

  /**
   * The answer of a server function, or its refusal; null once it is no longer wanted.
   *
   * @template {keyof StepServer} Name
   * @param {Name} name
   * @param {Parameters<StepServer[Name]>[0]} payload
   * @param {() => boolean} wanted
   * @returns {Promise<Exclude<Awaited<ReturnType<StepServer[Name]>>, Waiting> | null>}
   */
  async ask(name, payload, wanted) {
    const call = /** @type {(ask: object) => ReturnType<StepServer[Name]>} */ (this.server[name]);
    const {message} = this.events;
    const later = (/** @type {any} */ reply) => (!reply.ok && reply.busy ? reply.error : '');
    for (;;) {
      const reply = await answered(() => call(payload), {message, later, wanted, wait: this.wait});
      if (!reply || !wanted()) return null;
      if (!reply.ok || !reply.waiting) return /** @type {any} */ (reply);
      this.events.progress(reply);
    }
  }
}
