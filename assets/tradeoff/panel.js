// One chart with the words above it, and the tip of a point under the pointer or the keyboard's focus.

import {chart} from '../shared/chart.js';
import {number, one, targetOf, text} from '../shared/dom.js';
import {say} from '../shared/language.js';
import {look, shape} from '../shared/shapes.js';
import {openInExplore} from '../shared/tabs.js';
import {described, drawn, measured} from './figures.js';

/** @typedef {import('../shared/chart.js').Axis} Axis */
/** @typedef {import('../shared/chart.js').Place} Place */
/** @typedef {import('./types.js').Curves} Curves */
/** @typedef {import('./types.js').MeasuredCurve} MeasuredCurve */

/**
 * main: the file of the curve that the others compare with. read: how the chart is to be read.
 *
 * @typedef {{title: string, curves: MeasuredCurve[], x: Axis, y: Axis, main: string | null, read: string}} Content
 */

export class Panel {
  /** The point that is explained. @type {Place | null} */ #at = null;
  #touchedAnew = false;

  /**
   * @param {HTMLElement} figure
   * @param {Curves} found
   * @param {Content} content
   */
  constructor(figure, found, {title, curves, x, y, main, read}) {
    const before = one(figure, '.drawing svg', SVGSVGElement);
    this.found = found;
    this.curves = curves;
    this.tip = one(figure, '.tip', HTMLElement);
    this.node = /** @type {SVGSVGElement} */ (before.cloneNode());  // without the listeners and the observer of the chart before
    before.replaceWith(this.node);
    this.node.setAttribute('aria-label', say('tradeoff.walk', {title}));
    figure.hidden = !curves.length;
    this.tip.hidden = true;
    one(figure, 'figcaption b', HTMLElement).textContent = title;
    one(figure, 'figcaption small', HTMLElement).textContent = read;
    const drawn = curves.map(curve => ({...curve, main: curve.file !== undefined && curve.file === main, points: curve.record.results}));
    one(figure, '.legend', HTMLElement).replaceChildren(...(drawn.length > 1 ? drawn.map(legendLine) : []));
    this.chart = curves.length ? chart(this.node, {x, y, baseline: curves[0].baseline ?? null, curves: drawn}) : null;
    if (this.chart) this.#listen();
  }

  /** @param {MeasuredCurve} curve */
  #opens = ({hash}) => this.found.models.some(each => each.hash === hash);

