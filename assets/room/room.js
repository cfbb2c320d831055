// The class that this page is in: alone, as its teacher's page, or as a student's. All parts of the page share the one
// `room`; it dispatches
//   'change'   the role, the state (question, phase, blank), the counts or the connection have changed;
//   'answers'  answers have come (detail: the question's id), or are shown to all;
//   'follow'   this page follows, or no longer does;
//   'pictures' there are new pictures of what the class looks at.

import {readAddress, updateAddress} from '../shared/address.js';
import {explored} from '../shared/tabs.js';
import {sharedQuery, visit} from '../shared/visit.js';
import {say} from '../shared/language.js';
import {post} from './connection.js';
import {remember, remembered} from './storage.js';
import {Student} from './student.js';
import {Teacher} from './teacher.js';

/** @typedef {import('./types.js').Answer} Answer */
/** @typedef {import('./types.js').Phase} Phase */
/** @typedef {import('./storage.js').StudentRecord} StudentRecord */
/** @typedef {import('./storage.js').TeacherRecord} TeacherRecord */

const PATIENCE = 3000;  // milliseconds that the page waits at its start for what the class shows

class Room extends EventTarget {
  /** @type {Teacher | null} */ #teacher = null;
  /** @type {Student | null} */ #student = null;
  /** What ended the class, or kept the page out of it, in words; '' for nothing. */ notice = '';
  /** Whether this page was in a class that is over. */ ended = false;
  /** The requests of the pictures that Explore shows; set by it. @type {() => {request: object, reference: object} | null} */
  shows = () => null;
  /** Fulfilled once it is known what the page begins with. */
  ready = this.#begin();

  /** @returns {'alone' | 'teacher' | 'student'} */
  get role() {
    return this.#teacher ? 'teacher' : this.#student ? 'student' : 'alone';
  }

  /** Whether this page shows what its teacher's page shows. */
  get following() {
    return this.#student !== null && !this.#student.exploring;
  }

  /** Whether it is a student's page that is on its own. */
  get exploring() {
    return this.#student !== null && this.#student.exploring;
  }

