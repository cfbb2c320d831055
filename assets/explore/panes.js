// The two grids: what is drawn on them, what stands above and below them, and the sample that is pointed at.

import {fixed, number, one, text} from '../shared/dom.js';
import {say} from '../shared/language.js';
import {openStep} from '../shared/tabs.js';
import {meterHelp, realCaption} from '../shared/wording.js';
import {drawDifference, drawFrame, layoutOf} from './canvas.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').Frame} Frame */
/** @typedef {import('./types.js').RealPictures} RealPictures */

/** One grid of the page. */
export class Pane {
  /** The finished or live frame that is shown. @type {Frame | null} */ frame = null;
  /** The frame on the canvas, which may be one of its denoising. @type {Frame | null} */ drawn = null;
  /** The real pictures on the canvas. @type {RealPictures | null} */ #real = null;
  /** The frame that the meters are of. @type {Frame | null | undefined} */ #metered;

  /**
   * @param {HTMLElement} figure
   * @param {Store} store
   */
  constructor(figure, store) {
    this.store = store;
    this.figure = figure;
    this.canvas = one(figure, 'canvas', HTMLCanvasElement);
    this.mark = one(figure, '.mark', HTMLElement);
    this.pressed = one(figure, '.pressed', HTMLElement);
    this.progress = one(figure, 'progress', HTMLProgressElement);
    this.title = one(figure, 'figcaption b', HTMLElement);
    this.caption = one(figure, '.shown', HTMLElement);
    this.names = one(figure, '.names', HTMLElement);
    this.meters = one(figure, '.meters', HTMLElement);
  }

  /**
   * Put a frame on the canvas, with its title and caption.
   *
   * @param {Frame} frame the finished or live one
   * @param {Frame} current the same, or one of its denoising
   * @param {string} title
   */
  show(frame, current, title) {
    this.frame = frame;
    if (!current.pixels || (this.drawn === current && this.title.textContent === title)) return;
    const {model} = this.store;
    this.drawn = current;
    this.#real = null;
    drawFrame(this.canvas, current, model);
    const {classes, w, seed, evaluations: at, total, precomputed} = current, {several, columns, count} = layoutOf(current, model);
    this.names.replaceChildren(...(several ? classes.map(label => text('span', model.classes[label])) : []));
    this.figure.style.setProperty('--aspect', String(this.canvas.width / this.canvas.height));
    const what = several ? say('grid.all_classes') : model.classes[classes[0]];
    this.title.textContent = title;
    this.canvas.setAttribute('aria-label', say('grid.label', {count, title, what, w: number(w)}));
    Object.assign(this.canvas.dataset, {w, classes: classes.join(), seed, evaluations: at, done: at === total, precomputed});
    const step = at === total ? '' : `${say('grid.step', {at, total})} · `;
    this.caption.textContent = `${step}w = ${number(w)}`;
    this.caption.title = precomputed ? say('cost.precomputed') : '';
  }

