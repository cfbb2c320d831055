// The 2-D lab. The markup waits in a template until the tab is first seen. The trajectory
// from noise is fetched when it is first played or scrubbed, and then played without the server.

import {copiesLink, fixed, isFreeSpace, number, one, showMessage, whenSeen} from '../shared/dom.js';
import {withOwnParameters} from '../shared/parameters.js';
import {announceMeasured} from '../shared/tabs.js';
import {onVisit} from '../shared/visit.js';
import {toy2dSentence} from '../shared/wording.js';
import {addressFields, linkedFields, writeScene} from './address.js';
import {Controls} from './controls.js';
import {Drawing, between} from './drawing.js';
import {Transport, same} from './transport.js';

/** @typedef {import('./drawing.js').Colour} Colour */
/** @typedef {import('./types.js').Constants} Constants */
/** @typedef {import('./types.js').Drawn} Drawn */
/** @typedef {import('./types.js').Scene} Scene */
/** @typedef {import('./types.js').Toy2dServer} Toy2dServer */
/** @typedef {import('./types.js').Trajectory} Trajectory */

const SECONDS = 4;    // that the trajectory is played in
/** The fields that every scene has, whatever its rule and its sampler. */
const FIELDS = ['class', 'means', 'w', 'rule', 'sampler', 'steps', 'langevin', 'points', 'seed', 'density'];
const REST = 300;     // milliseconds without a change after which the trajectory is fetched, so that it can play at once

/** @param {Scene} scene */
const guided = scene => scene.w > 0;

/**
 * Gradio calls this once the markup is on the page.
 *
 * @param {HTMLElement} element
 * @param {Toy2dServer} server
 * @param {Constants} constants
 */
export function mount(element, server, constants) {
  const lab = one(element, '.toy2d', HTMLElement);
  whenSeen(lab, () => {
    lab.append(one(lab, 'template', HTMLTemplateElement).content);
    new Toy2d(lab, server, constants).restore();
  });
}

class Toy2d {
  /** Where the scrubber is, from noise (0) to clean (1). */
  #moment = 1;
  /** While it moves: from where, and since when. @type {{from: number, since: number | null} | null} */ #playing = null;
  /** Whether exact draws are shown instead of the samples. */
  #exact = false;
  #redrawing = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #restTimer;
  /** Parts of the trajectory's heat, one object each, so that a tinted map is known again. @type {Map<number, Uint8Array>} */
  #heats = new Map();
  /** @type {Trajectory | null} */ #ofHeats = null;