  get connected() {
    return (this.#teacher ?? this.#student)?.connected ?? false;
  }

  /** Why the server does not let this page open or join the room now, '' otherwise. */
  get problem() {
    return (this.#teacher ?? this.#student)?.problem ?? '';
  }

  /** The code, the link and its QR code; null before the room is open, and on a student's page. */
  get opened() {
    return this.#teacher?.opened ?? null;
  }

  get counts() {
    return this.#teacher?.counts ?? {following: 0, exploring: 0};
  }

  get #state() {
    return this.#teacher?.state ?? this.#student?.state ?? {blank: false, question: '', phase: /** @type {Phase} */ ('open')};
  }

  /** Whether the teacher has blanked all pages. */
  get blank() {
    return this.#state.blank;
  }

  /** The id of the question that is asked, '' for none. */
  get question() {
    return this.#state.question;
  }

  /** The phase of that question. @returns {Phase} */
  get phase() {
    return this.#state.phase;
  }

  // ---- what the teacher's page does ----

  /** Begin a class that this page leads. */
  async start() {
    this.#lead();
    await this.#teacher?.start();
    if (this.#teacher && !this.opened) {
      this.notice = this.problem;
      this.#teacher = null;
    }
    this.#changed();
  }

  /** End it. */
  async end() {
    await this.#teacher?.close();
  }

  /** Ask a question, unless it is the one that is asked: answers are taken. '' for none. @param {string} question */
  ask(question) {
    if (question !== this.question) this.#set({question, phase: 'open'});
  }

  /** Show the answers to all. @param {string} question */
  show(question) {
    this.#set({question, phase: 'shown'});
  }

  /** Show what is right, too. @param {string} question */
  reveal(question) {
    this.#set({question, phase: 'revealed'});
  }

  /** @param {boolean} blank */
  setBlank(blank) {
    this.#set({blank});
  }

  /** The class's answers as a table, without persons. */
  get csv() {
    return this.#teacher?.csv ?? '';
  }

  // ---- what a student's page does ----

  /**
   * Join the class of a code, or of an id as links have it; a sentence where it cannot.
   *
   * @param {string} code
   */
  async join(code) {
    let id = code;
    if (!/^[\w-]{22}$/.test(code)) {
      const answer = await post('find', {code}).catch(() => null);
      if (!answer?.ok) return answer?.error ?? say('server.no_answer_now');
      id = answer.id;
    }
    this.#follow(id);
    updateAddress({room: id});
    this.#changed();
    return '';
  }

  /** Leave the class. */
  leave() {
    this.#student?.leave();
    this.#alone();
  }

  /** The page is on its own, or comes back to the class. @param {boolean} on */
  explore(on) {
    if (!this.#student || on === this.exploring) return;
    this.#student.explore(on);
    this.dispatchEvent(new Event('follow'));
    this.#changed();
  }

  /**
   * Answer a question of the class; true once the server keeps the answer, false where it is no longer open.
   *
   * @param {string} question
   * @param {Answer} value
   * @returns {Promise<boolean>}
   */
  async answer(question, value) {
    return this.#student ? this.#student.answer(question, value) : false;
  }

  /** The answer of this page, undefined before it has one. @param {string} question */
  ownAnswer(question) {
    return this.#student?.answers.get(question);
  }

  // ---- both ----

  /**
   * The class's answers: on the teacher's page those that have come, on a student's those that are shown.
   *
   * @param {string} question
   * @returns {Answer[]}
   */
  answers(question) {
    if (this.#teacher) return [...this.#teacher.answers.get(question)?.values() ?? []];
    const state = this.#student?.state;
    return (state?.question === question && state.answers) || [];
  }

  /** The pictures that the class looks at, as they come. @param {import('./pictures.js').Ask} ask @param {boolean} anew */
  pictures(ask, anew) {
    return this.#student ? this.#student.pictures.poll(ask, anew) : Promise.reject(new Error('this page follows no class'));
  }

  // ---- helpers ----

  async #begin() {
    const {room: id} = readAddress(), record = remembered();
    if (id) {
      const problem = record?.role === 'student' && record.id === id ? this.#follow(id, record) : await this.join(id);
      if (problem) return this.#alone(problem);
      const first = new Promise(resolve => { this.addEventListener('first', resolve, {once: true}); });
      await Promise.race([first, new Promise(resolve => { setTimeout(resolve, PATIENCE); })]);
    } else if (record?.role === 'teacher') {
      this.#lead(record);
      this.#teacher?.start();
    }
  }

  /** @param {TeacherRecord} [record] */
  #lead(record) {
    this.notice = '';
    this.ended = false;
    const teacher = this.#teacher = new Teacher({
      changed: () => this.#changed(),
      answers: question => this.dispatchEvent(new CustomEvent('answers', {detail: question})),
      ended: () => { this.ended = true; this.#alone(); },
      shows: () => this.#shown,
    }, record);
    for (const event of ['lab:address', 'lab:visit', 'lab:explored', 'popstate']) addEventListener(event, () => { if (this.#teacher === teacher) teacher.lead(); });
  }

  /** What this page shows: the query of its address, with the w under the thumb, and the pictures of Explore. */
  get #shown() {
    const query = sharedQuery(), now = explored(), onExplore = document.documentElement.dataset.tab === 'explore';
    if (onExplore && now) query.set('w', String(now.w));
    return {address: `?${query}`.replaceAll('%2C', ','), pictures: onExplore ? this.shows() : null};
  }

  /** @param {string} id @param {StudentRecord} [record] */
  #follow(id, record) {
    this.notice = '';
    this.ended = false;
    this.#student = new Student(id, {
      state: () => this.#showState(),
      pictures: () => this.dispatchEvent(new Event('pictures')),
      changed: () => this.#changed(),
      ended: sentence => { this.ended = true; this.#alone(sentence); },
    }, record);
    this.#student.start();
    this.dispatchEvent(new Event('follow'));
  }

  /** Show what the teacher's page shows, where this page follows. */
  #showState() {
    const state = this.#student?.state;
    if (!state) return;
    if (this.following && state.address) visit(Object.fromEntries(new URLSearchParams(state.address)));
    this.dispatchEvent(new Event('first'));
    if (state.answers) this.dispatchEvent(new CustomEvent('answers', {detail: state.question}));
    this.dispatchEvent(new Event('pictures'));
    this.#changed();
  }

  /** @param {Partial<import('./types.js').RoomState>} fields */
  #set(fields) {
    this.#teacher?.set(fields);
    this.#changed();
  }

  /** @param {string} [sentence] why */
  #alone(sentence = '') {
    const followed = this.#student !== null;
    this.#teacher = this.#student = null;
    this.notice = sentence;
    remember(null);
    updateAddress({room: null});
    if (followed) this.dispatchEvent(new Event('follow'));
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  /** The phone woke, the network is back: connect at once. */
  wake() {
    (this.#teacher ?? this.#student)?.stream.wake();
  }
}

export const room = new Room();

for (const event of ['online', 'pageshow']) addEventListener(event, () => room.wake());
document.addEventListener('visibilitychange', () => { if (!document.hidden) room.wake(); });
