// What the board shows at a moment: clean samples or exact draws, or the samples on their way from noise.

import {fixed} from '../shared/dom.js';
import {say} from '../shared/language.js';
import {Drawing, between} from './drawing.js';
import {outside} from './scene.js';

/** @typedef {import('./drawing.js').Colour} Colour */
/** @typedef {import('./types.js').Constants} Constants */
/** @typedef {import('./types.js').Drawn} Drawn */
/** @typedef {import('./types.js').Scene} Scene */
/** @typedef {import('./types.js').Trajectory} Trajectory */

/** What is painted. moment: from noise (0) to clean (1). @typedef {{moment: number, exact: boolean, arrows: boolean}} Shown */

/** What was painted: where, in words; how far the board reaches; how many points lie outside of it. */
/** @typedef {{where: string, finished: boolean, half: number, outside: number}} Painted */

/** @param {Scene} scene */
const colourOf = ({w}) => (w > 0 ? 'guided' : 'unguided');

/** @param {Scene} scene @returns {Colour} */
const tintOf = scene => (scene.density === 'tilted' ? colourOf(scene) : scene.density === 'class' ? 'unguided' : 'mute');

export class Board {
  /** Parts of the trajectory's heat, one object each, so that a tinted map is known again. @type {Map<number, Uint8Array>} */
  #heats = new Map();
  /** @type {Trajectory | null} */ #ofHeats = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Element} lab where the colours are declared
   * @param {Constants} constants
   */
  constructor(canvas, lab, constants) {
    this.drawing = new Drawing(canvas, lab, constants);
    this.constants = constants;
  }

  /**
   * @param {Drawn} drawn
   * @param {Trajectory | null} path of the same scene, where it is here
   * @param {Shown} shown
   * @returns {Painted}
   */
  paint(drawn, path, shown) {
    const last = path ? path.log_snrs.length - 1 : 0, at = shown.moment * last;
    const painted = !path || at === last ? this.#clean(drawn, path, shown) : this.#onTheWay(drawn, path, at, shown);
    this.drawing.scale();
    return painted;
  }

  /** @param {Drawn} drawn @param {Trajectory | null} path @param {Shown} shown @returns {Painted} */
  #clean({scene, heat, points, exact: draws, half}, path, {exact, arrows}) {
    const {drawing, constants} = this, places = exact ? draws : points;
    drawing.clear(half);
    drawing.heatMap(heat, constants.MEASURED, tintOf(scene));
    drawing.rings(scene.means, 1, 0);
    if (path && arrows) drawing.arrows(this.#scoreAt(path, path.log_snrs.length - 1), path.half);
    drawing.dots(places, exact ? 'ink' : colourOf(scene));
    return {where: say('toy2d.clean'), finished: true, half, outside: outside(places, half)};
  }

  /** @param {Drawn} drawn @param {Trajectory} path @param {number} at @param {Shown} shown @returns {Painted} */
  #onTheWay(drawn, path, at, {exact, arrows}) {
    const {drawing} = this, {scene} = drawn, level = Math.min(Math.round(at), path.log_snrs.length - 2);  // the last is the clean end, and no λ
    const lambda = path.log_snrs[level] ?? Infinity, half = Math.max(drawn.half, path.half);
    const places = exact ? drawn.exact : between(path, at);
    drawing.clear(half);
    drawing.heatMap(this.#heatAt(path, level), path.half, tintOf(scene));
    drawing.rings(scene.means, Math.sqrt(1 / (1 + Math.exp(-lambda))), Math.sqrt(1 / (1 + Math.exp(lambda))));
    if (arrows) drawing.arrows(this.#scoreAt(path, level), path.half);
    if (!exact) drawing.trails(path, Math.floor(at), places, colourOf(scene));
    drawing.dots(places, exact ? 'ink' : colourOf(scene));
    return {where: `λ = ${fixed(lambda)}`, finished: false, half, outside: outside(places, half)};
  }

  /** @param {Trajectory} path @param {number} level */
  #scoreAt({score}, level) {
    const length = 2 * this.constants.ARROWS ** 2;
    return score.subarray(level * length, (level + 1) * length);
  }

  /** @param {Trajectory} path @param {number} level */
  #heatAt(path, level) {
    if (this.#ofHeats !== path) this.#heats.clear();
    this.#ofHeats = path;
    const cells = path.heat.length / path.log_snrs.length;
    const heat = this.#heats.get(level) ?? path.heat.subarray(level * cells, (level + 1) * cells);
    this.#heats.set(level, heat);
    return heat;
  }
}
