// What is on screen, in words: the sentence beside the grids, the denoising, what it cost.

import {fixed, number, one} from '../shared/dom.js';
import {language, say} from '../shared/language.js';
import {comparisonSentence, gridSentence} from '../shared/wording.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').Frame} Frame */

const LONG = 2;  // seconds that are worth a word

export class Captions {
  /**
   * @param {HTMLElement} lab
   * @param {Store} store
   */
  constructor(lab, store) {
    this.store = store;
    this.step = one(lab, '.step', HTMLInputElement);
    this.stepText = one(lab, '.denoising output', HTMLElement);
    this.strong = one(lab, '.sentence strong', HTMLElement);
    this.rest = one(lab, '.sentence span', HTMLElement);
    this.cost = one(lab, '.cost', HTMLElement);
    this.spoken = one(lab, '.visually-hidden', HTMLElement);
  }

  /** For screen readers. @param {string} sentence */
  speak(sentence) {
    this.spoken.textContent = sentence;
  }

  /** Announce a finished grid. @param {Frame} guided */
  speakOf(guided) {
    const {request, model} = this.store, what = request.class === 'all' ? say('grid.all_classes') : model.classes[request.class];
    this.speak(say('grid.drawn', {what, w: number(guided.w), count: guided.classes.length * guided.samples}));
  }

  /**
   * Describe what is shown.
   *
   * @param {Frame | null} reference the grid at w = 0, if it is of what is asked for now
   * @param {Frame | null} guided the other, if it is
   * @param {Frame | null} frame whatever the guided pane shows
   * @param {number | null} step the evaluation of the denoising that is shown, null for the newest
   * @param {string} comparedWith the title of the left grid
   */
  describe(reference, guided, frame, step, comparedWith) {
    this.#sentence(reference, guided, comparedWith);
    const {store} = this, here = guided?.done && guided.w === store.thumb ? guided : null;
    this.cost.textContent = here && store.satisfied ? costOf(here, store.waited / 1000) : this.#waiting();
    if (!frame) return;
    const at = step ?? (frame.done ? frame.total : frame.evaluations);
    this.step.max = String(frame.total);
    this.step.value = String(at);
    this.step.setAttribute('aria-valuetext', say('grid.evaluation', {at, total: frame.total}));
    this.stepText.textContent = `${at} / ${frame.total}`;
  }

  #waiting() {
    const {ahead, secondsLeft} = this.store;
    if (ahead) return say('cost.ahead', {ahead});
    return secondsLeft !== null && secondsLeft > LONG ? say('cost.left', {seconds: Math.ceil(secondsLeft)}) : say('cost.computing');
  }

  /** @param {Frame | null} reference @param {Frame | null} guided @param {string} comparedWith */
  #sentence(reference, guided, comparedWith) {
    const {store} = this, {request, model} = store, shown = guided?.pixels ? guided : null;
    const unguided = !Object.keys(request.vs).length;
    const [strong, rest] = (unguided ? gridSentence : comparisonSentence)({
      rule: request.rule, w: shown ? shown.w : store.thumb, pictures: store.pictures, noises: request.samples,
      comparedWith: reference ? say('compared.at', {other: comparedWith, w: number(reference.w)}) : comparedWith,
      thing: request.class === 'all' ? say('grid.picture') : thingOf(model.classes[request.class]),
      meters: reference?.meter && shown?.meter ? [reference.meter, shown.meter] : null,
    });
    this.strong.textContent = strong;
    this.rest.textContent = rest;
  }
}

/**
 * What a finished grid took of evaluations, and its person of time.
 *
 * @param {Frame} frame
 * @param {number} seconds
 */
function costOf({precomputed, evaluations}, seconds) {
  if (precomputed) return say('cost.precomputed');
  return `${say('cost.evaluations', {evaluations})}, ${seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${fixed(seconds)} s`}`;
}

/** A class within a sentence: English writes it small. @param {string} name */
const thingOf = name => (language() === 'en' ? name.toLowerCase() : name).replace('-', '\u2011');
