// The strip: the same noises at the rungs of the axis, as grids, or one sample of each of them, large.

import {number, text} from '../shared/dom.js';
import {say} from '../shared/language.js';
import {rungsOf} from './axis.js';
import {drawFrame, drawSample} from './canvas.js';

/** @typedef {import('./store.js').Store} Store */

export class Strip {
  /** The one sample that is shown over w, in reading order, or null for the grids. @type {number | null} */ sample = null;

  /**
   * @param {HTMLElement} node
   * @param {Store} store
   * @param {(w: number) => void} choose what a click on a cell asks for
   */
  constructor(node, store, choose) {
    this.node = node;
    this.store = store;
    this.choose = choose;
    /** @type {{w: number, button: HTMLButtonElement, canvas: HTMLCanvasElement, drawn: string | null}[]} */
    this.cells = [];
  }

  /** One cell for each rung of the axis. */
  #build() {
    const rungs = rungsOf(this.store.below);
    if (this.cells.length === rungs.length) return;
    this.cells = rungs.map((w, i) => {
      const button = document.createElement('button'), canvas = document.createElement('canvas');
      button.type = 'button';
      button.style.setProperty('--at', String(i / (rungs.length - 1)));
      button.append(canvas, text('span', number(w)));
      button.addEventListener('click', () => this.choose(w));
      return {w, button, canvas, drawn: null};
    });
    this.node.replaceChildren(...this.cells.map(cell => cell.button));
  }

  /** Draw what has come since. */
  draw() {
    const {store, sample} = this;
    this.#build();
    this.node.classList.toggle('empty', !store.rungs);
    const frames = new Map(store.finished(1).reverse().map(frame => [frame.w, frame]));
    const near = this.cells.reduce((a, b) => (Math.abs(b.w - store.thumb) < Math.abs(a.w - store.thumb) ? b : a));
    for (const cell of this.cells) {
      const {button, canvas} = cell, frame = frames.get(cell.w), key = frame ? `${frame.serial} ${sample}` : '';
      button.classList.toggle('on', cell === near);
      if (cell.drawn === key) continue;
      cell.drawn = key;
      if (!frame) canvas.width = canvas.height = 1;
      else if (sample === null) drawFrame(canvas, frame, store.model);
      else drawSample(canvas, frame, sample, store.model);
      const what = sample === null ? say('strip.grid') : say('strip.sample', {sample: sample + 1});
      const state = say(frame ? (frame.precomputed ? 'cost.precomputed' : 'strip.drawn') : 'strip.missing');
      button.setAttribute('aria-label', say('strip.label', {what, w: number(cell.w), state}));
      button.title = state;
      button.classList.toggle('missing', !frame);
    }
  }
}
