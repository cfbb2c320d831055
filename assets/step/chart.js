// The chart over λ: the norm of the difference for each sample and their mean, as inline SVG at the size it has on the page.

import {number} from '../shared/dom.js';
import {ticks} from '../shared/scale.js';
import {shape} from '../shared/shapes.js';

/**
 * norms: of each sample, at each λ. sample: the marked one, from 1; step: the one that is shown, from 1. interval: the λ
 * between which the rule guides.
 *
 * @typedef {{
 *   logSnrs: number[], norms: number[][], mean: number[], sample: number, step: number,
 *   interval: [low: number, high: number] | null,
 * }} Lines
 */

/** Pixels between the ends of the λ axis and those of the chart; the slider below has the same. */
export const LEFT = 46, RIGHT = 14;
const TOP = 8, BOTTOM = 24;

/**
 * The ends of the λ axis.
 *
 * @param {number[]} logSnrs increasing
 * @returns {[low: number, high: number]}
 */
export function domain(logSnrs) {
  const low = logSnrs[0], high = logSnrs[logSnrs.length - 1];
  return high > low ? [low, high] : [low - 1, high + 1];
}

export class NormChart {
  /** @type {Lines | null} */ #lines = null;

  /**
   * @param {SVGSVGElement} node
   * @param {(logSnr: number) => void} pick called with the λ that is pointed at
   */
  constructor(node, pick) {
    this.node = node;
    new ResizeObserver(() => this.#draw()).observe(node);
    const at = (/** @type {PointerEvent} */ event) => {
      if (!this.#lines) return;
      const box = node.getBoundingClientRect(), [low, high] = domain(this.#lines.logSnrs);
      pick(low + (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT) * (high - low));
    };
    node.addEventListener('pointerdown', event => {
      node.setPointerCapture(event.pointerId);
      at(event);
    });
    node.addEventListener('pointermove', event => { if (node.hasPointerCapture(event.pointerId)) at(event); });
  }

  /** @param {Lines} lines */
  show(lines) {
    this.#lines = lines;
    this.#draw();
  }

  #draw() {
    const {node} = this, lines = this.#lines, {clientWidth: width, clientHeight: height} = node;
    if (!lines || !width || !height) return;
    const {logSnrs, norms, mean, sample, step, interval} = lines;
    const [low, high] = domain(logSnrs), top = Math.max(...norms.flat()) * 1.05 || 1, bottom = height - BOTTOM;
    const x = (/** @type {number} */ value) => LEFT + (Math.min(high, Math.max(low, value)) - low) / (high - low) * (width - LEFT - RIGHT);
    const y = (/** @type {number} */ value) => bottom - value / top * (bottom - TOP);
    const line = (/** @type {string} */ name, /** @type {number[]} */ values) => shape('path', {
      class: name, d: 'M' + values.map((value, i) => `${x(logSnrs[i])},${y(value)}`).join('L'),
    });
    const parts = [...this.#axes(x, y, ticks(low, high, false), ticks(0, top, false), width, bottom)];
    if (interval) parts.unshift(shape('rect', {class: 'band', x: x(interval[0]), y: TOP, width: Math.max(0, x(interval[1]) - x(interval[0])), height: bottom - TOP}));
    parts.push(...norms.map((values, n) => line(`line other${n + 1 === sample ? ' this' : ''}`, values)), line('line mean', mean));
    parts.push(line('line chosen', norms[sample - 1]), ...norms[sample - 1].map((value, i) => shape('circle', {
      class: 'spot', cx: x(logSnrs[i]), cy: y(value), r: logSnrs.length > 64 ? 0 : 2.5,
    })));
    const at = x(logSnrs[step - 1]);
    parts.push(shape('path', {class: 'now', d: `M${at},${TOP}V${height}`}), shape('circle', {class: 'dot', cx: at, cy: y(norms[sample - 1][step - 1]), r: 6.5}));
    node.replaceChildren(...parts);
  }

  /**
   * @param {(value: number) => number} x
   * @param {(value: number) => number} y
   * @param {number[]} across
   * @param {number[]} along
   * @param {number} width
   * @param {number} bottom
   */
  #axes(x, y, across, along, width, bottom) {
    return [
      ...along.map(value => shape('path', {class: 'grid', d: `M${LEFT},${y(value)}H${width - RIGHT}`})),
      ...along.map(value => shape('text', {class: 'tick-y', x: LEFT - 8, y: y(value) + 4}, number(value))),
      shape('path', {class: 'axis', d: `M${LEFT},${bottom}H${width - RIGHT}`}),
      ...across.map(value => shape('path', {class: 'tick', d: `M${x(value)},${bottom}v5`})),
      ...across.map(value => shape('text', {class: 'tick-x', x: x(value), y: bottom + 18}, number(value))),
    ];
  }
}