  /**
   * @param {HTMLElement} lab
   * @param {Toy2dServer} server
   * @param {Constants} constants
   */
  constructor(lab, server, constants) {
    const calm = matchMedia('(prefers-reduced-motion: reduce)');
    this.lab = lab;
    this.constants = constants;
    this.calm = () => calm.matches;
    this.canvas = one(lab, 'canvas', HTMLCanvasElement);
    this.drawing = new Drawing(this.canvas, lab, constants);
    this.message = one(lab, '.message', HTMLElement);
    this.momentInput = one(lab, '.moment', HTMLInputElement);
    this.playButton = one(lab, '.play', HTMLButtonElement);
    this.samplesButton = one(lab, '.mine', HTMLButtonElement);
    this.exactButton = one(lab, '.exact', HTMLButtonElement);
    this.arrows = one(lab, '.arrows', HTMLInputElement);
    this.transport = new Transport(server, constants, {
      drawn: () => { this.#describeFigures(); this.redraw(); },
      message: sentence => showMessage(this.message, sentence),
      refused: () => this.controls.reflect(true),
      idle: () => this.#becomeIdle(),
    });
    this.controls = new Controls(lab, constants, fields => this.change(fields), () => this.transport.request ?? constants.DEFAULT);
    this.#listen();
  }

  /** Draw the scene of the link. @returns {Promise<void>} */
  async restore() {
    const fields = linkedFields(location.search), {scene, notice} = await this.transport.restore(fields);
    if (!same(fields, linkedFields(location.search))) return this.restore();
    this.change(scene);
    this.transport.notice = notice;
  }

  /**
   * Ask for another scene; the other fields stay as they are.
   *
   * @param {Partial<Scene>} fields
   */
  change(fields) {
    const {DEFAULT, OFFER} = this.constants, before = this.transport.request ?? DEFAULT;
    const scene = withOwnParameters(FIELDS, OFFER, /** @type {Scene} */ ({...before, ...fields}));
    this.#exact = false;
    this.lab.dataset.state = 'drawing';
    this.transport.ask(scene);
    this.controls.reflect();
    this.#press();
  }

  async #becomeIdle() {
    const {transport, lab} = this, {shown} = transport;
    if (shown) {
      if (this.#moment < 1) await this.#fetchTrajectory();
      if (transport.busy) return;
      writeScene(shown.scene, this.constants);
      clearTimeout(this.#restTimer);
      this.#restTimer = setTimeout(() => { if (!transport.busy) this.#fetchTrajectory(); }, REST);
      one(lab, '.visually-hidden', HTMLElement).textContent = one(lab, '.sentence strong', HTMLElement).textContent;
    }
    lab.dataset.state = 'idle';
  }

  // ---- the trajectory ----

  async #fetchTrajectory() {
    const here = await this.transport.fetchTrajectory();
    if (here) this.redraw();
    return here;
  }

  /** @param {number} to */
  async scrub(to) {
    this.stop();
    this.#exact = false;
    if (to < 1 && !await this.#fetchTrajectory()) return;
    this.#moment = to;
    this.#press();
    this.redraw();
  }

  async play() {
    if (this.#playing) return this.stop();
    this.#exact = false;
    this.#press();
    if (!await this.#fetchTrajectory() || this.#playing) return;
    const at = this.#moment;
    if (this.calm()) return this.scrub(at >= 1 ? 0 : Math.min(1, at + 0.1));  // nothing moves by itself
    this.#playing = {from: at >= 1 ? 0 : at, since: null};
    this.lab.classList.add('playing');
    this.playButton.textContent = '❚❚';
    this.redraw();
  }

  stop() {
    this.#playing = null;
    this.lab.classList.remove('playing');
    this.playButton.textContent = '▶';
  }

  // ---- what is shown ----

  #press() {
    this.samplesButton.setAttribute('aria-pressed', String(!this.#exact));
    this.exactButton.setAttribute('aria-pressed', String(this.#exact));
  }

  /** Draw before the next frame of the display. */
  redraw() {
    if (!this.#redrawing) requestAnimationFrame(now => this.#paint(now));
    this.#redrawing = true;
  }

  /** @param {number} now */
  #paint(now) {
    this.#redrawing = false;
    if (this.#playing) {
      this.#playing.since ??= now;
      this.#moment = Math.min(1, this.#playing.from + (now - this.#playing.since) / 1000 / SECONDS);
      if (this.#moment === 1) this.stop();
      else this.redraw();
    }
    const {shown, trajectory} = this.transport;
    if (!shown) return;
    this.drawing.clear();
    const path = trajectory && same(trajectory.scene, shown.scene) ? trajectory : null;
    const last = path ? path.log_snrs.length - 1 : 0, at = this.#moment * last;
    if (!path || at === last) this.#paintClean(shown, path, last);
    else this.#paintOnTheWay(shown, path, at, Math.min(Math.round(at), last - 1));  // the last is the clean end, and no λ
  }

  /** @param {Scene} scene @returns {Colour} */
  #tint({density, w}) {
    return density === 'tilted' ? (w > 0 ? 'guided' : 'unguided') : density === 'class' ? 'unguided' : 'mute';
  }

  /** @param {Drawn} shown @param {Trajectory | null} path @param {number} last */
  #paintClean(shown, path, last) {
    const {drawing, constants} = this, {scene} = shown;
    drawing.heatMap(shown.heat, constants.MEASURED, this.#tint(scene));
    drawing.rings(scene.means, 1, 0);
    if (path && this.arrows.checked) drawing.arrows(this.#scoreAt(path, last));
    if (this.#exact) drawing.dots(shown.exact, 'ink');
    else drawing.dots(shown.points, guided(scene) ? 'guided' : 'unguided');
    this.#describe(shown, 'clean samples', true);
  }

  /** @param {Drawn} shown @param {Trajectory} path @param {number} at @param {number} level */
  #paintOnTheWay(shown, path, at, level) {
    const {drawing, constants} = this, {scene} = shown, lambda = path.log_snrs[level] ?? Infinity;
    const places = between(path, at), colour = guided(scene) ? 'guided' : 'unguided';
    drawing.heatMap(this.#heatAt(path, level), constants.VIEW, this.#tint(scene));
    drawing.rings(scene.means, Math.sqrt(1 / (1 + Math.exp(-lambda))), Math.sqrt(1 / (1 + Math.exp(lambda))));
    if (this.arrows.checked) drawing.arrows(this.#scoreAt(path, level));
    if (this.#exact) drawing.dots(shown.exact, 'ink');
    else {
      drawing.trails(path, Math.floor(at), places, colour);
      drawing.dots(places, colour);
    }
    this.#describe(shown, `λ = ${fixed(lambda)}`, false);
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

  /**
   * What is on the board, in words.
   *
   * @param {Drawn} shown
   * @param {string} where
   * @param {boolean} finished
   */
  #describe({scene, milliseconds}, where, finished) {
    const {lab, canvas, constants} = this;
    const sampler = constants.OFFER.samplers.find(({name}) => name === scene.sampler)?.title;
    this.momentInput.value = String(Math.round(1000 * (finished ? 1 : this.#moment)));
    this.momentInput.setAttribute('aria-valuetext', where);
    one(lab, 'footer output', HTMLElement).textContent = where;
    const what = {tilted: 'p(x|c) p(c|x)ʷ', class: 'p(x|c)', all: 'p(x)'}[scene.density];
    const density = finished ? what : what.replaceAll('x', 'z');
    const which = this.#exact ? `${scene.points} exact draws` : `${scene.points} samples`;
    one(lab, 'figcaption', HTMLElement).textContent = `${which} over ${density}${finished ? '' : ', both at ' + where}`;
    canvas.setAttribute('aria-label', `${which} of class ${constants.CLASSES[scene.class]} at w = ${number(scene.w)}, over the density ${density}; ${where}`);
    Object.assign(canvas.dataset, {w: scene.w, class: scene.class, moment: finished ? 1 : this.#moment, exact: this.#exact});
    one(lab, '.cost', HTMLElement).textContent = `${sampler}, ${scene.steps} steps, ${milliseconds} ms`;
  }

  /** The distances, and the sentence about them. */
  #describeFigures() {
    const {shown} = this.transport, {lab} = this;
    if (!shown) return;
    const {scene, distance, baseline} = shown, [strong, rest] = toy2dSentence(shown);
    one(this.samplesButton, 'b', HTMLElement).textContent = fixed(distance, 2);
    one(this.samplesButton, 'span', HTMLElement).textContent = 'the samples’ distance';
    one(this.exactButton, 'b', HTMLElement).textContent = fixed(baseline, 2);
    one(this.exactButton, 'span', HTMLElement).textContent = `of ${scene.points} exact draws`;
    one(lab, '.sentence strong', HTMLElement).textContent = strong;
    one(lab, '.sentence span', HTMLElement).textContent = rest;
    lab.classList.toggle('plain', !guided(scene));
    Object.assign(lab.dataset, {distance, baseline});
    announceMeasured('toy2d', Object.fromEntries(Object.entries(scene).map(([name, value]) => [`toy2d_${name}`, String(value)])), {distance, baseline});
  }

  #listen() {
    const {lab, drawing} = this;
    this.momentInput.addEventListener('input', () => this.scrub(Number(this.momentInput.value) / 1000));
    this.playButton.addEventListener('click', () => this.play());
    this.arrows.addEventListener('change', () => this.redraw());
    this.samplesButton.addEventListener('click', () => { this.#exact = false; this.#press(); this.redraw(); });
    this.exactButton.addEventListener('click', () => {
      this.stop();
      this.#moment = 1;
      this.#exact = true;
      this.#press();
      this.redraw();
    });
    lab.addEventListener('keydown', event => {
      if (!isFreeSpace(event)) return;
      event.preventDefault();
      this.play();
    });
    document.addEventListener('visibilitychange', () => { if (document.hidden) this.stop(); });
    new ResizeObserver(() => this.redraw()).observe(this.canvas);
    const recoloured = () => { drawing.readColours(); this.redraw(); };
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recoloured);
    new MutationObserver(recoloured).observe(document.body, {attributeFilter: ['class']});
    onVisit(() => this.transport.request && addressFields(this.transport.request, this.constants), () => this.restore());
    copiesLink(one(lab, '.link', HTMLButtonElement));
  }
}
