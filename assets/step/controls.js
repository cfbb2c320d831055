// The controls of the tab, and its words: they show the place and change it.

import {all, decimal, fixed, formula, number, one, text} from '../shared/dom.js';
import {inWords, say} from '../shared/language.js';
import {put, sheet} from './canvas.js';
import {LEFT, NormChart, RIGHT, domain} from './chart.js';
import {difference, norm, sigmaOf} from './predictions.js';
import {chartLabel, stepSentence, symbol} from './wording.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').Place} Place */
/** @typedef {import('./types.js').View} View */

export class Controls {
  #charted = '';

  /**
   * @param {HTMLElement} lab
   * @param {Store} store
   * @param {[low: number, high: number]} range of w
   * @param {(place: Partial<Place>) => void} go
   */
  constructor(lab, store, [low, high], go) {
    this.lab = lab;
    this.store = store;
    this.go = go;
    this.w = one(lab, '.w', HTMLInputElement);
    this.level = one(lab, '.level', HTMLInputElement);
    this.sample = one(lab, 'input.sample', HTMLInputElement);
    this.views = all(lab, '.views input', HTMLInputElement);
    this.sheet = one(lab, '.samples canvas', HTMLCanvasElement);
    this.mark = one(lab, '.samples .mark', HTMLElement);
    this.svg = one(lab, '.chart', SVGSVGElement);
    this.chart = new NormChart(this.svg, logSnr => go({step: store.stepAt(logSnr)}));
    Object.assign(this.w, {min: low, max: high});
    const track = one(lab, '.track', HTMLElement);
    track.style.setProperty('--low', String(low));
    one(track, 'ol', HTMLElement).replaceChildren(...Array.from({length: high - low + 1}, (_, i) => text('li', number(i + low))));
    const norms = one(lab, '.norms', HTMLElement);
    norms.style.setProperty('--left', `${LEFT}px`);
    norms.style.setProperty('--right', `${RIGHT}px`);
    this.#listen();
  }

  /** What another trajectory offers. */
  adopt() {
    const {trajectory, samples} = this.store;
    if (!trajectory) return;
    const {request, rule, sampler, log_snrs: levels, shape, interval} = trajectory, [low, high] = domain(levels);
    Object.assign(this.level, {min: low, max: high, disabled: levels.length < 2});
    Object.assign(this.sample, {max: samples, disabled: samples < 2});
    this.#charted = '';
    put(this.sheet, sheet(trajectory.samples, shape, this.#across));
    one(this.lab, '.strength label small', HTMLElement).replaceChildren(...formula(trajectory.formula));
    one(this.lab, '.guides', HTMLElement).hidden = !interval;
    one(this.lab, '.settings', HTMLElement).textContent = say('step.drawn', {w: number(request.w), rule: inWords(rule), sampler: inWords(sampler), steps: request.steps, seed: request.seed})
      + (shape[0] > 3 ? ` ${say('step.latent', {channels: shape[0]})}` : '');
  }

  /** Samples of a row of the sheet. */
  get #across() {
    return Math.ceil(Math.sqrt(this.store.samples));
  }

  /** Say how far the drawing is. @param {string} sentence */
  wait(sentence) {
    one(this.lab, '.sentence strong', HTMLElement).textContent = sentence;
    one(this.lab, '.sentence span', HTMLElement).textContent = '';
  }

  /** Set the controls and the words to the place. */
  reflect() {
    const {store} = this, {trajectory, place, logSnr} = store;
    if (!trajectory) return;
    const steps = trajectory.log_snrs.length, level = say('step.level', {level: fixed(logSnr), sigma: sigmaOf(logSnr).toPrecision(2), step: place.step, steps});
    this.w.value = String(place.w);
    this.w.setAttribute('aria-valuetext', say('slider.value', {w: number(place.w), s: number(1 + place.w)}));
    one(this.lab, '.strength output b', HTMLElement).textContent = `w = ${decimal(place.w)}`;
    one(this.lab, '.strength output small', HTMLElement).textContent = say('slider.scale', {s: decimal(1 + place.w)});
    this.level.value = String(logSnr);
    this.level.setAttribute('aria-valuetext', level);
    one(this.lab, '.ends output', HTMLElement).textContent = level;
    this.sample.value = String(place.sample);
    this.sample.setAttribute('aria-valuetext', say('step.sample_of', {sample: place.sample, samples: store.samples}));
    for (const input of this.views) input.checked = input.value === place.view;
    this.#markSample();
    this.#words();
    this.#chart();
  }

  #markSample() {
    const {mark, store: {place, samples}} = this, across = this.#across, rows = Math.ceil(samples / across), n = place.sample - 1;
    Object.assign(mark.style, {
      width: `${100 / across}%`, height: `${100 / rows}%`, left: `${100 * (n % across) / across}%`, top: `${100 * Math.floor(n / across) / rows}%`,
    });
  }

