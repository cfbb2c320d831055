// The 2-D lab. The markup waits in a template until the tab is first seen. The trajectory
// from noise is fetched when it is first played or scrubbed, and then played without the server.

import {all, copiesLink, fixed, isFreeSpace, number, one, showMessage, whenSeen} from '../shared/dom.js';
import {say, translate} from '../shared/language.js';
import {offerInWords, withOwnParameters} from '../shared/parameters.js';
import {announceMeasured, explored, onExplored} from '../shared/tabs.js';
import {onVisit} from '../shared/visit.js';
import {addressFields, linkedFields, writeScene} from './address.js';
import {Board} from './board.js';
import {Components} from './components.js';
import {Controls} from './controls.js';
import {COMPONENTS, FIELDS, fromExplore} from './scene.js';
import {Transport, same} from './transport.js';
import {DENSITIES, besideLine, boardLine, followLine, toy2dSentence} from './wording.js';

/** @typedef {import('./types.js').Constants} Constants */
/** @typedef {import('./types.js').Drawn} Drawn */
/** @typedef {import('./types.js').Scene} Scene */
/** @typedef {import('./types.js').Toy2dServer} Toy2dServer */
/** @typedef {import('./types.js').Trajectory} Trajectory */

const SECONDS = 4;    // that the trajectory is played in
const WRITE = 400;    // milliseconds between changes of the address while something is dragged; browsers limit their number
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
  translate(element);
  whenSeen(lab, () => {
    lab.append(one(lab, 'template', HTMLTemplateElement).content);
    new Toy2d(lab, server, {...constants, OFFER: offerInWords(constants.OFFER)}).restore();
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
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #writeTimer;
  #visible = false;
  /** Half the side of the displayed square. */ #half = 1;
  /** Whether w and the class are those of Explore. @type {import('./wording.js').Follows} */ #follows = {w: true, class: true};

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
    this.board = new Board(this.canvas, lab, constants);
    this.message = one(lab, '.message', HTMLElement);
    this.momentInput = one(lab, '.moment', HTMLInputElement);
    this.playButton = one(lab, '.play', HTMLButtonElement);
    this.samplesButton = one(lab, '.mine', HTMLButtonElement);
    this.exactButton = one(lab, '.exact', HTMLButtonElement);
    this.arrows = one(lab, '.arrows', HTMLInputElement);
    this.transport = new Transport(server, constants, {
      drawn: () => { this.#describeFigures(); this.redraw(); },
      message: sentence => showMessage(this.message, sentence),
      refused: () => { this.controls.reflect(true); this.components.reflect(); },
      idle: () => this.#becomeIdle(),
    });
    const scene = () => this.transport.request ?? constants.DEFAULT;
    this.controls = new Controls(lab, constants, fields => this.choose(fields), scene);
    this.components = new Components(lab, constants, fields => this.choose(fields), scene, () => this.#half);
    this.#listen();
  }

  /** Draw the scene of the link. @returns {Promise<void>} */
  async restore() {
    const linked = linkedFields(location.search), {scene, notice} = await this.transport.restore(linked);
    if (!same(linked, linkedFields(location.search))) return this.restore();
    this.#follows = {w: !('w' in linked), class: !('class' in linked)};
    this.change({...scene, ...this.#explored});
    this.transport.notice = notice;
  }

  /** What the scene takes from Explore. @returns {Partial<Scene>} */
  get #explored() {
    const now = explored();
    return now ? fromExplore(now, this.constants.CLASSES.length, this.#follows) : {};
  }

  /** Take what Explore shows, where it is another than is asked for; while the tab is not seen, nothing is drawn. */
  #follow() {
    const {request} = this.transport, fields = this.#explored;
    if (this.#visible && request && Object.entries(fields).some(([name, value]) => request[name] !== value)) this.change(fields);
  }

  /** What a person chooses. @param {Partial<Scene>} fields */
  choose(fields) {
    this.#follows = {w: this.#follows.w && !('w' in fields), class: this.#follows.class && !('class' in fields)};
    this.change(fields);
  }

  /** Back to the default: the components, w and the class (those of Explore again), or all. @param {string} what */
  reset(what) {
    const {DEFAULT} = this.constants, again = {w: DEFAULT.w, class: DEFAULT.class};
    if (what !== 'components') this.#follows = {w: true, class: true};
    if (what === 'components') this.change(Object.fromEntries(COMPONENTS.map(name => [name, DEFAULT[name]])));
    else this.change({...again, ...this.#explored}, what === 'all');
  }

  /**
   * Ask for another scene; the other fields stay as they are.
   *
   * @param {Partial<Scene>} fields
   * @param {boolean} [usual] whether parameters go back to their defaults too
   */
  change(fields, usual = false) {
    const {DEFAULT, OFFER} = this.constants, before = usual ? DEFAULT : this.transport.request ?? DEFAULT;
    const scene = withOwnParameters(FIELDS, OFFER, /** @type {Scene} */ ({...before, ...fields}));
    this.#exact = false;
    this.lab.dataset.state = 'drawing';
    one(this.lab, '.follows', HTMLElement).textContent = followLine(this.#follows, this.constants.CLASSES);
    this.transport.ask(scene);
    this.#writeTimer ??= setTimeout(() => this.#write(), WRITE);
    this.controls.reflect();
    this.components.reflect();
    this.#press();
  }

  /** Put what is asked for into the address. */
  #write() {
    clearTimeout(this.#writeTimer);
    this.#writeTimer = undefined;
    if (this.transport.request) writeScene(this.transport.request, this.constants, this.#follows);
  }

  async #becomeIdle() {
    const {transport, lab} = this, {shown} = transport;
    if (shown) {
      if (this.#moment < 1) await this.#fetchTrajectory();
      if (transport.busy) return;
      this.#write();
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
    const path = trajectory && same(trajectory.scene, shown.scene) ? trajectory : null;
    const painted = this.board.paint(shown, path, {moment: this.#moment, exact: this.#exact, arrows: this.arrows.checked});
    if (this.#half !== painted.half) {
      this.#half = painted.half;
      this.components.place();
    }
    this.#describe(shown, painted);
  }

  /**
   * What is on the board, in words.
   *
   * @param {Drawn} shown
   * @param {import('./board.js').Painted} painted
   */
  #describe({scene, milliseconds}, {where, finished, half, outside}) {
    const {lab, canvas, constants} = this;
    const sampler = constants.OFFER.samplers.find(({name}) => name === scene.sampler)?.title;
    this.momentInput.value = String(Math.round(1000 * (finished ? 1 : this.#moment)));
    this.momentInput.setAttribute('aria-valuetext', where);
    one(lab, 'footer output', HTMLElement).textContent = where;
    const density = finished ? DENSITIES[scene.density] : DENSITIES[scene.density].replaceAll('x', 'z');
    const which = say(this.#exact ? 'toy2d.exact_draws' : 'toy2d.samples', {points: scene.points});
    one(lab, 'figcaption', HTMLElement).textContent = `${say(finished ? 'toy2d.over' : 'toy2d.over_at', {which, density, where})} · ${boardLine(half, outside, scene.points)}`;
    canvas.setAttribute('aria-label', say('toy2d.canvas', {which, name: constants.CLASSES[scene.class], w: number(scene.w), density, where}));
    Object.assign(canvas.dataset, {w: scene.w, class: scene.class, moment: finished ? 1 : this.#moment, exact: this.#exact, half, outside});
    one(lab, '.cost', HTMLElement).textContent = `${sampler}, ${say('grid.steps', {steps: scene.steps})}, ${milliseconds} ms`;
  }

  /** The distances, and the sentence about them. */
  #describeFigures() {
    const {shown} = this.transport, {lab} = this;
    if (!shown) return;
    const {scene, distance, baseline} = shown, [strong, rest] = toy2dSentence(shown);
    one(this.samplesButton, 'b', HTMLElement).textContent = fixed(distance, 2);
    one(this.samplesButton, 'span', HTMLElement).textContent = say('toy2d.distance');
    one(this.exactButton, 'b', HTMLElement).textContent = fixed(baseline, 2);
    one(this.exactButton, 'span', HTMLElement).textContent = say('toy2d.of_exact', {points: scene.points});
    one(lab, '.sentence strong', HTMLElement).textContent = strong;
    one(lab, '.sentence span', HTMLElement).textContent = rest;
    Object.assign(one(lab, '.beside', HTMLElement), {textContent: besideLine(shown), hidden: !besideLine(shown)});
    lab.classList.toggle('plain', !guided(scene));
    Object.assign(lab.dataset, {distance, baseline});
    announceMeasured('toy2d', Object.fromEntries(Object.entries(scene).map(([name, value]) => [`toy2d_${name}`, String(value)])), {distance, baseline});
  }

  #listen() {
    const {lab, board: {drawing}} = this;
    for (const button of all(lab, '.resets button', HTMLButtonElement)) button.addEventListener('click', () => this.reset(button.value));
    new IntersectionObserver(entries => {
      this.#visible = entries[entries.length - 1].isIntersecting;
      this.#follow();
    }).observe(lab);
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
    onVisit(() => this.transport.request && addressFields(this.transport.request, this.constants, this.#follows), () => this.restore());
    onExplored(() => this.#follow());
    copiesLink(one(lab, '.link', HTMLButtonElement));
  }
}
