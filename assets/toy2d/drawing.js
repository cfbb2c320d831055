// What is drawn on the board of the 2-D lab: the heat map, the classes, the samples and their trajectories, the guided score.

import {context2d} from '../shared/dom.js';

/** @typedef {import('./types.js').Constants} Constants */
/** @typedef {import('./types.js').Scene} Scene */
/** @typedef {import('./types.js').Trajectory} Trajectory */
/** @typedef {import('./types.js').Vector} Vector */

/** Colours of the style sheet. @typedef {'page' | 'ink' | 'mute' | 'unguided' | 'guided' | 'card'} Colour */

const TRAILS = 60;  // points whose path is drawn
const COLOURS = /** @type {Colour[]} */ (['page', 'ink', 'mute', 'unguided', 'guided', 'card']);

export class Drawing {
  /** The tinted heat map, kept until something changes. */
  #heat = {values: /** @type {Uint8Array | null} */ (null), colour: '', picture: document.createElement('canvas'), half: 0};
  /** @type {Record<string, string>} */ colours = {};

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Element} lab where the colours are declared
   * @param {Pick<Constants, 'SPREAD' | 'ARROWS'>} constants
   */
  constructor(canvas, lab, {SPREAD, ARROWS}) {
    this.canvas = canvas;
    this.lab = lab;
    this.context = context2d(canvas);
    /** Half the side of the displayed square. */
    this.half = 1;
    this.spread = SPREAD;
    this.cells = ARROWS;
    this.readColours();
  }

  readColours() {
    const style = getComputedStyle(this.lab);
    for (const name of COLOURS) this.colours[name] = style.getPropertyValue('--' + name).trim();
    this.#heat.values = null;
  }

  /**
   * Begin anew, at the size that the canvas has on the page.
   *
   * @param {number} half of the displayed square's side
   */
  clear(half) {
    this.half = half;
    const {canvas} = this, pixels = Math.round(canvas.clientWidth * Math.min(2, devicePixelRatio));
    if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
    this.context.clearRect(0, 0, canvas.width, canvas.height);
  }

  /** Pixels of the canvas in one of the page. */
  get #density() {
    return this.canvas.width / this.canvas.clientWidth;
  }

  /**
   * From the scene's coordinates to those of the canvas.
   *
   * @param {number} x
   * @param {number} y
   * @returns {Vector}
   */
  #at(x, y) {
    const {half, canvas} = this;
    return [((x + half) / (2 * half)) * canvas.width, ((half - y) / (2 * half)) * canvas.height];
  }

  /**
   * A density over [−half, half]².
   *
   * @param {Uint8Array} values cells², 0 to 255, from below
   * @param {number} half
   * @param {Colour} tint
   */
  heatMap(values, half, tint) {
    const {picture, half: reach} = this.#tinted(values, half, this.colours[tint]);
    const [left, top] = this.#at(-reach, reach), [right, bottom] = this.#at(reach, -reach);
    this.context.imageSmoothingQuality = 'high';
    this.context.drawImage(picture, left, top, right - left, bottom - top);
  }

  /** @param {Uint8Array} values @param {number} half @param {string} colour */
  #tinted(values, half, colour) {
    const heat = this.#heat;
    if (heat.values === values && heat.colour === colour) return heat;
    const cells = Math.round(Math.sqrt(values.length)), image = new ImageData(cells, cells);
    const tint = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
    for (let n = 0; n < values.length; n++) {
      const to = 4 * ((cells - 1 - Math.floor(n / cells)) * cells + (n % cells));
      image.data.set(tint, to);
      image.data[to + 3] = 0.62 * values[n];
    }
    heat.picture.width = heat.picture.height = cells;
    context2d(heat.picture).putImageData(image, 0, 0);
    return Object.assign(heat, {values, colour, half: (half * cells) / (cells - 1)});
  }

  /**
   * Points, each with a thin edge.
   *
   * @param {Float32Array} places x, y, x, y, …
   * @param {Colour} colour
   */
  dots(places, colour) {
    const {context} = this, radius = 2.3 * this.#density;
    context.beginPath();
    for (let n = 0; n < places.length; n += 2) {
      const [x, y] = this.#at(places[n], places[n + 1]);
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 7);
    }
    context.lineWidth = radius / 2;
    context.strokeStyle = this.colours.page;
    context.stroke();
    context.fillStyle = this.colours[colour];
    context.fill();
  }

  /**
   * The paths of some points up to where they are.
   *
   * @param {Trajectory} trajectory
   * @param {number} at the last moment that they have passed
   * @param {Float32Array} places where they are
   * @param {Colour} colour
   */
  trails({paths, scene, log_snrs}, at, places, colour) {
    const length = 2 * scene.points, first = trailFrom(paths, length, log_snrs.length - 1, at), {context} = this;
    context.beginPath();
    for (let n = 0; n < 2 * TRAILS; n += 2) {
      context.moveTo(...this.#at(paths[first * length + n], paths[first * length + n + 1]));
      for (let f = first + 1; f <= at; f++) context.lineTo(...this.#at(paths[f * length + n], paths[f * length + n + 1]));
      context.lineTo(...this.#at(places[n], places[n + 1]));
    }
    this.#faint(0.35, 1, colour);
  }

  /**
   * A ring around each component, one standard deviation from its mean, where it is at a noise level.
   *
   * @param {Vector[]} means
   * @param {number} alpha
   * @param {number} sigma
   */
  rings(means, alpha, sigma) {
    const {context} = this, size = this.canvas.width / (2 * this.half), radius = Math.hypot(alpha * this.spread, sigma) * size;
    context.beginPath();
    for (const [x, y] of means) {
      const [left, top] = this.#at(alpha * x, alpha * y);
      context.moveTo(left + radius, top);
      context.arc(left, top, radius, 0, 7);
    }
    context.setLineDash([0.05 * size, 0.06 * size]);
    this.#faint(1, 1.2, 'mute');
    context.setLineDash([]);
  }

  /**
   * The guided score as arrows: its direction, and its length up to that of a cell.
   *
   * @param {Int8Array} score cells² pairs over [−reach, reach]², the longest 127
   * @param {number} reach
   */
  arrows(score, reach) {
    const {context, cells} = this, cell = (2 * reach) / cells, size = this.canvas.width / (2 * this.half);
    context.beginPath();
    for (let n = 0; n < score.length; n += 2) {
      const long = Math.hypot(score[n], score[n + 1]) / 127;
      if (long < 0.008) continue;
      const length = cell * (0.25 + 0.55 * Math.sqrt(long)), angle = Math.atan2(-score[n + 1], score[n]);
      const [x, y] = this.#at(-reach + cell * (((n / 2) % cells) + 0.5), -reach + cell * (Math.floor(n / 2 / cells) + 0.5));
      const dx = (Math.cos(angle) * length * size) / 2, dy = (Math.sin(angle) * length * size) / 2;
      context.moveTo(x - dx, y - dy);
      context.lineTo(x + dx, y + dy);
      for (const turn of [2.6, -2.6]) {
        context.moveTo(x + dx, y + dy);
        context.lineTo(x + dx + (Math.cos(angle + turn) * cell * size) / 7, y + dy + (Math.sin(angle + turn) * cell * size) / 7);
      }
    }
    this.#faint(0.55, 1.1, 'mute');
  }

  /** The length 1, in a corner. */
  scale() {
    const {context, canvas} = this, pixel = this.#density, one = canvas.width / (2 * this.half), bottom = canvas.height - 14 * pixel;
    const unit = [1, 2, 5, 10, 20, 50, 100, 200, 500].find(each => each * one > 24 * pixel) ?? 500, right = canvas.width - 14 * pixel;
    context.beginPath();
    for (const [x, y] of [[right, bottom - 5 * pixel], [right, bottom], [right - unit * one, bottom], [right - unit * one, bottom - 5 * pixel]]) {
      context.lineTo(x, y);
    }
    this.#faint(1, 1.4, 'mute');
    Object.assign(context, {fillStyle: this.colours.mute, textAlign: 'center', font: `${12 * pixel}px system-ui, sans-serif`});
    context.fillText(String(unit), right - (unit * one) / 2, bottom - 5 * pixel);
  }

  /**
   * Stroke the path.
   *
   * @param {number} alpha
   * @param {number} width in pixels of the page
   * @param {Colour} colour
   */
  #faint(alpha, width, colour) {
    const {context} = this;
    context.globalAlpha = alpha;
    context.lineWidth = width * this.#density;
    context.strokeStyle = this.colours[colour];
    context.stroke();
    context.globalAlpha = 1;
  }
}

/**
 * Where all points are at a place between two moments of a trajectory: on the line between both.
 *
 * @param {Trajectory} trajectory
 * @param {number} at
 */
export function between({paths, scene}, at) {
  const before = Math.floor(at), part = at - before, length = 2 * scene.points;
  const from = paths.subarray(before * length, (before + 1) * length);
  if (!part) return from.map(place => place);
  const to = paths.subarray((before + 1) * length, (before + 2) * length);
  return from.map((place, n) => place + part * (to[n] - place));
}

/**
 * The moment from which a point's path is drawn: all of it, or where noise shakes it, only the last of it.
 *
 * @param {Float32Array} paths
 * @param {number} length numbers of one moment
 * @param {number} last moment
 * @param {number} at
 */
function trailFrom(paths, length, last, at) {
  /** @param {number} n @param {number} a @param {number} b */
  const gap = (n, a, b) => Math.hypot(paths[a * length + n] - paths[b * length + n], paths[a * length + n + 1] - paths[b * length + n + 1]);
  let way = 0, straight = 0;
  for (let n = 0; n < 2 * TRAILS; n += 2) {
    straight += gap(n, 0, last);
    for (let f = 0; f < last; f++) way += gap(n, f, f + 1);
  }
  return way > 3 * straight ? Math.max(0, at - 2) : 0;
}
