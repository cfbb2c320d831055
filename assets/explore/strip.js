// The strip: the same noises at other guidance strengths, as grids, or one sample of each of them, large.

import {number, text} from '../shared/dom.js';
import {drawFrame, drawSample} from './canvas.js';

/** @typedef {import('./store.js').Store} Store */

const SHOWN_RUNGS = [0, 0.5, 1, 2, 3, 4, 6, 8];

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
    this.cells = SHOWN_RUNGS.map(w => {
      const button = document.createElement('button'), canvas = document.createElement('canvas');
      button.type = 'button';
      button.append(canvas, text('span', number(w)));
      button.addEventListener('click', () => choose(w));
      return {w, button, canvas, drawn: /** @type {string | null} */ (null)};
    });
    node.replaceChildren(...this.cells.map(cell => cell.button));
  }

  /** Draw what has come since. */
  draw() {
    const {store, sample} = this;
    this.node.hidden = !store.rungs;
    const frames = new Map(store.finished().reverse().map(frame => [frame.w, frame]));
    const near = this.cells.reduce((a, b) => (Math.abs(b.w - store.thumb) < Math.abs(a.w - store.thumb) ? b : a));
    for (const cell of this.cells) {
      const {button, canvas} = cell, frame = frames.get(cell.w), key = frame ? `${frame.serial} ${sample}` : '';
      button.classList.toggle('on', cell === near);
      if (cell.drawn === key) continue;
      cell.drawn = key;
      if (!frame) canvas.width = canvas.height = 1;
      else if (sample === null) drawFrame(canvas, frame, store.model);
      else drawSample(canvas, frame, sample, store.model);
      const what = sample === null ? 'the grid' : `sample ${sample + 1}`;
      const state = frame ? (frame.precomputed ? 'precomputed' : 'drawn here') : 'not drawn yet';
      button.setAttribute('aria-label', `${what} at w = ${number(cell.w)}, ${state}`);
      button.title = state;
      button.classList.toggle('missing', !frame);
      button.classList.toggle('precomputed', state === 'precomputed');
    }
  }
}
