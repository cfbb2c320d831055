// The page that leads: it opens its room, again after a restart of the server, and says what it shows. One call is in
// flight, the newest state replaces the next. No DOM.

import {sleep} from '../shared/server.js';
import {FIRST_WAIT, Stream, longer, post} from './connection.js';
import {randomToken, remember} from './storage.js';

/** @typedef {import('./types.js').Answer} Answer */
/** @typedef {import('./types.js').Counts} Counts */
/** @typedef {import('./types.js').OpenedRoom} OpenedRoom */
/** @typedef {import('./types.js').RoomState} RoomState */
/** @typedef {import('./types.js').WatchEvent} WatchEvent */

const INTERVAL = 100;  // milliseconds between two calls that say what is shown

/**
 * changed: counts, or whether the server is heard. answers: to this question. ended: the class is over.
 * shows: the query of the page and the pictures that it shows.
 *
 * @typedef {{
 *   changed: () => void, answers: (question: string) => void, ended: () => void,
 *   shows: () => {address: string, pictures: object | null},
 * }} TeacherEvents
 */

export class Teacher {
  /** @type {OpenedRoom | null} */ opened = null;
  /** @type {Counts} */ counts = {following: 0, exploring: 0};
  connected = false;
  /** Why the room could not be opened, '' if it could. */ problem = '';
  /** Question → tag of a member → answer. @type {Map<string, Map<string, Answer>>} */ answers = new Map();
  #over = false;
  #leading = false;
  #dirty = false;
  #sent = '';
  /** @type {Promise<boolean> | null} */ #opening = null;

  /**
   * @param {TeacherEvents} events
   * @param {{secret?: string, state?: RoomState, questions?: string[]}} [before] of before a reload
   */
  constructor(events, {secret = randomToken(), state, questions = []} = {}) {
    this.events = events;
    this.secret = secret;
    /** @type {Omit<RoomState, 'address'>} */
    this.state = state ?? {blank: false, question: '', phase: 'open'};
    this.questions = questions;
    /** The room as it was opened when the stream was asked for. @type {OpenedRoom | null} */
    let before = null;
    this.stream = new Stream('watch', () => { before = this.opened; return {secret}; }, {
      event: event => this.#event(event),
      connected: on => {
        this.connected = on;
        events.changed();
        if (on) this.lead(true);
      },
      refused: ({status, instance}) => {
        if (status === 404) this.#again(instance, before);
        return !this.#over;
      },
    });
  }

  /** Open the room and lead it; whether it could be opened. */
  async start() {
    if (!await this.#open()) return false;
    this.stream.run();
    this.lead(true);
    return true;
  }

  /** @param {Partial<RoomState>} fields */
  set(fields) {
    this.state = {...this.state, ...fields};
    const {question} = this.state;
    if (question && !this.questions.includes(question)) this.questions.push(question);
    this.#remember();
    this.lead();
  }

  /**
   * The page shows something else.
   *
   * @param {boolean} [again] even if the server was told the same before
   */
  async lead(again = false) {
    if (again) this.#sent = '';
    this.#dirty = true;
    if (this.#leading || this.#over) return;
    this.#leading = true;
    await null;  // until the address and what it says agree
    let pause = FIRST_WAIT;
    while (this.#dirty && !this.#over && this.opened) {
      this.#dirty = false;
      const now = JSON.stringify({...this.state, ...this.events.shows()});
      if (now === this.#sent) continue;
      const before = this.opened, answer = await post('lead', {secret: this.secret, ...JSON.parse(now)}).catch(() => null);
      if (answer?.ok) {
        this.#sent = now;
        pause = FIRST_WAIT;
        await sleep(INTERVAL);
        continue;
      }
      if (answer && answer.status === 400) continue;  // what is shown cannot be drawn, which the page says itself
      this.#dirty = true;
      if (answer?.status === 404) await this.#again(answer.instance, before);
      await sleep(pause);
      pause = longer(pause);
    }
    this.#leading = false;
  }

  /** End the class. */
  async close() {
    this.#over = true;
    this.stream.end();
    remember(null);
    await post('close', {secret: this.secret}).catch(() => null);
    this.events.ended();
  }

  /** All answers, as a table without persons, in which no text is a formula. */
  get csv() {
    const quoted = (/** @type {unknown} */ value) => `"${String(value).replaceAll('"', '""')}"`;
    const text = (/** @type {Answer} */ value) => (typeof value === 'string' ? value.replace(/^[=+@-]/, "'$&") : JSON.stringify(value));
    const rows = [...this.answers].flatMap(([question, answers]) => [...answers.values()].map(text).sort().map(each => [question, each]));
    return [['question', 'answer'], ...rows].map(row => row.map(quoted).join(',')).join('\r\n') + '\r\n';
  }

  #remember() {
    remember({role: 'teacher', secret: this.secret, state: {address: '', ...this.state}, questions: this.questions});
  }

  #open() {
    this.#opening ??= this.#tryOpen().finally(() => { this.#opening = null; });
    return this.#opening;
  }

  async #tryOpen() {
    const page = location.origin + location.pathname;
    for (let pause = FIRST_WAIT; !this.#over; pause = longer(pause)) {
      const answer = await post('open', {secret: this.secret, page, questions: this.questions}).catch(() => null);
      if (answer?.ok) {
        this.opened = /** @type {OpenedRoom} */ (/** @type {unknown} */ (answer));
        this.problem = '';
        this.#remember();
        this.events.changed();
        return true;
      }
      this.problem = answer?.error ?? '';
      this.events.changed();
      if (answer && !this.opened) return false;
      await sleep(pause);
    }
    return false;
  }

  /**
   * The server does not know the room: it has ended, or the server was started again.
   *
   * @param {string} instance of the server that was asked
   * @param {OpenedRoom | null} before the room as it was then
   */
  async #again(instance, before) {
    if (this.opened !== before) return;  // another call has opened it again
    if (instance === before?.instance) return this.#ended();
    if (await this.#open()) this.stream.restart();
  }

  /** @param {WatchEvent & {ended?: boolean}} event */
  #event({counts, question, answers, ended}) {
    if (ended) return this.#ended();
    if (counts) {
      this.counts = counts;
      this.events.changed();
    }
    if (question === undefined || !answers) return;
    const known = this.answers.get(question) ?? new Map();
    for (const [tag, value] of Object.entries(answers)) known.set(tag, value);
    this.answers.set(question, known);
    this.events.answers(question);
  }

  #ended() {
    if (this.#over) return;
    this.#over = true;
    this.stream.end();
    remember(null);
    this.events.ended();
  }
}
