// The pictures that the class looks at, as they have come over the stream; the Explore tab asks for them as it asks the
// server. No DOM.

/** @typedef {import('./types.js').PicturesEvent} PicturesEvent */
/** @typedef {import('./types.js').PollReply} PollReply */
/** @typedef {import('./types.js').WireFrame} WireFrame */
/** @typedef {import('../explore/types.js').Superseded} Superseded */

/** @typedef {{request: object, reference: object, seen: Record<string, number>}} Ask */

/**
 * Whether two requests are the same but for w; one may have as text what is a number in the other.
 *
 * @param {object} one
 * @param {object} other
 */
function sameScene(one, other) {
  const [a, b] = /** @type {{w?: number}[]} */ ([one, other]).map(({w, ...fields}) => Object.entries(fields).map(([name, value]) => `${name} ${value}`).sort().join(';'));
  return a === b;
}

export class ClassPictures {
  /** The key of what the class looks at; '' for nothing. */ key = '';
  /** The newest that has come. @type {PicturesEvent | null} */ #newest = null;
  /** All frames of its scene, by serial. @type {Map<number, WireFrame>} */ #frames = new Map();
  /** The serials of both strips. */ #strips = {strip: new Set(), reference_strip: new Set()};
  /** What was told last. */ #told = '';
  /** Who waits. @type {((reply: PollReply | Superseded) => void) | null} */ #waiting = null;
  /** @type {Ask | null} */ #ask = null;

  /** Where the stream goes on: what is held of which scene. */
  get held() {
    const seen = Object.fromEntries([...this.#frames].map(([serial, {evaluations}]) => [serial, evaluations]));
    return {scene: this.#newest?.scene ?? '', number: this.#newest?.number ?? 0, seen};
  }

  /** Another process of the server counts its frames anew. */
  forget() {
    this.#newest = null;
    this.#frames.clear();
    this.#strips = {strip: new Set(), reference_strip: new Set()};
  }

  /** @param {PicturesEvent} event */
  receive(event) {
    if (event.scene !== this.#newest?.scene) this.forget();
    this.#newest = event;
    for (const frame of [...event.frames, ...event.strip, ...event.reference_strip]) {
      if (frame.pixels || !this.#frames.has(frame.serial)) this.#frames.set(frame.serial, frame);
    }
    for (const name of /** @type {const} */ (['strip', 'reference_strip'])) {
      for (const {serial} of event[name]) this.#strips[name].add(serial);
    }
    this.#answer();
  }

  /**
   * What there is of what the class looks at, once it is of the scene that is asked for and something was not told. A later
   * ask ends an earlier one.
   *
   * @param {Ask} ask
   * @param {boolean} anew whether its request waits for an answer, though the same may have been told before
   * @returns {Promise<PollReply | Superseded>}
   */
  poll(ask, anew) {
    this.stop();
    if (anew) this.#told = '';
    return new Promise(resolve => {
      this.#waiting = resolve;
      this.#ask = ask;
      this.#answer();
    });
  }

  /** Nobody waits any longer. */
  stop() {
    this.#waiting?.({ok: true, superseded: true});
    this.#waiting = this.#ask = null;
  }

  #answer() {
    const newest = this.#newest, ask = this.#ask;
    if (!newest || !ask || newest.key !== this.key) return;
    if (!sameScene(ask.request, newest.request) || !sameScene(ask.reference, newest.reference)) return;
    /** @param {number} serial */
    const isNew = serial => ask.seen[serial] !== this.#frames.get(serial)?.evaluations;
    const told = `${newest.number} ${newest.key}`;
    const strips = /** @type {const} */ (['strip', 'reference_strip']).map(name => [...this.#strips[name]].filter(isNew));
    if (told === this.#told && !strips.flat().length) return;
    this.#told = told;
    /** @param {number} serial @returns {WireFrame[]} */
    const frame = serial => {
      const found = this.#frames.get(serial);
      return found ? [isNew(serial) ? found : {...found, pixels: null}] : [];
    };
    const [strip, reference] = strips.map(serials => serials.flatMap(frame));
    const resolve = this.#waiting;
    this.#waiting = this.#ask = null;
    resolve?.({...newest, frames: newest.frames.flatMap(({serial}) => frame(serial)), strip, reference_strip: reference});
  }
}
