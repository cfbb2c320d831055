// Where the two grids differ: shown on the right one while the key or the button is held.

import {one} from '../shared/dom.js';

/** @typedef {import('./panes.js').Pane} Pane */

export class Difference {
  on = false;

  /**
   * @param {HTMLElement} lab
   * @param {Pane[]} panes
   * @param {() => void} redraw
   */
  constructor(lab, panes, redraw) {
    this.panes = panes;
    this.redraw = redraw;
    this.button = one(lab, '.difference', HTMLButtonElement);
    this.button.addEventListener('pointerdown', () => this.show(true));
    for (const end of ['pointerup', 'pointercancel', 'pointerleave']) this.button.addEventListener(end, () => this.show(false));
    this.button.addEventListener('keydown', ({key}) => { if (key === ' ' || key === 'Enter') this.show(true); });
    this.button.addEventListener('keyup', () => this.show(false));
  }

  /** @param {boolean} on */
  show(on) {
    if (on === this.on) return;
    this.on = on;
    this.button.setAttribute('aria-pressed', String(on));
    this.redraw();
  }

  /** Draw it over the right grid, if it is shown. */
  draw() {
    const [left, right] = this.panes;
    if (this.on && left.drawn) right.showDifference(left.drawn);
  }
}
