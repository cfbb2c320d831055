// The small trade-off curve of the model, on which the slider is a dot where the curve is of what is shown.

import {chart} from '../shared/chart.js';
import {one} from '../shared/dom.js';
import {beyond, curveOf} from '../shared/wording.js';

/** @typedef {import('./store.js').Store} Store */

const FEWEST = 3;  // points that make a curve

export class TradeOffCurve {
  /** @type {import('../shared/chart.js').Chart | null} */ #chart = null;

  /**
   * @param {HTMLElement} aside
   * @param {Store} store
   */
  constructor(aside, store) {
    this.aside = aside;
    this.store = store;
    this.note = one(aside, '.measured', HTMLElement);
  }

  /** Draw the curve of the model, if it has been measured. */
  build() {
    const before = one(this.aside, '.chart', SVGSVGElement), {curve} = this.store.model, points = curve?.points ?? [];
    const node = /** @type {SVGSVGElement} */ (before.cloneNode());  // without the observer of the chart before
    before.replaceWith(node);
    this.#chart = null;
    node.toggleAttribute('hidden', points.length < FEWEST);
    this.note.hidden = true;
    if (!curve || points.length < FEWEST) return;
    this.#chart = chart(node, {
      x: {name: 'inception', title: curve.metrics.inception}, y: {name: 'fid', title: curve.metrics.fid},
      curves: [{main: true, title: '', points}], baseline: null, small: true,
    });
  }

  /** Put the dot where the slider is, or take it away. */
  move() {
    const {model, request, thumb} = this.store, {curve} = model;
    if (!this.#chart || !curve) return;
    const {dot, label, note} = curveOf(model, curve, {...request, w: thumb});
    this.#chart.move(dot ? 0 : null, thumb, beyond(curve.points.map(point => point.w), thumb));
    one(this.aside, '.chart', SVGSVGElement).setAttribute('aria-label', label);
    this.note.textContent = note;
    this.note.hidden = !note;
  }
}