  /**
   * Explain a point, or none.
   *
   * @param {Place | null} place
   */
  #see(place) {
    this.node.querySelector('.point.on')?.classList.remove('on');
    this.#at = place;
    this.tip.hidden = !place;
    const point = place && this.chart?.point(...place);
    if (!place || !point) return;
    point.classList.add('on');
    this.#explain(point, ...place);
  }

  /** @param {SVGElement} point @param {number} c @param {number} p */
  #explain(point, c, p) {
    const {tip, node, found} = this, curve = this.curves[c], {record} = curve, result = record.results[p];
    const head = text('p', ''), list = document.createElement('dl');
    head.append(text('b', `w = ${number(result.w)}`), ` · s = ${number(1 + result.w)} · ${curve.title}`);
    for (const metric of measured(found, result)) list.append(text('dt', (curve.metrics ?? found.metrics)[metric]), text('dd', described(result, metric)));
    tip.replaceChildren(head, list);
    if (record.samples) {
      const {sampler = '', steps = 0, guide, checkpoint} = record;
      const by = say('tradeoff.drawn', {counts: drawn(record), sampler: found.samplers[sampler] ?? sampler, steps});
      tip.append(text('p', guide ? say('tradeoff.by_guide', {drawn: by, guide: guide.name}) : by));
      tip.append(text('p', this.#opens(curve) ? say('tradeoff.opens') : say('tradeoff.not_offered', {name: checkpoint?.name ?? '', hash: curve.hash ?? ''})));
    } else tip.append(text('p', say('tradeoff.paper_point')));
    const px = Number(point.dataset.px), py = Number(point.dataset.py), room = node.clientWidth;
    tip.style.left = `${Math.min(Math.max(0, px + (px > room / 2 ? -tip.offsetWidth - 16 : 16)), room - tip.offsetWidth)}px`;
    tip.style.top = `${Math.max(0, Math.min(py - 20, node.clientHeight - tip.offsetHeight))}px`;
  }

  /** @param {Place} place */
  #open([c, p]) {
    const curve = this.curves[c], {sampler, steps, rule, results} = curve.record;
    if (this.#opens(curve)) openInExplore({model: curve.hash, w: results[p].w, sampler, steps, rule, ...curve.parameters});
  }

  /** The points as buttons; one of them is in the tab order. */
  #prepare() {
    this.node.querySelectorAll('.point').forEach(point => {
      if (!(point instanceof SVGElement)) return;
      const c = Number(point.dataset.curve), p = Number(point.dataset.point), curve = this.curves[c], result = curve.record.results[p];
      const figures = measured(this.found, result).map(metric => `${(curve.metrics ?? this.found.metrics)[metric]} ${described(result, metric)}`).join(', ');
      point.setAttribute('role', 'button');
      point.setAttribute('aria-label', `${curve.title}, w = ${number(result.w)}: ${figures}`);
      point.setAttribute('tabindex', c === 0 && p === 0 ? '0' : '-1');
    });
  }

  #listen() {
    const {node} = this, nearest = (/** @type {MouseEvent} */ event) => this.chart?.nearest(event) ?? null;
    this.#prepare();
    new MutationObserver(() => this.#prepare()).observe(node, {childList: true});  // it is drawn anew where its size changes
    node.addEventListener('pointermove', event => this.#see(nearest(event)));
    node.addEventListener('pointerleave', event => { if (event.pointerType !== 'touch') this.#see(null); });
    node.addEventListener('pointerdown', event => {
      const place = nearest(event), same = String(place) === String(this.#at);
      this.#see(place);
      this.#touchedAnew = event.pointerType === 'touch' && !same;  // the first touch of a point only explains it
    });
    node.addEventListener('click', () => { if (this.#at && !this.#touchedAnew) this.#open(this.#at); });
    node.addEventListener('focusin', event => {  // a click may focus the drawing itself
      const point = targetOf(event, Element)?.closest('.point');
      if (point instanceof SVGElement) this.#see([Number(point.dataset.curve), Number(point.dataset.point)]);
    });
    node.addEventListener('focusout', () => this.#see(null));
    node.addEventListener('keydown', event => this.#key(event));
  }

  /** Arrow keys go on along the curve and to the other curves. @param {KeyboardEvent} event */
  #key(event) {
    const at = this.#at;
    if (!at) return;
    /** @type {{[key: string]: [number, number]}} */
    const steps = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};
    const [c, p] = at, step = steps[event.key];
    if (event.key === 'Escape') this.#see(null);
    if (event.key === 'Enter' || event.key === ' ') this.#open(at);
    else if (!step) return;
    event.preventDefault();
    if (!step) return;
    const next = this.curves[c + step[0]] ? c + step[0] : c, last = this.curves[next].record.results.length - 1;
    const to = this.chart?.point(next, Math.min(last, Math.max(0, p + step[1])));
    this.chart?.point(c, p)?.setAttribute('tabindex', '-1');
    to?.setAttribute('tabindex', '0');
    to?.focus();
  }
}

/**
 * A curve's name, with its dash and its mark.
 *
 * @param {MeasuredCurve & {main: boolean}} curve
 * @param {number} c
 */
function legendLine({title, main}, c) {
  const {tone, dash, mark} = look(main, c), line = text('li', title);
  line.className = tone;
  line.prepend(shape('svg', {class: 'key', width: 30, height: 12, 'aria-hidden': 'true'},
    shape('path', {class: 'line', d: 'M0,6h30', 'stroke-dasharray': dash}), shape('path', {class: 'mark', d: mark, transform: 'translate(15 6)'})));
  return line;
}
