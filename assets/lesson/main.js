// The lesson beside the tabs: each step sets the page, asks, and then shows. The address says which step it is.
//
// Alone the reader answers and sees at once what is right. In a class the teacher's page asks all: students answer on their
// pages, the teacher shows the answers, and then what is right.

import {histogram} from '../room/histogram.js';
import {room} from '../room/room.js';
import {readAddress, updateAddress} from '../shared/address.js';
import {one, text} from '../shared/dom.js';
import {language, say, translate} from '../shared/language.js';
import {measuredAt, press} from '../shared/tabs.js';
import {onVisit, sharedQuery, visit} from '../shared/visit.js';
import {Answers} from './answers.js';
import {listenKeys} from './keys.js';
import {Presenter} from './presenter.js';
import {tabOf, verdict} from './questions.js';
import {scaleOf} from './scales.js';
import {elements} from './spans.js';

/** @typedef {import('./answers.js').Sides} Sides */
/** @typedef {import('./types.js').Answer} Answer */
/** @typedef {import('./types.js').Library} Library */
/** @typedef {import('./types.js').Measured} Measured */

const root = document.documentElement;

/**
 * Gradio calls this once the markup is on the page.
 *
 * @param {HTMLElement} element
 * @param {unknown} server
 * @param {{LESSONS: Library}} constants
 */
export function mount(element, server, {LESSONS}) {
  const lab = one(element, '.lab.lesson', HTMLElement);
  translate(element);
  new LessonPanel(lab, LESSONS);
}

class LessonPanel {
  /** The lesson that is open, '' for none. */ name = '';
  /** Its step, from 1. */ at = 1;
  /** Whether what is right is shown. */ #revealed = false;
  /** The own answer, null before it is given. @type {Answer | null} */ #answer = null;
  /** What was measured of the reveal. @type {Measured} */ #measured = {};
  /** @type {Sides} */ #sides = {A: 'other', B: 'guided'};

  /**
   * @param {HTMLElement} lab
   * @param {Library} lessons the first is that of the button
   */
  constructor(lab, lessons) {
    this.lab = lab;
    this.lessons = lessons;
    this.answers = new Answers(one(lab, '.answers', HTMLElement));
    this.form = one(lab, 'form', HTMLFormElement);
    this.button = Object.assign(text('button', say('lesson.lesson')), {type: 'button', className: 'open-lesson'});
    one(document, '.shell .actions', HTMLElement).prepend(this.button);
    this.presenter = new Presenter();
    this.#listen();
    this.#adopt(readAddress());
    const own = new Set([...sharedQuery().keys()].filter(name => name !== 'lesson' && name !== 'at'));
    if (this.name && !own.size && !room.following) this.#lead({});
  }

