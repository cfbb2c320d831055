// Curves over w as inline SVG, drawn at the size it has on the page: the charts of the trade-off tab, and the small one
// in Explore. It draws, and finds the point under a pointer; its users handle what a point does.

import {number} from './dom.js';
import {say} from './language.js';
import {LABEL, LINE, MARK, around, overlap, places} from './places.js';
import {scale} from './scale.js';
import {look, shape} from './shapes.js';

/** @typedef {import('./places.js').Box} Box */
/** @typedef {import('./scale.js').Scale} Scale */

/** A metric, and the title of its axis. @typedef {{name: string, title: string}} Axis */

/** The figures at one w: {w, metric, metric_low, metric_high, …}. @typedef {{w: number, [figure: string]: number}} Point */

/** @typedef {{title: string, main: boolean, points: Point[]}} Curve points by w */

/** A curve and one of its points, by their numbers. @typedef {[curve: number, point: number]} Place */

/**
 * baseline: the figures of real pictures. small: no ticks, no marks but the one at w = 0.
 *
 * @typedef {{
 *   x: Axis, y: Axis, curves: Curve[], baseline: Record<string, number> | null, small?: boolean,
 * }} ChartOptions
 */

/** A label and the place it takes. @typedef {{node: SVGElement, box: Box}} Label */

const REACH = 26;      // pixels within which a pointer finds a point
const LABEL_GAP = 56;  // pixels between labelled points
const MARK_HALF = 6;   // half the side of the square that a mark takes

/**
 * Fill an <svg> with curves.
 *
 * @param {SVGSVGElement} node
 * @param {ChartOptions} options
 */
export const chart = (node, options) => new Chart(node, options);

/** What is drawn at one size of the chart. */
/** @typedef {{
 *   area: Box, x: Scale, y: Scale, spots: [x: number, y: number][][], elements: SVGElement[][],
 *   labels: ReturnType<typeof places>, values: (Label & {place: Place})[],
 * }} Drawing */

export class Chart {
  /** @type {Drawing | null} */ #drawing = null;
  /** Where the dot is: its curve, w, and a note beside it. @type {[number, number, string] | null} */ #dot = null;

