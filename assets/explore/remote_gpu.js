// When a remote GPU is asked for a strip: it draws a whole one in each call. No DOM.

import {say} from '../shared/language.js';
import {FIRST_WAIT, longer} from '../shared/server.js';
import {sceneOf} from './store.js';

/** @typedef {import('./types.js').GridRequest} GridRequest */

const MOST_CALLS = 3;  // of a strip, before the page gives up what they did not draw

export const QUEUE_FULL = say('server.gpu_full');

export class RemoteGpu {
  /** Calls that are in its queue or ended. */ #calls = 0;
  /** The strip of the last call. */ #last = '';
  /** Its calls. */ #ofLast = 0;
  /** Whether none of them is on its way. */ #due = true;
  /** Milliseconds until a call that was refused is made again. */ #pause = FIRST_WAIT;

  /** @param {(request: GridRequest) => void} call */
  constructor(call) {
    this.call = call;
  }

  /**
   * Have the strip of a request drawn. The GPU is called once for each strip, and again where that call ended without
   * it: the server gives up a call that waited while something else was asked for.
   *
   * @param {GridRequest} request
   */
  ask(request) {
    const strip = sceneOf(request) + (request.w < 0), another = strip !== this.#last;
    if (!another && (!this.#due || this.#ofLast >= MOST_CALLS)) return;
    if (another) {
      this.#ofLast = 0;
      this.#pause = FIRST_WAIT;
    }
    this.#last = strip;
    this.#due = false;
    this.#ofLast += 1;
    this.#calls += 1;
    this.call(request);
  }

  /**
   * Something of the strip is missing, though so many calls have ended.
   *
   * @param {number} ended
   */
  missing(ended) {
    if (ended >= this.#calls) this.#due = true;
  }

  /**
   * The last call did not get into the queue, and so will not end: it is due again after a while, if no other was made.
   *
   * @param {(milliseconds: number) => Promise<void>} wait
   */
  async refused(wait) {
    const calls = this.#calls -= 1;
    this.#ofLast -= 1;
    await wait(this.#pause);
    this.#pause = longer(this.#pause);
    if (this.#calls === calls) this.#due = true;
  }
}
