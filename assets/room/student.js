// A page that follows: the state of its teacher's page, the pictures, its own answers. No DOM.

import {FIRST_WAIT, Stream, longer, post} from './connection.js';
import {ClassPictures} from './pictures.js';
import {sleep} from '../shared/server.js';
import {randomToken, remember} from './storage.js';

/** @typedef {import('./types.js').Answer} Answer */
/** @typedef {import('./types.js').StateEvent} StateEvent */
/** @typedef {import('./types.js').PicturesEvent} PicturesEvent */

const PATIENCE = 600_000;  // milliseconds after a restart of the server in which the teacher's page may open the room again

/**
 * state: of the teacher's page, which is another than before or seen for the first time. pictures: there are new ones.
 * changed: whether the server is heard. ended: the class is over, or full; a sentence where the server has one.
 *
 * @typedef {{state: () => void, pictures: () => void, changed: () => void, ended: (sentence: string) => void}} StudentEvents
 */

export class Student {
  /** What the teacher's page shows; null before it is known. @type {StateEvent | null} */ state = null;
  pictures = new ClassPictures();
  connected = false;
  /** Why the server does not let it in now, such as a full class; '' otherwise. */ problem = '';
  #instance = '';
  #over = false;
  #lost = 0;  // since when the server does not know the room
  /** Own answers that the server of now has not taken. @type {Set<string>} */ #unsent = new Set();
  /** Those who wait for it. @type {Map<string, ((taken: boolean) => void)[]>} */ #waiting = new Map();
  #sending = false;

  /**
   * @param {string} id of the room
   * @param {StudentEvents} events
   * @param {{token?: string, exploring?: boolean, answers?: [string, Answer][]}} [before] of before a reload
   */
  constructor(id, events, {token = randomToken(), exploring = false, answers = []} = {}) {
    this.id = id;
    this.token = token;
    this.exploring = exploring;
    this.events = events;
    /** Its own answers by question. @type {Map<string, Answer>} */
    this.answers = new Map(answers);
    this.stream = new Stream('follow', once => this.#body(once), {
      event: event => this.#event(event),
      connected: on => {
        this.connected = on;
        if (on) this.problem = '';
        this.events.changed();
      },
      refused: answer => this.#refused(answer),
    });
  }

  start() {
    this.#remember();
    return this.stream.run();
  }

  /** @param {boolean} on whether the page is on its own */
  explore(on) {
    if (on === this.exploring) return;
    this.exploring = on;
    this.pictures.stop();
    this.#remember();
    this.stream.restart();
    if (!on && this.state) this.events.state();
  }

  /** Leave the class. */
  leave() {
    this.#over = true;
    this.stream.end();
    this.pictures.stop();
    remember(null);
  }

  /**
   * Answer a question; the answer is sent until the server has taken it. Whether it was taken: it is not where the question
   * is no longer open.
   *
   * @param {string} question
   * @param {Answer} value
   * @returns {Promise<boolean>}
   */
  answer(question, value) {
    this.answers.set(question, value);
    this.#remember();
    const taken = new Promise(resolve => { this.#waiting.set(question, [...this.#waiting.get(question) ?? [], resolve]); });
    this.#unsent.add(question);
    this.#send();
    return /** @type {Promise<boolean>} */ (taken);
  }

  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    for (let pause = FIRST_WAIT; this.#unsent.size && !this.#over;) {
      const [question] = this.#unsent, value = this.answers.get(question);
      const reply = await post('answer', {id: this.id, token: this.token, question, answer: value}).catch(() => null);
      if (reply && (reply.ok || reply.status === 400)) {
        pause = FIRST_WAIT;
        if (this.answers.get(question) !== value) continue;  // another one by now
        this.#unsent.delete(question);
        for (const resolve of this.#waiting.get(question) ?? []) resolve(reply.kept === true);
        this.#waiting.delete(question);
        continue;
      }
      await sleep(pause);
      pause = longer(pause);
    }
    this.#sending = false;
  }

  #remember() {
    const {id, token, exploring, answers} = this;
    remember({role: 'student', id, token, exploring, answers: [...answers]});
  }

  /** @param {boolean} once */
  #body(once) {
    const {id, token, exploring} = this, at = this.state?.at ?? '';
    return {id, token, exploring, once, at, ...(at ? this.pictures.held : {})};
  }

  /** @param {(StateEvent | PicturesEvent) & {ended?: boolean}} event */
  #event(event) {
    this.#lost = 0;
    if (event.ended) return this.#end('');
    if ('at' in event) {
      if (event.instance !== this.#instance) this.#newServer(event.instance);
      this.state = event;
      this.pictures.key = event.pictures;
      this.events.state();
    } else {
      this.pictures.receive(event);
      this.events.pictures();
    }
  }

  /** A process of the server that has none of this page's answers. @param {string} instance */
  #newServer(instance) {
    this.#instance = instance;
    this.pictures.forget();
    for (const question of this.answers.keys()) this.#unsent.add(question);
    this.#send();
  }

  /** @param {import('./connection.js').Answered} answer whether to try again */
  #refused({status, instance, error = ''}) {
    this.#lost ||= Date.now();
    const restarted = this.#instance && instance !== this.#instance;
    if (status === 404 && !(restarted && Date.now() - this.#lost < PATIENCE)) {
      this.#end('');
      return false;
    }
    if (status === 400) {
      this.#end(error);
      return false;
    }
    this.problem = error;
    return true;
  }

  /** @param {string} sentence */
  #end(sentence) {
    if (this.#over) return;
    this.leave();
    this.events.ended(sentence);
  }
}
