// The calls of the server functions. No DOM. What is still being drawn, a server that is busy or does not answer: each is
// asked again while the answer is wanted.

import {NO_ANSWER, RETRY, sleep} from '../shared/server.js';

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
    let trouble = false;
    while (wanted()) {
      const reply = await call(payload).catch(() => null);
      if (!wanted()) break;
      if (reply?.ok && reply.waiting) {
        this.events.progress(reply);
        continue;
      }
      if (reply && (reply.ok || !reply.busy)) {
        if (trouble) this.events.message('');
        return /** @type {any} */ (reply);
      }
      trouble = true;
      this.events.message(reply && !reply.ok ? reply.error : NO_ANSWER);
      await this.wait(RETRY);
    }
    return null;
  }
}