  /**
   * Put real pictures on the canvas instead.
   *
   * @param {Frame} frame that would be shown
   * @param {RealPictures} real
   */
  showReal(frame, real) {
    this.frame = frame;
    if (this.#real === real) return;
    const {model} = this.store;
    this.#real = real;
    this.drawn = null;
    const {several, count} = layoutOf(real, model);
    drawFrame(this.canvas, real, model);
    this.names.replaceChildren(...(several ? real.classes.map(label => text('span', model.classes[label])) : []));
    this.figure.style.setProperty('--aspect', String(this.canvas.width / this.canvas.height));
    this.title.textContent = say('explore.real_pictures');
    this.caption.textContent = this.caption.title = realCaption(real);
    this.canvas.setAttribute('aria-label', say('grid.real', {count, what: several ? say('grid.all_classes') : model.classes[real.classes[0]]}));
  }

  /**
   * Show where this grid differs from another of equal layout.
   *
   * @param {Frame} other
   */
  showDifference(other) {
    const {drawn, store} = this;
    if (!drawn?.pixels || other.pixels?.length !== drawn.pixels.length) return;
    drawDifference(this.canvas, drawn, other, store.model);
    this.title.textContent = say('difference.title');
    this.caption.textContent = say('difference.caption', {w: number(drawn.w)});
    this.meters.textContent = '';
    this.drawn = null;
  }

  /** The meters of the finished frame that is drawn; those of an unfinished one are not known. */
  showMeters() {
    const frame = this.drawn?.done ? this.frame : null;
    if (this.#metered === frame) return;
    this.#metered = frame;
    const meter = frame?.meter, {several, count} = frame ? layoutOf(frame, this.store.model) : {several: false, count: 1};
    const sure = meter ? say('meter.sure', {sure: fixed(meter.fidelity, 2)}) : '';
    const differ = meter && count > 1 ? say('meter.differ', {differ: fixed(meter.diversity), count}) : '';
    this.meters.textContent = [sure, differ].filter(Boolean).join(' · ');
    this.meters.title = meter ? meterHelp(several) : '';
  }

  /**
   * Mark one sample, in reading order, or none.
   *
   * @param {number | null} n
   * @param {HTMLElement} [mark]
   */
  markSample(n, mark = this.mark) {
    const {canvas, drawn} = this;
    mark.hidden = n === null || !drawn;
    if (n === null || !drawn) return;
    const {columns, count} = layoutOf(drawn, this.store.model), rows = Math.ceil(count / columns);
    mark.style.width = 100 / columns + '%';
    mark.style.height = canvas.clientHeight / rows + 'px';
    mark.style.left = (100 * (n % columns)) / columns + '%';
    mark.style.top = (canvas.clientHeight * Math.floor(n / columns)) / rows + 'px';
  }

  /**
   * The sample under the pointer, in reading order.
   *
   * @param {MouseEvent} event
   */
  sampleUnder(event) {
    if (!this.drawn) return null;
    const box = this.canvas.getBoundingClientRect(), {columns, count} = layoutOf(this.drawn, this.store.model);
    const row = Math.floor(((event.clientY - box.top) / box.height) * Math.ceil(count / columns));
    const n = row * columns + Math.floor(((event.clientX - box.left) / box.width) * columns);
    return n >= 0 && n < count ? n : null;
  }

  /**
   * Show a sample inside a step.
   *
   * @param {number | null} n in reading order
   * @param {import('./types.js').PlainRequest} request of this grid
   */
  #openStep(n, request) {
    if (n === null || !this.drawn || document.documentElement.dataset.asks) return;
    const {classes, w} = this.drawn, {several, columns} = layoutOf(this.drawn, this.store.model);
    openStep(several ? n % columns : n, {...request, w, class: classes[several ? Math.floor(n / columns) : 0]});
  }

  /**
   * Let the pointer and the arrow keys pick a sample; a double click or Enter shows it inside a step.
   *
   * @param {{
   *   pick: (n: number | null) => void, press: (n: number) => void, picked: () => number | null, speak: (sentence: string) => void,
   *   request: () => import('./types.js').PlainRequest,
   * }} view request: of this grid
   */
  listen({pick, press, picked, speak, request}) {
    const {canvas} = this;
    canvas.addEventListener('pointermove', event => pick(this.sampleUnder(event)));
    canvas.addEventListener('pointerdown', event => {
      const n = this.sampleUnder(event);
      pick(n);
      if (n !== null) press(n);
    });
    canvas.addEventListener('pointerleave', event => { if (event.pointerType !== 'touch') pick(null); });
    canvas.addEventListener('focus', () => { if (this.drawn && canvas.matches(':focus-visible')) pick(picked() ?? 0); });
    canvas.addEventListener('blur', () => pick(null));
    canvas.addEventListener('dblclick', event => this.#openStep(this.sampleUnder(event), request()));
    canvas.addEventListener('keydown', event => {
      if (!this.drawn) return;
      const {columns, count} = layoutOf(this.drawn, this.store.model);
      /** @type {Record<string, number>} */
      const steps = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -count, End: count};
      const by = steps[event.key];
      if (event.key === 'Escape') pick(null);
      if (event.key === 'Enter') this.#openStep(picked(), request());
      if (!by) return;
      event.preventDefault();
      const to = Math.min(count - 1, Math.max(0, (picked() ?? 0) + by));
      pick(to);
      speak(say('grid.sample_over_w', {sample: to + 1, count}));
    });
  }
}