  get #lesson() {
    const languages = this.lessons[this.name];
    return languages?.[language()] ?? languages?.en ?? Object.values(languages ?? {})[0];
  }

  get #step() {
    return this.#lesson?.steps[this.at - 1];
  }

  /** The step's question in the class. */
  get #id() {
    return `${this.name}/${this.at}`;
  }

  // ---- where it is ----

  /** Set the page to the step, or to that of its reveal. @param {{then?: boolean, entry?: boolean}} how */
  #lead({then = false, entry = false}) {
    const step = this.#step;
    if (step) visit({...addressOf(then ? step.then_address : step.address), lesson: this.name, at: this.at}, entry);
  }

  /** @param {number} at */
  go(at) {
    const {length} = this.#lesson?.steps ?? [];
    if (at < 1 || at > length || room.following) return;
    this.at = at;
    this.#lead({entry: true});
    this.#begin();
  }

  /** Open a lesson at its first step, or close it. @param {string} name */
  open(name) {
    this.name = name;
    this.at = 1;
    if (name) return this.go(1);
    updateAddress({lesson: null, at: null}, true);
    if (room.role === 'teacher') room.ask('');
    this.#begin();
  }

  /** On: show the class's answers, reveal what is right, go to the next step. */
  next() {
    if (!this.#asks) this.go(this.at + 1);
    else if (this.#hidesAnswers) room.show(this.#id);
    else this.reveal();
  }

  /** Whether a question waits for its answer. */
  get #asks() {
    return Boolean(this.#step?.question) && !this.#revealed;
  }

  /** Whether this is the teacher's page, and its class has given answers that it does not see yet. */
  get #hidesAnswers() {
    return room.role === 'teacher' && room.question === this.#id && room.phase === 'open' && room.answers(this.#id).length > 0;
  }

  /** The address leads here. @param {Record<string, string>} query */
  #adopt(query) {
    this.name = query.lesson in this.lessons ? query.lesson : '';
    const steps = this.#lesson?.steps.length ?? 1, at = Number(query.at ?? 1);
    this.at = Number.isInteger(at) ? Math.max(1, Math.min(steps, at)) : 1;
    this.#begin();
  }

  // ---- a step ----

  #begin() {
    this.#revealed = false;
    this.#answer = null;
    this.#measured = {};
    press(null);
    const {lab, button} = this, lesson = this.#lesson, step = this.#step;
    lab.hidden = !step;
    root.toggleAttribute('data-lesson', Boolean(step));
    button.setAttribute('aria-pressed', String(Boolean(step)));
    if (!step || !lesson) return this.#ask();
    one(lab, '.where', HTMLElement).textContent = say('lesson.where', {title: lesson.title, at: this.at, steps: lesson.steps.length});
    one(lab, 'h2', HTMLElement).textContent = step.title;
    one(lab, '.words', HTMLElement).replaceChildren(...elements(step.words));
    const swapped = Math.random() < 0.5;
    this.#sides = swapped ? {A: 'guided', B: 'other'} : {A: 'other', B: 'guided'};
    this.#askClass();
    if (step.question) one(lab, '.question', HTMLElement).replaceChildren(...elements(step.question.text));
    this.#ask();
    one(lab, 'h2', HTMLElement).focus({preventScroll: true});
    this.#follow();
  }

  /** Offer the answers, and hide what would give them away; or no longer. */
  #ask() {
    const question = this.#step?.question;
    if (this.#asks && question) {
      root.dataset.asks = question.kind;
      root.toggleAttribute('data-swapped', this.#sides.A === 'guided');
      this.#offer(question);
    } else {
      delete root.dataset.asks;
      root.removeAttribute('data-swapped');
      this.answers.clear();
    }
    this.#reflect();
  }

  /** @param {import('./types.js').Question} question */
  async #offer(question) {
    const points = ['differ', 'changes most'].includes(question.kind), measured = points ? await measuredAt('explore', {}) : {};
    if (this.#step?.question === question && !this.#revealed) this.answers.ask(question, measured, this.#sides);
  }

  /** Keep the answer that is set, and alone see what is right. */
  async #submit() {
    const {value} = this.answers;
    if (value === null) return;
    this.#answer = value;
    if (room.role === 'student') {
      await room.answer(this.#id, value);
      room.explore(false);
    }
    else if (room.role === 'alone') this.reveal();
    this.#reflect();
  }

  /** Show what is right; the teacher's page shows it to all. */
  reveal() {
    const step = this.#step;
    if (!step?.question || this.#revealed || room.following) return;
    if (this.answers.value !== null && room.role === 'alone') this.#answer = this.answers.value;
    if (room.role === 'teacher') room.reveal(this.#id);
    if (step.then_address) this.#lead({then: true});
    this.#reveal();
  }

  async #reveal() {
    const step = this.#step, {lab} = this;
    if (!step?.question || this.#revealed) return;
    const {question} = step, answer = this.#answer;
    this.#revealed = true;
    this.#ask();
    const address = addressOf(step.then_address || step.address), {tab: shown = 'explore', ...fields} = address;
    const tab = tabOf(question.kind, shown);
    const needed = question.kind !== 'choose' || step.reveal.some(span => span.figure);
    /** @type {Measured} */
    const measured = this.#measured = needed ? await measuredAt(tab, shown === tab && step.then_address ? fields : {}) : {};
    if (this.#step !== step || !this.#revealed) return;
    const {right, sentence} = answer === null ? {right: null, sentence: ''} : verdict(question, answer, measured);
    lab.dataset.right = String(right);
    one(lab, '.verdict', HTMLElement).textContent = sentence;
    one(lab, '.reveal', HTMLElement).replaceChildren(...elements(step.reveal, measured));
    if (question.kind === 'changes most' && measured.changes) press(measured.changes.indexOf(Math.max(...measured.changes)));
    this.#reflect();
    if (!room.following) one(lab, '.next', HTMLElement).focus({preventScroll: true});
  }

  // ---- in a class ----

  /** A class that this page leads answers the question of the step; one may begin in the middle of a lesson. */
  #askClass() {
    const step = this.#step;
    if (step && room.role === 'teacher' && room.question !== this.#id) room.ask(step.question ? this.#id : '');
  }

  /** The class has begun, has shown answers or what is right, or its people have answered. */
  #follow() {
    this.#askClass();
    if (this.#step?.question && room.question === this.#id) {
      const own = room.ownAnswer(this.#id);
      if (own !== undefined) this.#answer = /** @type {Answer} */ (own);
      if (room.phase === 'revealed' && (room.following || room.role === 'teacher')) this.#reveal();
    }
    this.#reflect();
  }

  // ---- what is shown ----

  #reflect() {
    const {lab} = this, question = this.#step?.question, asks = this.#asks;
    const student = room.role === 'student', teacher = room.role === 'teacher';
    const taken = !student || !room.following || (room.question === this.#id && room.phase === 'open');
    this.form.hidden = !question;
    one(this.form, '.buttons', HTMLElement).hidden = !asks || teacher || !taken;
    one(lab, '.state', HTMLElement).textContent = !asks || !student || this.#answer === null ? '' : say('lesson.answered');
    if (!this.#revealed) {
      one(lab, '.verdict', HTMLElement).textContent = '';
      one(lab, '.reveal', HTMLElement).textContent = '';
      lab.dataset.right = '';
    }
    one(lab, 'footer', HTMLElement).hidden = room.following;
    one(lab, '.back', HTMLButtonElement).disabled = this.at === 1;
    one(lab, '.next', HTMLButtonElement).disabled = !asks && this.at === this.#lesson?.steps.length;
    one(lab, '.next', HTMLElement).textContent = say(this.#hidesAnswers ? 'lesson.show_answers' : asks ? 'lesson.reveal' : 'lesson.next');
    lab.dataset.phase = room.phase;
    const answers = room.question === this.#id ? room.answers(this.#id) : [], shown = room.phase !== 'open';
    one(lab, '.class', HTMLElement).hidden = !question || room.role === 'alone' || (student && !shown);
    one(lab, '.count', HTMLElement).textContent = say(answers.length === 1 ? 'lesson.one_answer' : 'lesson.answers', {count: answers.length});
    if (question && room.role !== 'alone') this.#histogram(question, answers);
  }

  /** @param {import('./types.js').Question} question @param {unknown[]} answers */
  #histogram(question, answers) {
    const node = one(this.lab, '.histogram', HTMLElement), scale = scaleOf(question, this.#measured, this.#revealed);
    node.innerHTML = histogram(answers, scale);  // escapes all words in it
    const picture = scale.kind === 'point' ? this.#measured.picture ?? null : null;
    node.style.backgroundImage = picture ? `url(${picture.toDataURL()})` : '';
  }

  #listen() {
    const {lab, form} = this, first = Object.keys(this.lessons)[0];
    this.button.addEventListener('click', () => this.open(this.name ? '' : first));
    one(lab, '.close', HTMLElement).addEventListener('click', () => this.open(''));
    one(lab, '.back', HTMLElement).addEventListener('click', () => this.go(this.at - 1));
    one(lab, '.next', HTMLElement).addEventListener('click', () => this.next());
    form.addEventListener('submit', event => {
      event.preventDefault();
      this.#submit();
    });
    listenKeys({open: () => Boolean(this.name) && !room.following, next: () => this.next(), back: () => this.go(this.at - 1)}, this.presenter);
    onVisit(() => ({lesson: this.name || null, at: this.name ? this.at : null}), query => this.#adopt(query));
    for (const event of ['change', 'answers', 'follow']) room.addEventListener(event, () => this.#follow());
  }
}

/** @param {string} query */
const addressOf = query => Object.fromEntries(new URLSearchParams(query));
