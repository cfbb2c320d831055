// Calls of the room's routes, and a stream of events that is opened again whenever it breaks. No DOM.

import {sleep} from '../shared/server.js';

/** Milliseconds before a call or a stream is tried again: at first, and, after twice as long each time, at most. */
export const FIRST_WAIT = 200, LONGEST_WAIT = 1500;

/** Milliseconds without a byte after which a stream is taken for dead; the server sends a beat every 1500. */
export const SILENCE = 4000;

/** Streams in a row without a byte after which a proxy is taken to hold them back. */
const HELD_BACK = 2;

/** @param {number} pause */
export const longer = pause => Math.min(2 * pause, LONGEST_WAIT);

/**
 * The answer of a room's route. ok: whether it was done; otherwise error says why not. Rejects where there is no answer.
 *
 * @typedef {{ok: boolean, status: number, instance: string, error?: string, [field: string]: any}} Answered
 */

/**
 * @param {string} call
 * @param {object} body
 * @returns {RequestInit & {url: string}}
 */
const request = (call, body) => ({
  url: new URL(`room/${call}`, document.baseURI).href, method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body),
});

/**
 * @param {string} call
 * @param {object} body
 * @param {number} [patience] milliseconds after which the answer is taken for lost
 * @returns {Promise<Answered>}
 */
export async function post(call, body, patience = 8000) {
  const {url, ...options} = request(call, body);
  const answer = await fetch(url, {...options, signal: AbortSignal.timeout(patience)});
  return {...await answer.json(), ok: answer.ok, status: answer.status};
}

/**
 * event: one has come. connected: whether the stream stands. refused: the server refused it; returns whether to try again.
 *
 * @typedef {{
 *   event: (event: any) => void, connected: (on: boolean) => void, refused: (answer: Answered) => boolean,
 * }} StreamEvents
 */

export class Stream {
  #ended = false;
  #heldBack = 0;   // streams in a row without a byte
  #lastByte = 0;
  /** Ends the wait before the next try. */ #wake = () => {};
  /** @type {AbortController | null} */ #controller = null;

  /**
   * @param {string} call
   * @param {(once: boolean) => object} body of each try; once: the reply should end after its first news
   * @param {StreamEvents} events
   * @param {{open?: typeof fetch, wait?: typeof sleep, now?: () => number}} [environment]
   */
  constructor(call, body, events, {open = (url, options) => fetch(url, options), wait = sleep, now = Date.now} = {}) {
    this.call = call;
    this.body = body;
    this.events = events;
    this.open = open;
    this.wait = wait;
    this.now = now;
  }

  /** Whether only whole replies arrive. */
  get #once() {
    return this.#heldBack >= HELD_BACK;
  }

  /** Read it, and open it again, until it is ended or refused for good. */
  async run() {
    let pause = FIRST_WAIT;
    while (!this.#ended) {
      const came = await this.#read().catch(() => false);
      if (this.#ended || came === 'refused') break;
      if (came && this.#once) continue;
      this.events.connected(false);
      pause = came ? FIRST_WAIT : longer(pause);
      await Promise.race([this.wait(pause), new Promise(resolve => { this.#wake = () => resolve(null); })]);
    }
  }

  /** After a sleep or a change of network: open it again at once, unless it is known to stand. */
  wake() {
    if (this.now() - this.#lastByte < SILENCE / 2) return;
    this.#controller?.abort();
    this.#wake();
  }

  /** Open it again at once, with another body. */
  restart() {
    this.#controller?.abort();
    this.#wake();
  }

  end() {
    this.#ended = true;
    this.#controller?.abort();
    this.#wake();
  }

  /** One stream, to its end; whether something came. @returns {Promise<boolean | 'refused'>} */
  async #read() {
    const controller = this.#controller = new AbortController(), {url, ...options} = request(this.call, this.body(this.#once));
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let silence;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => controller.abort(), SILENCE);
    };
    let came = false;
    heard();
    try {
      const reply = await this.open(url, {...options, signal: controller.signal});
      if (!reply.ok || !reply.body) {
        const answer = await reply.json();
        return this.events.refused({...answer, ok: false, status: reply.status}) ? false : 'refused';
      }
      const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        heard();
        this.#lastByte = this.now();
        if (!came) this.events.connected(true);
        came = true;
        if (!this.#once) this.#heldBack = 0;
        const events = (text + part.value).split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) if (event.startsWith('data: ')) this.events.event(JSON.parse(event.slice(6)));
      }
      return came;
    } finally {
      clearTimeout(silence);
      if (!came && !this.#ended && controller.signal.aborted) this.#heldBack += 1;
    }
  }
}