  /**
   * @param {SVGSVGElement} node
   * @param {ChartOptions} options
   */
  constructor(node, options) {
    this.node = node;
    this.options = options;
    new ResizeObserver(() => this.#draw()).observe(node);
    this.#draw();
  }

  /**
   * Put the dot on a curve, or take it away where the curve is null. Between two measured points it lies on the line
   * between them; beyond them, at the end.
   *
   * @param {number | null} curve
   * @param {number} w
   * @param {string} [note]
   */
  move(curve, w, note = '') {
    this.#dot = curve === null ? null : [curve, w, note];
    const layer = this.node.querySelector('.now'), drawing = this.#drawing;
    if (!layer || !drawing) return;
    layer.replaceChildren();
    for (const {node} of drawing.values) node.removeAttribute('hidden');
    if (curve === null) return;
    const {points} = this.options.curves[curve], spots = drawing.spots[curve], after = points.findIndex(point => point.w >= w);
    const to = after === -1 ? points.length - 1 : after, before = points[to].w <= w ? to : Math.max(0, to - 1);
    const share = before === to ? 0 : (w - points[before].w) / (points[to].w - points[before].w);
    /** @param {0 | 1} axis */
    const along = axis => spots[before][axis] + share * (spots[to][axis] - spots[before][axis]);
    const px = along(0), py = along(1), r = this.options.small ? 6.5 : 8, dot = around(px, py, r);
    layer.append(shape('circle', {class: w === 0 ? 'dot zero' : 'dot', cx: px, cy: py, r, 'data-w': w}));
    const lines = [`w = ${number(w)}`, ...(note ? [note] : [])], from = r + 1;
    const label = [{reach: 32, rank: LABEL}, {reach: 130, rank: LINE}, {reach: 130, rank: MARK}].reduce(
      (found, where) => found ?? this.#label(layer, lines, px, py, 'dot-name', {from, ...where}), /** @type {Label | null} */ (null));
    for (const {node, box, place} of drawing.values) {
      const same = before === to && place[0] === curve && place[1] === to;
      node.toggleAttribute('hidden', same || overlap(box, dot) || Boolean(label && overlap(box, label.box)));
    }
  }

  /**
   * The point under a pointer.
   *
   * @param {MouseEvent} event
   * @returns {Place | null}
   */
  nearest(event) {
    const box = this.node.getBoundingClientRect();
    /** @type {Place | null} */
    let best = null;
    let far = REACH;
    this.#drawing?.spots.forEach((way, c) => way.forEach(([px, py], p) => {
      const distance = Math.hypot(event.clientX - box.left - px, event.clientY - box.top - py);
      if (distance < far) [best, far] = [[c, p], distance];
    }));
    return best;
  }

  /**
   * The element of a point.
   *
   * @param {number} curve
   * @param {number} point
   */
  point(curve, point) {
    return this.#drawing?.elements[curve][point] ?? null;
  }

  #draw() {
    const {node, options: {curves, baseline, small}} = this, width = node.clientWidth, height = node.clientHeight;
    if (!width || !height) return;
    node.replaceChildren();
    const drawing = this.#drawing = this.#scaled(width, height);
    this.#keepClear(drawing);
    node.append(...this.#axes(drawing));
    drawing.elements = curves.map((curve, c) => {
      const {tone, dash} = look(curve.main, c), marks = curve.points.map((_, p) => this.#point(drawing, c, p));
      const line = shape('path', {class: 'line', d: 'M' + drawing.spots[c].map(([px, py]) => `${px},${py}`).join('L'), 'stroke-dasharray': dash});
      node.append(shape('g', {class: `curve ${tone}`}, line, ...(small ? marks.filter((_, p) => curve.points[p].w === 0) : marks)));
      return marks;
    });
    this.#name(drawing, this.#ends());
    if (baseline) this.#baseline(drawing, baseline);
    if (curves.length === 1 && !small) this.#name(drawing, curves[0].points.keys());
    node.append(shape('g', {class: 'now'}));
    this.#describe(drawing);
    if (this.#dot) this.move(...this.#dot);
  }

  /** @param {number} width @param {number} height @returns {Drawing} */
  #scaled(width, height) {
    const {x, y, curves, baseline, small} = this.options, points = curves.flatMap(curve => curve.points), extra = baseline ? [baseline] : [];
    /** @param {Axis} axis @param {number} from @param {number} to */
    const over = (axis, from, to) => scale(points.map(p => p[axis.name]), extra.map(p => p[axis.name]), from, to);
    const top = 26, bottom = height - (small ? 22 : 46), right = width - 10, vertical = over(y, bottom, top);
    const left = small ? 10 : 14 + Math.max(...vertical.ticks.map(value => this.#width(number(value))));
    const horizontal = over(x, left, right), area = {left, right, top, bottom};
    return {
      area, x: horizontal, y: vertical, elements: [], labels: places({...area, left: left + 3}), values: [],
      spots: curves.map(curve => curve.points.map(point => [horizontal.at(point[x.name]), vertical.at(point[y.name])])),
    };
  }

  /** Pixels that a text takes in a line. @param {string} content */
  #width(content) {
    const probe = this.node.appendChild(shape('text', {}, content)), {width} = boxOf(probe);
    probe.remove();
    return width;
  }

  /** Let no label lie on the lines, nor on their ends. @param {Drawing} drawing */
  #keepClear({spots, labels}) {
    for (const way of spots) {
      way.forEach(([px, py], i) => {
        const [nx, ny] = way[i + 1] ?? [px, py], pieces = Math.ceil(Math.hypot(nx - px, ny - py) / 6) || 1;
        for (let n = 0; n < pieces; n++) labels.take(around(px + ((nx - px) * n) / pieces, py + ((ny - py) * n) / pieces, 4), LINE);
        labels.take(around(px, py, MARK_HALF), i === 0 || i === way.length - 1 ? MARK : LINE);
      });
    }
  }

  /** The scales, for those who read the drawing. @param {Drawing} drawing */
  #describe({x, y, area}) {
    Object.assign(this.node.dataset, {
      xLow: x.low, xHigh: x.high, xLog: x.log, yLow: y.low, yHigh: y.high, yLog: y.log,
      area: [area.left, area.right, area.top, area.bottom].join(),
    });
  }

  /**
   * A label of some lines, where there is room for it beside a point.
   *
   * @param {Element} layer
   * @param {string[]} lines
   * @param {number} px
   * @param {number} py
   * @param {string} name
   * @param {{from?: number, reach?: number, rank?: number}} [where]
   * @returns {Label | null}
   */
  #label(layer, lines, px, py, name, where) {
    const node = layer.appendChild(shape('text', {class: name}, ...lines.map((line, i) => shape('tspan', {x: 0, dy: i && '1.3em'}, line))));
    const {width, height, y} = boxOf(node), box = this.#drawing?.labels.find(px, py, width + 4, height, where);
    if (box) node.setAttribute('transform', `translate(${(box.left + box.right) / 2} ${box.top - y})`);
    else node.remove();
    return box ? {node, box} : null;
  }

  /**
   * Label points of the first curve by their w, while there is room between them.
   *
   * @param {Drawing} drawing
   * @param {Iterable<number>} points
   */
  #name({spots: [spots], labels, values}, points) {
    const [curve] = this.options.curves;
    for (const p of points) {
      const [px, py] = spots[p];
      if (!values.every(({place}) => Math.hypot(px - spots[place[1]][0], py - spots[place[1]][1]) > LABEL_GAP)) continue;
      const label = this.#label(this.node, [`w = ${number(curve.points[p].w)}`], px, py, 'value', {reach: 32});
      if (!label) continue;
      labels.take(label.box, LABEL);
      values.push({...label, place: [0, p]});
    }
  }

  /** The points that are labelled first: the ends of the first curve, and the lowest. */
  #ends() {
    const {curves: [{points}], y, small} = this.options;
    if (small) return [points.findIndex(point => point.w === 0)].filter(p => p >= 0);
    return [0, points.length - 1, points.reduce((a, b, i) => (b[y.name] < points[a][y.name] ? i : a), 0)];
  }

  /**
   * The mark of a point, with its intervals where it has them.
   *
   * @param {Drawing} drawing
   * @param {number} c
   * @param {number} p
   */
  #point(drawing, c, p) {
    const {x, y, curves} = this.options, point = curves[c].points[p], [px, py] = drawing.spots[c][p];
    const across = `M${within(drawing.x, point[`${x.name}_low`])},${py}H${within(drawing.x, point[`${x.name}_high`])}`;
    const along = `M${px},${within(drawing.y, point[`${y.name}_low`])}V${within(drawing.y, point[`${y.name}_high`])}`;
    const cross = point[`${x.name}_low`] === undefined ? [] : [shape('path', {class: 'interval', d: across + along})];
    return shape('g', {
      class: point.w === 0 ? 'point zero' : 'point', 'data-curve': c, 'data-point': p, 'data-w': point.w,
      'data-x': point[x.name], 'data-y': point[y.name], 'data-px': px, 'data-py': py,
    }, ...cross, shape('path', {class: 'mark', d: look(curves[c].main, c).mark, transform: `translate(${px} ${py})`}), shape('circle', {class: 'ring', cx: px, cy: py, r: 9}));
  }

  /** @param {Drawing} drawing */
  #axes({area: {left, right, top, bottom}, x, y}) {
    const {small, x: across, y: along} = this.options;
    const parts = [shape('path', {class: 'axis', d: `M${left},${top}V${bottom}H${right}`})];
    if (!small) {
      for (const value of x.ticks) {
        const at = x.at(value);
        parts.push(shape('path', {class: 'tick', d: `M${at},${bottom}v5`}), shape('text', {class: 'tick-x', x: at, y: bottom + 19}, number(value)));
      }
      for (const value of y.ticks) {
        const at = y.at(value);
        parts.push(shape('path', {class: 'grid', d: `M${left},${at}H${right}`}), shape('text', {class: 'tick-y', x: left - 8, y: at + 4}, number(value)));
      }
    }
    const logarithmic = (/** @type {Scale} */ {log}) => (log ? ' (log)' : '');
    parts.push(shape('text', {class: 'axis-x', x: right, y: this.node.clientHeight - 6}, `${across.title}${logarithmic(x)} →`));
    parts.push(shape('text', {class: 'axis-y', x: 2, y: 13}, `↑ ${along.title}${logarithmic(y)}`));
    return parts;
  }

  /**
   * The figures of real pictures.
   *
   * @param {Drawing} drawing
   * @param {Record<string, number>} figures
   */
  #baseline({x: across, y: along, labels}, figures) {
    const {x, y} = this.options, px = within(across, figures[x.name]), py = within(along, figures[y.name]);
    labels.take(around(px, py, 8), MARK);
    this.node.append(shape('path', {
      class: 'baseline', d: 'M-6,0H6M0,-6V6', transform: `translate(${px} ${py})`, 'data-x': figures[x.name], 'data-y': figures[y.name],
    }));
    const label = this.#label(this.node, [say('chart.real')], px, py, 'baseline-name', {reach: 90});
    if (label) labels.take(label.box, MARK);
  }
}

/** @param {SVGElement} node */
const boxOf = node => (node instanceof SVGGraphicsElement ? node.getBBox() : new DOMRect());

/**
 * In pixels, but within the axis.
 *
 * @param {Scale} axis
 * @param {number} value
 */
const within = ({at, low, high}, value) => at(Math.min(high, Math.max(low, value)));
