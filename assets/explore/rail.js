// The rail: a slider whose stops are the classes, with a picture of each; of too many classes names, to be searched.

import {all, bytes, one, text} from '../shared/dom.js';
import {say} from '../shared/language.js';
import {drawPictures} from './canvas.js';

/** @typedef {import('./store.js').Store} Store */

const STOPS = 8;  // names that are shown at once where there are too many classes for pictures

export class Rail {
  /**
   * @param {HTMLElement} lab
   * @param {Store} store
   * @param {(label: number) => void} choose what a stop asks for; the label after the last is that of all classes
   */
  constructor(lab, store, choose) {
    this.store = store;
    this.choose = choose;
    this.node = one(lab, '.rail', HTMLElement);
    this.slider = one(this.node, '.class', HTMLInputElement);
    this.list = one(this.node, 'ol', HTMLOListElement);
    this.search = one(lab, '.find', HTMLElement);
    this.sought = one(this.search, 'input', HTMLInputElement);
    this.#listen();
  }

  /**
   * Build the stops of the model.
   *
   * @param {string} pictures one of each class, base64; '' where they have not come, or never will
   */
  build(pictures) {
    const {classes, size, channels, rail_pictures: pictured} = this.store.model, length = size * size * channels;
    const raw = bytes(pictures), several = classes.length > 1;
    this.search.hidden = pictured;
    this.sought.value = '';
    this.slider.max = String(classes.length - (pictured && several ? 0 : 1));
    if (!pictured) return this.#find();
    /** @param {number} from @param {number} to */
    const part = (from, to) => raw.subarray(from * length, to * length);
    const stops = classes.map((name, i) => this.#stop(name, i, part(i, i + 1), 1));
    if (several) stops.push(this.#stop(say('rail.all'), classes.length, part(0, classes.length), Math.min(classes.length, 9)));
    this.#setStops(stops);
    this.#mark();
  }

  /** Show which class is chosen. */
  reflect() {
    const {request: {class: label}, model: {classes}} = this.store;
    this.slider.value = String(label === 'all' ? classes.length : label);
    this.slider.setAttribute('aria-valuetext', label === 'all' ? say('grid.all_classes') : classes[label]);
    if (!this.#mark() && !this.search.hidden) {
      this.sought.value = '';
      this.#find();
    }
  }

  /**
   * @param {string} name
   * @param {number} label
   * @param {Uint8Array} [pixels] none where the pictures have not come
   * @param {number} [count] of the pictures
   */
  #stop(name, label, pixels, count = 1) {
    const item = document.createElement('li');
    item.dataset.label = String(label);
    if (pixels) {
      const canvas = document.createElement('canvas');
      if (pixels.length) drawPictures(canvas, pixels, count, Math.ceil(Math.sqrt(count)), this.store.model);
      item.append(canvas);
    }
    item.append(text('span', name));
    return item;
  }

  /** @param {HTMLLIElement[]} stops */
  #setStops(stops) {
    this.list.replaceChildren(...stops);
    this.node.style.setProperty('--stops', String(stops.length));
  }

  /** The classes whose names hold what is searched for; where nothing is, those around the chosen one. */
  #find() {
    const sought = this.sought.value.trim().toLowerCase(), {classes} = this.store.model;
    const labels = [...classes.keys()].filter(label => classes[label].toLowerCase().includes(sought));
    const from = sought ? 0 : Math.max(0, Math.min(+this.slider.value - 3, labels.length - STOPS));
    this.#setStops(labels.slice(from, from + STOPS).map(label => this.#stop(classes[label], label)));
    this.#mark();
  }

  /** Mark the chosen stop; whether it is shown. */
  #mark() {
    const stops = all(this.list, 'li', HTMLLIElement);
    stops.forEach(stop => stop.classList.toggle('on', stop.dataset.label === this.slider.value));
    const chosen = stops.find(stop => stop.classList.contains('on')), {list} = this;
    if (chosen) list.scrollLeft = chosen.offsetLeft - (list.clientWidth - chosen.offsetWidth) / 2;
    return Boolean(chosen);
  }

  /** @param {PointerEvent} event */
  #chooseUnder({clientX: x, clientY: y}) {
    const under = all(this.list, 'li', HTMLLIElement).find(stop => {
      const box = stop.getBoundingClientRect();
      return x >= box.left && x < box.right && y >= box.top && y < box.bottom;
    });
    if (under) this.choose(Number(under.dataset.label));
  }

  #listen() {
    const {node, slider, sought} = this;
    /** @param {PointerEvent} event */
    const press = event => {
      event.preventDefault();
      slider.focus({preventScroll: true});
      this.#chooseUnder(event);
    };
    /** Where a finger came down; it may become a scroll of the page, so wait for its end or a move aside.
     * @type {{x: number, y: number} | null} */
    let touch = null;
    node.addEventListener('pointerdown', event => {
      touch = event.pointerType === 'touch' ? {x: event.clientX, y: event.clientY} : null;
      if (touch) return;
      node.setPointerCapture(event.pointerId);
      press(event);
    });
    node.addEventListener('pointermove', event => {
      const aside = !touch || Math.abs(event.clientX - touch.x) > 4 + Math.abs(event.clientY - touch.y);
      if (event.buttons && aside) this.#chooseUnder(event);
    });
    node.addEventListener('pointerup', event => { if (event.pointerType === 'touch') press(event); });
    slider.addEventListener('input', () => this.choose(+slider.value));
    sought.addEventListener('input', () => this.#find());
    sought.addEventListener('change', () => {
      const first = this.list.querySelector('li');
      if (first && sought.value) this.choose(Number(first.dataset.label));
    });
  }
}
