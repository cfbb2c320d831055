// The components on the board: handles that are dragged or moved by keys, and buttons that add and remove them.

import {all, one, text} from '../shared/dom.js';
import {say} from '../shared/language.js';
import {bounded, ofClass, withComponent, withoutComponent} from './scene.js';
import {componentLabel} from './wording.js';

/** @typedef {import('./types.js').Constants} Constants */
/** @typedef {import('./types.js').Scene} Scene */
/** @typedef {import('./types.js').Vector} Vector */

export class Components {
  /** The component that was touched last, by its number among all. */ #touched = -1;

  /**
   * @param {HTMLElement} lab
   * @param {Constants} constants
   * @param {(fields: Partial<Scene>) => void} change
   * @param {() => Scene} scene what is asked for now
   * @param {() => number} half of the displayed square's side
   */
  constructor(lab, constants, change, scene, half) {
    this.constants = constants;
    this.change = change;
    this.scene = scene;
    this.half = half;
    this.board = one(lab, 'canvas', HTMLCanvasElement);
    this.handles = one(lab, '.handles', HTMLElement);
    this.count = one(lab, '.count', HTMLElement);
    one(lab, '.add', HTMLButtonElement).addEventListener('click', () => this.#add());
    one(lab, '.remove', HTMLButtonElement).addEventListener('click', () => this.#remove());
    this.board.addEventListener('dblclick', event => this.#add(this.#at(event)));
  }

  /** Put the handles where the requested scene has its components. */
  reflect() {
    const scene = this.scene(), {handles, constants: {CLASSES}} = this;
    while (handles.childElementCount > scene.means.length) handles.lastElementChild?.remove();
    while (handles.childElementCount < scene.means.length) handles.append(this.#handle(handles.childElementCount));
    all(handles, 'button', HTMLButtonElement).forEach((handle, n) => {
      const owner = scene.owners[n], own = ofClass(scene, owner), index = own.indexOf(n), name = CLASSES[owner];
      handle.replaceChildren(name, ...(own.length > 1 ? [text('sub', index + 1)] : []));
      handle.classList.toggle('on', owner === scene.class);
      handle.setAttribute('aria-label', componentLabel({name, index, count: own.length, place: scene.means[n]}));
    });
    const own = ofClass(scene, scene.class).length;
    this.count.textContent = say(own === 1 ? 'toy2d.count_one' : 'toy2d.count', {own, name: CLASSES[scene.class]});
    this.place();
  }

  /** Move the handles to where they are at the scale of the board. */
  place() {
    const {means} = this.scene(), half = this.half();
    all(this.handles, 'button', HTMLButtonElement).forEach((handle, n) => {
      const [x, y] = means[n] ?? [0, 0];
      handle.style.left = 50 + (50 * x) / half + '%';
      handle.style.top = 50 - (50 * y) / half + '%';
    });
  }

  /** @param {MouseEvent} event @returns {Vector} */
  #at(event) {
    const box = this.board.getBoundingClientRect(), half = this.half();
    return [(((event.clientX - box.left) / box.width) * 2 - 1) * half, (1 - ((event.clientY - box.top) / box.height) * 2) * half];
  }

  /** @param {Vector} [at] */
  #add(at) {
    const scene = this.scene();
    this.#touched = scene.means.length;
    this.change(withComponent(scene, this.constants.REACH, at));
  }

  /** Remove a component, by default that of the chosen class that was touched last. @param {number} [n] */
  #remove(n) {
    const scene = this.scene(), own = ofClass(scene, scene.class);
    this.change(withoutComponent(scene, n ?? (own.includes(this.#touched) ? this.#touched : own[own.length - 1])));
    this.#touched = -1;
  }

  /** Move a component, no further than it may be. @param {number} n @param {number} x @param {number} y */
  #move(n, x, y) {
    const place = bounded(x, y, this.constants.REACH);
    this.change({means: this.scene().means.map((mean, each) => (each === n ? place : mean))});
  }

  /** @param {number} n */
  #handle(n) {
    const button = document.createElement('button');
    button.type = 'button';
    button.addEventListener('focus', () => { this.#touched = n; });
    button.addEventListener('pointerdown', event => { button.setPointerCapture(event.pointerId); });
    button.addEventListener('pointermove', event => {
      if (button.hasPointerCapture(event.pointerId)) this.#move(n, ...this.#at(event));
    });
    /** @type {Record<string, Vector>} */
    const ways = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
    button.addEventListener('keydown', event => {
      const by = ways[event.key], removes = event.key === 'Delete' || event.key === 'Backspace';
      if (!by && !removes) return;
      event.preventDefault();
      if (removes) return this.#remove(n);
      const [x, y] = this.scene().means[n], step = event.shiftKey ? 0.5 : 0.1;
      this.#move(n, x + step * by[0], y + step * by[1]);
    });
    return button;
  }
}