  #words() {
    const {store} = this, {trajectory, place} = store, shown = store.shown();
    if (!trajectory || !shown) return;
    const [strong, rest] = stepSentence({
      view: place.view, thing: trajectory.class, step: place.step, logSnrs: trajectory.log_snrs, norms: store.norms(place.sample, place.view),
      acts: trajectory.acts[place.step - 1], linear: trajectory.linear, w: shown.w,
      moved: shown.guided && norm(difference(shown.guided, shown.conditional)),
    });
    one(this.lab, '.sentence strong', HTMLElement).textContent = strong;
    one(this.lab, '.sentence span', HTMLElement).textContent = rest;
  }

  #chart() {
    const {store} = this, {trajectory, place: {sample, step, view}, samples} = store, key = `${sample} ${step} ${view}`;
    if (!trajectory || key === this.#charted) return;
    this.#charted = key;
    const norms = Array.from({length: samples}, (_, n) => store.norms(n + 1, view)), logSnrs = trajectory.log_snrs;
    const mean = logSnrs.map((_, i) => norms.reduce((sum, values) => sum + values[i], 0) / samples);
    this.chart.show({logSnrs, norms, mean, sample, step, interval: trajectory.interval});
    this.svg.setAttribute('aria-label', chartLabel({view, samples, sample, logSnrs, mean}));
    const letter = symbol(view);
    one(this.lab, '.norms b', HTMLElement).textContent = say('step.norm', {letter});
    one(this.lab, '.legend > span', HTMLElement).textContent = say('step.sample_of', {sample, samples});
  }

  #listen() {
    const {store, go} = this;
    this.w.addEventListener('input', () => go({w: Math.round(10 * Number(this.w.value)) / 10}));
    this.level.addEventListener('input', () => this.#goTo(store.stepAt(Number(this.level.value))));
    this.level.addEventListener('keydown', event => {
      const last = store.trajectory?.log_snrs.length ?? 1, {step} = store.place;
      /** @type {Record<string, number>} */
      const keys = {
        ArrowLeft: step - 1, ArrowDown: step - 1, ArrowRight: step + 1, ArrowUp: step + 1, Home: 1, End: last,
        PageDown: step - Math.ceil(last / 10), PageUp: step + Math.ceil(last / 10),
      };
      if (!(event.key in keys) || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.#goTo(Math.max(1, Math.min(last, keys[event.key])));
      this.level.dispatchEvent(new Event('change', {bubbles: true}));
    });
    this.sample.addEventListener('input', () => go({sample: Number(this.sample.value)}));
    this.sheet.addEventListener('click', event => {
      const box = this.sheet.getBoundingClientRect(), across = this.#across, rows = Math.ceil(store.samples / across);
      const n = Math.floor((event.clientY - box.top) / box.height * rows) * across + Math.floor((event.clientX - box.left) / box.width * across);
      if (n >= 0 && n < store.samples) go({sample: n + 1});
    });
    for (const input of this.views) input.addEventListener('change', () => go({view: /** @type {View} */ (input.value)}));
  }

  /** The thumb stands on the step, wherever it was dragged. @param {number} step */
  #goTo(step) {
    this.level.value = String(this.store.trajectory?.log_snrs[step - 1] ?? 0);
    this.go({step});
  }
}
