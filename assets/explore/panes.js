// The two grids: what is drawn on them, what stands above and below them, and the sample that is pointed at.

import {all, decimal, number, one, text} from '../shared/dom.js';
import {openStep} from '../shared/tabs.js';
import {gridTitle} from '../shared/wording.js';
import {drawFrame, layoutOf} from './canvas.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').Frame} Frame */

/** One grid of the page. */
export class Pane {
  /** The finished or live frame that is shown. @type {Frame | null} */ frame = null;
  /** The frame on the canvas, which may be one of its denoising. @type {Frame | null} */ drawn = null;
  /** The frame that the meters were set for. @type {Frame | null | undefined} */ #metered;

  /**
   * @param {HTMLElement} figure
   * @param {Store} store
   */
  constructor(figure, store) {
    this.store = store;
    this.figure = figure;
    this.canvas = one(figure, 'canvas', HTMLCanvasElement);
    this.mark = one(figure, '.mark', HTMLElement);
    this.progress = one(figure, 'progress', HTMLProgressElement);
    this.title = one(figure, 'figcaption b', HTMLElement);
    this.caption = one(figure, '.shown', HTMLElement);
    this.names = one(figure, '.names', HTMLElement);
    this.meters = all(figure, 'meter', HTMLMeterElement);
  }

  /**
   * Put a frame on the canvas, with its title and caption.
   *
   * @param {Frame} frame the finished or live one
   * @param {Frame} current the same, or one of its denoising
   */
  show(frame, current) {
    this.frame = frame;
    if (!current.pixels || this.drawn === current) return;
    const {model} = this.store;
    this.drawn = current;
    drawFrame(this.canvas, current, model);
    const {classes, w, seed, evaluations: at, total, precomputed} = current, {several, columns, count} = layoutOf(current, model);
    this.names.replaceChildren(...(several ? classes.map(label => text('span', model.classes[label])) : []));
    this.names.style.setProperty('--columns', String(columns));
    const title = gridTitle(this.store.request.rule, w), what = several ? 'all classes' : model.classes[classes[0]];
    this.title.textContent = title;
    this.canvas.setAttribute('aria-label', `${count} ${title} samples of ${what} at w = ${number(w)}`);
    Object.assign(this.canvas.dataset, {w, classes: classes.join(), seed, evaluations: at, done: at === total, precomputed});
    const step = at === total ? '' : `step ${at} of ${total} · `;
    this.caption.textContent = step + (precomputed ? 'precomputed · ' : '') + `w = ${decimal(w)}`;
  }

  /** The meters of the finished frame; those of an unfinished one are not known yet. */
  showMeters() {
    if (this.#metered === this.frame) return;
    this.#metered = this.frame;
    const meter = this.frame?.meter, pictures = this.frame ? layoutOf(this.frame, this.store.model).count : 1;
    const {fidelity, diversity} = meter ?? {fidelity: 0, diversity: 0};
    const words = [fidelity.toFixed(2), `${diversity.toFixed(1)} of ${pictures}`];
    this.meters.forEach((bar, i) => {
      if (i) bar.max = Math.max(2, pictures);
      bar.value = [fidelity, diversity][i];
      const read = meter ? words[i] : '–';
      if (bar.nextElementSibling) bar.nextElementSibling.textContent = read;
      bar.setAttribute('aria-valuetext', read);
    });
  }

  /**
   * Mark one sample, in reading order, or none.
   *
   * @param {number | null} n
   */
  markSample(n) {
    const {mark, canvas, drawn} = this;
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

  /** Show a sample inside a step. @param {number | null} n in reading order */
  #openStep(n) {
    if (n === null || !this.drawn) return;
    const {store, drawn: {classes, w}} = this, {several, columns} = layoutOf(this.drawn, store.model);
    openStep(several ? Math.floor(n / columns) : n, {...(several ? {class: classes[n % columns]} : {}), ...(w === store.request.w ? {} : {w})});
  }

  /**
   * Let the pointer and the arrow keys pick a sample; a double click or Enter shows it inside a step.
   *
   * @param {{pick: (n: number | null) => void, picked: () => number | null, speak: (sentence: string) => void}} view
   */
  listen({pick, picked, speak}) {
    const {canvas} = this;
    canvas.addEventListener('pointermove', event => pick(this.sampleUnder(event)));
    canvas.addEventListener('pointerdown', event => pick(this.sampleUnder(event)));
    canvas.addEventListener('pointerleave', event => { if (event.pointerType !== 'touch') pick(null); });
    canvas.addEventListener('focus', () => { if (this.drawn && canvas.matches(':focus-visible')) pick(picked() ?? 0); });
    canvas.addEventListener('blur', () => pick(null));
    canvas.addEventListener('dblclick', event => this.#openStep(this.sampleUnder(event)));
    canvas.addEventListener('keydown', event => {
      if (!this.drawn) return;
      const {columns, count} = layoutOf(this.drawn, this.store.model);
      /** @type {Record<string, number>} */
      const steps = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -count, End: count};
      const by = steps[event.key];
      if (event.key === 'Escape') pick(null);
      if (event.key === 'Enter') this.#openStep(picked());
      if (!by) return;
      event.preventDefault();
      const to = Math.min(count - 1, Math.max(0, (picked() ?? 0) + by));
      pick(to);
      speak(`sample ${to + 1} of ${count}, shown over all w`);
    });
  }
}
