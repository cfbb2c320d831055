// Curves over w as inline SVG, drawn at the size it has on the page: the charts of the trade-off tab, and the small one
// in Explore. It draws, and finds the point under a pointer; its users handle what a point does.

import {number} from './dom.js';
import {places} from './places.js';
import {scale} from './scale.js';
import {DASHES, MARKS, shape} from './shapes.js';

/** @typedef {import('./places.js').Box} Box */
/** @typedef {import('./scale.js').Scale} Scale */

/** A metric, and the title of its axis. @typedef {{name: string, title: string}} Axis */

/** The figures at one w: {w, metric, metric_low, metric_high, …}. @typedef {{w: number, [figure: string]: number}} Point */

/** @typedef {{title: string, main: boolean, points: Point[]}} Curve points by w */

/** A curve and one of its points, by their numbers. @typedef {[curve: number, point: number]} Place */

/**
 * baseline: the figures of real pictures. small: no ticks, no marks but the one at w = 0. names: whether points are
 * labelled by their w, and not lines by their title.
 *
 * @typedef {{
 *   x: Axis, y: Axis, curves: Curve[], baseline: Record<string, number> | null, small?: boolean, names: boolean,
 * }} ChartOptions
 */

const LINE = 17;       // pixels of a line of a label
const REACH = 26;      // pixels within which a pointer finds a point
const LABEL_GAP = 56;  // pixels between labelled points

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
 *   labels: ReturnType<typeof places>,
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
    if (curve === null) return layer.replaceChildren();
    const {points} = this.options.curves[curve], spots = drawing.spots[curve], after = points.findIndex(point => point.w >= w);
    const to = after === -1 ? points.length - 1 : after, from = points[to].w <= w ? to : Math.max(0, to - 1);
    const share = from === to ? 0 : (w - points[from].w) / (points[to].w - points[from].w);
    /** @param {0 | 1} axis */
    const along = axis => spots[from][axis] + share * (spots[to][axis] - spots[from][axis]);
    const px = along(0), py = along(1), r = this.options.small ? 6.5 : 8;
    layer.replaceChildren(
      shape('circle', {class: w === 0 ? 'dot zero' : 'dot', cx: px, cy: py, r, 'data-w': w}),
      this.#label([`w = ${number(w)}`, ...(note ? [note] : [])], px, py, 'dot-name', false),
    );
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
    const {node, options: {curves, baseline, small, names}} = this, width = node.clientWidth, height = node.clientHeight;
    if (!width || !height) return;
    const area = small ? {left: 24, right: width - 6, top: 8, bottom: height - 24} : {left: 52, right: width - 12, top: 12, bottom: height - 46};
    const drawing = this.#drawing = this.#scaled(area);
    this.#keepClear(drawing);
    node.replaceChildren(...this.#axes(drawing), ...(baseline ? this.#baseline(drawing, baseline) : []));
    drawing.elements = curves.map((curve, c) => {
      const line = this.#stroke(c, 'M' + drawing.spots[c].map(([px, py]) => `${px},${py}`).join('L'));
      const marks = curve.points.map((_, p) => this.#point(drawing, c, p));
      node.append(shape('g', {class: `curve ${this.#tone(c)}`}, line, ...(small ? marks.filter((_, p) => curve.points[p].w === 0) : marks)));
      return marks;
    });
    if (names) {
      curves.forEach((curve, c) => this.#labelled(drawing, c).forEach(p => {
        node.append(this.#label([`w = ${number(curve.points[p].w)}`], ...drawing.spots[c][p], 'value'));
      }));
    } else node.append(...this.#titles(drawing));
    node.append(shape('g', {class: 'now'}));
    this.#describe(drawing);
    if (this.#dot) this.move(...this.#dot);
  }

  /** @param {Box} area @returns {Drawing} */
  #scaled(area) {
    const {x, y, curves, baseline} = this.options, points = curves.flatMap(curve => curve.points), extra = baseline ? [baseline] : [];
    /** @param {Axis} axis @param {number} from @param {number} to */
    const over = (axis, from, to) => scale(points.map(p => p[axis.name]), extra.map(p => p[axis.name]), from, to);
    const horizontal = over(x, area.left, area.right), vertical = over(y, area.bottom, area.top);
    return {
      area, x: horizontal, y: vertical, elements: [], labels: places({...area, left: area.left + 6}),
      spots: curves.map(curve => curve.points.map(point => [horizontal.at(point[x.name]), vertical.at(point[y.name])])),
    };
  }

  /** Let no label lie on the lines. @param {Drawing} drawing */
  #keepClear({spots, labels}) {
    for (const way of spots) {
      way.forEach(([px, py], i) => {
        const [nx, ny] = way[i + 1] ?? [px, py], pieces = Math.ceil(Math.hypot(nx - px, ny - py) / 6) || 1;
        for (let n = 0; n < pieces; n++) labels.take(px + ((nx - px) * n) / pieces, py + ((ny - py) * n) / pieces, 5);
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

  /** @param {number} c */
  #tone = c => (this.options.curves[c].main ? 'main' : `other-${c % DASHES.length}`);
  /** @param {string[]} list @param {number} c */
  #look = (list, c) => list[this.options.curves[c].main ? 0 : c % list.length];
  /** @param {number} c @param {string} d */
  #stroke = (c, d) => shape('path', {class: 'line', d, 'stroke-dasharray': this.#look(DASHES, c)});
  /** @param {number} c @param {number} px @param {number} py */
  #mark = (c, px, py) => shape('path', {class: 'mark', d: this.#look(MARKS, c), transform: `translate(${px} ${py})`});

  /**
   * A label of some lines, where there is room for it around a point.
   *
   * @param {string[]} lines
   * @param {number} px
   * @param {number} py
   * @param {string} name
   * @param {boolean} [keep]
   */
  #label(lines, px, py, name, keep) {
    const width = 7 * Math.max(...lines.map(line => line.length)) + 4;
    const box = this.#drawing?.labels.label(px, py, width, LINE * lines.length, keep) ?? {left: px, right: px, top: py};
    const middle = (box.left + box.right) / 2;
    return shape('text', {class: name, x: middle, y: box.top + 13},
      ...lines.map((line, i) => shape('tspan', {x: middle, dy: i && LINE}, line)));
  }

  /**
   * The points that are labelled: the ends and the lowest; then others by w while there is room between them.
   *
   * @param {Drawing} drawing
   * @param {number} c
   */
  #labelled({spots}, c) {
    const {curves, y, small} = this.options, {points} = curves[c];
    const lowest = points.reduce((a, b, i) => (b[y.name] < points[a][y.name] ? i : a), 0);
    if (small) return [points.findIndex(point => point.w === 0)].filter(p => p >= 0);
    /** @type {number[]} */
    const chosen = [];
    for (const p of new Set([0, points.length - 1, lowest, ...points.keys()])) {
      const [px, py] = spots[c][p];
      if (chosen.every(q => Math.hypot(px - spots[c][q][0], py - spots[c][q][1]) > LABEL_GAP)) chosen.push(p);
    }
    return chosen;
  }

  /**
   * The lines' titles, one under the other where there is room near their ends, each with its dash and its mark.
   *
   * @param {Drawing} drawing
   */
  #titles({spots, labels}) {
    const {curves} = this.options;
    const ends = spots.map((way, c) => ({c, at: way[way.length - 1]})).sort((a, b) => a.at[1] - b.at[1]);
    /** @param {0 | 1} axis */
    const middle = axis => ends.reduce((sum, {at}) => sum + at[axis], 0) / ends.length;
    const width = 44 + 7.6 * Math.max(...curves.map(curve => curve.title.length));
    const {left: edge, top, bottom} = labels.label(middle(0), middle(1), width + 8, LINE * ends.length), left = edge + 8;
    return ends.map(({c, at: [px, py]}, row) => {
      const y = top + LINE * (row + 0.5), end = left + 42 + 7.6 * curves[c].title.length;
      const from = px < left ? [left, y] : px > end ? [end, y] : [px, py < top ? top : bottom];
      return shape('g', {class: `title ${this.#tone(c)}`}, shape('path', {class: 'leader', d: `M${from}L${px},${py}`}),
        this.#stroke(c, `M${left},${y}h30`), this.#mark(c, left + 15, y), shape('text', {x: left + 38, y: y + 4.5}, curves[c].title));
    });
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
    }, ...cross, this.#mark(c, px, py), shape('circle', {class: 'ring', cx: px, cy: py, r: 9}));
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
    /** @param {Axis} axis @param {Scale} scale */
    const title = (axis, {log}) => `${axis.title}${log ? (small ? ' (log)' : ' (log scale)') : ''} →`;
    parts.push(shape('text', {class: 'axis-x', x: right, y: this.node.clientHeight - 6}, title(across, x)));
    parts.push(shape('text', {class: 'axis-y', transform: `translate(13 ${top}) rotate(-90)`}, title(along, y)));
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
    labels.take(px, py, 7);
    return [
      shape('path', {class: 'baseline', d: 'M-6,0H6M0,-6V6', transform: `translate(${px} ${py})`, 'data-x': figures[x.name], 'data-y': figures[y.name]}),
      this.#label(['real', 'pictures'], px, py, 'baseline-name'),
    ];
  }
}

/**
 * In pixels, but within the axis.
 *
 * @param {Scale} axis
 * @param {number} value
 */
const within = ({at, low, high}, value) => at(Math.min(high, Math.max(low, value)));
