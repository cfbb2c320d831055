// The calls of the server: the session, the poll, the change of model. No DOM.
//
// One poll is in flight, for a moment two: a newer request is polled for at once, and the server ends the older poll.
// Only the answer of the newest poll changes what is displayed; frames of an older one are kept, never put back.

import {language, say} from '../shared/language.js';
import {answered, sleep} from '../shared/server.js';
import {QUEUE_FULL, RemoteGpu} from './remote_gpu.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./types.js').Description} Description */
/** @typedef {import('./types.js').ExploreServer} ExploreServer */
/** @typedef {import('./types.js').GridRequest} GridRequest */
/** @typedef {import('./types.js').PlainRequest} PlainRequest */
/** @typedef {import('./types.js').Refusal} Refusal */

/**
 * What the page does at the events of the transport.
 *
 * received: frames have come. message: a sentence for above the grids, or ''. refused: the newest request was, and the
 * store has gone back. gaveUp: nothing more will come of the request, and a message has been given. drawRemotely: queue a
 * call of the remote GPU. replaced: the server no longer has the model, and this is another.
 *
 * @typedef {{
 *   received: () => void, message: (sentence: string) => void, refused: () => void, gaveUp: () => void,
 *   drawRemotely: (ask: {token: string, request: PlainRequest, reference: PlainRequest}) => void, replaced: (other: Description) => void,
 * }} TransportEvents
 */

const QUEUE_INTERVAL = 500;  // milliseconds between polls of a queued session
const KEEP_ALIVE = 10_000;   // milliseconds between calls of a page that waits for nothing; after 15 s it may lose its place

const ordinals = new Intl.PluralRules(language(), {type: 'ordinal'});

/** @param {number} n */
export const ordinal = n => say(`ordinal.${ordinals.select(n)}`, {n});

export class Transport {
  /** @type {number} */ #flights = 0;   // polls under way
  /** @type {number} */ #newest = 0;    // counts the polls
  /** @type {GridRequest | null} */ #sent = null;  // the request of the newest poll
  #visible = false;
  #changingModel = false;
  #gpu = this.#newGpu();

  /**
   * @param {ExploreServer} server
   * @param {Store} store
   * @param {TransportEvents} events
   * @param {string} token of the session that was opened
   * @param {{
   *   wait?: (milliseconds: number) => Promise<void>, repeat?: (call: () => void, milliseconds: number) => void,
   *   hidden?: () => boolean,
   * }} [environment]
   */
  constructor(server, store, events, token, {wait = sleep, repeat = setInterval, hidden = () => false} = {}) {
    this.server = server;
    this.store = store;
    this.events = events;
    this.token = token;
    this.wait = wait;
    this.hidden = hidden;
    repeat(() => this.#stay(), KEEP_ALIVE);
  }

  /** Whether frames are asked for: the tab is visible, and no other model is on its way. */
  get active() {
    return this.#visible && !this.#changingModel;
  }

  /**
   * The tab is shown or hidden. A hidden one keeps its session and its position, but nothing is drawn for it.
   *
   * @param {boolean} visible
   */
  setVisible(visible) {
    const before = this.#visible;
    this.#visible = visible;
    if (visible) this.poll();
    else if (before) this.#pause();
  }

  #pause() {
    if (this.token) this.server.pause_session({token: this.token}).catch(() => null);
  }

  /** Keep the place of a page that waits for nothing while somebody may look at it. */
  #stay() {
    if (this.hidden() || this.#flights || !this.token) return;
    if (!this.active) this.#pause();
    else this.server.poll(this.#question).catch(() => null);
  }

  /**
   * Ask again for what is shown, which another page may have changed.
   *
   * @param {boolean} [now] even while a poll is under way
   */
  again(now = false) {
    if (this.#flights && !now) return;
    this.store.request = {...this.store.request};
    this.poll();
  }

  /** What a poll asks. */
  get #question() {
    const {guided, reference, seen, ahead} = this.store;
    return {token: this.token, request: guided, reference, seen, ahead};
  }

  /** Whether there is something to poll for. */
  get #unsatisfied() {
    return !this.store.satisfied || (this.store.missing !== 0 && !this.hidden());
  }

  /** Poll until what is asked for is here. A newer request starts a poll of its own. */
  async poll() {
    const {store} = this;
    if (!this.active || this.#flights > 1 || (this.#flights && store.request === this.#sent)) return;
    this.#flights += 1;
    const number = this.#newest += 1;
    try {
      while (number === this.#newest && this.active && this.#unsatisfied) {
        if (await this.#once(number) === 'stop') break;
      }
    } finally {
      this.#flights -= 1;
      if (number !== this.#newest || store.request !== this.#sent) this.poll();  // what was asked for while two were under way
      else if (store.satisfied) this.events.received();
      else if (this.active) this.events.gaveUp();
    }
  }

  /**
   * One poll and what follows from its answer.
   *
   * @param {number} number the number of this loop
   * @returns {Promise<'stop' | 'go on'>}
   */
  async #once(number) {
    const {store, events} = this, wanted = () => number === this.#newest && this.active;
    let {request, held} = store;
    const reply = await this.#answered(() => {
      ({request, held} = store);
      this.#sent = request;
      if (store.model.remote) this.#gpu.ask(request);
      return this.server.poll(this.#question, request !== store.accepted);
    }, {wanted});
    if (!reply || !this.active) return 'stop';
    if (!reply.ok && reply.unknown) return await this.reopen(wanted) ? 'go on' : 'stop';
    if (!reply.ok && reply.gone) return this.#replaceModel(request);
    if (reply.ok && reply.superseded) return 'go on';
    if (store.held !== held) return 'go on';  // of a scene that is no longer asked for
    if (reply.ok) {
      const [left, right] = reply.frames;
      store.keep([...(left ? [left] : []), ...reply.reference_strip], [0]);
      store.keep([...(right ? [right] : []), ...reply.strip], [1]);
    }
    if (number !== this.#newest) return 'stop';
    if (!reply.ok) return this.#refused(request, reply.error);
    if (reply.queue_position) {
      events.message(say('server.full', {place: ordinal(reply.queue_position)}));
      await this.wait(QUEUE_INTERVAL);
      return 'go on';
    }
    store.accept(request, reply);
    if (store.request === store.accepted) this.#sent = store.request;
    if (reply.missing) this.#gpu.missing(reply.remote_calls);
    store.receive(reply);
    events.received();
    events.message(reply.frames.find(frame => frame.error)?.error ?? store.notice);
    return 'go on';
  }

  /**
   * @template T
   * @param {() => Promise<T | null>} call
   * @param {{wanted?: () => boolean, later?: (answer: T) => string, message?: (sentence: string) => void}} options
   */
  #answered(call, options) {
    return answered(call, {message: sentence => this.events.message(sentence || this.store.notice), wait: this.wait, ...options});
  }

  /**
   * The server does not take a request: go back to the last one that it took, if there is one.
   *
   * @param {GridRequest} request
   * @param {string} error
   * @returns {'stop' | 'go on'}
   */
  #refused(request, error) {
    const {store, events} = this;
    if (store.request !== request) return 'go on';
    store.notice = error;
    events.message(error);
    if (!store.accepted && Object.keys(request.vs).length) {  // a comparison of a link
      store.change({vs: {}});
      store.notice = error;
      events.refused();
      return 'go on';
    }
    if (!store.accepted || request === store.accepted) return 'stop';
    store.revert();
    events.refused();
    return 'go on';
  }

  #newGpu() {
    return new RemoteGpu(() => {
      const {guided, reference} = this.store;
      this.events.drawRemotely({token: this.token, request: guided, reference});
    });
  }

  /** A call of the remote GPU did not get into its queue. */
  async gpuRefused() {
    const {store} = this;
    store.notice = QUEUE_FULL;
    this.events.message(QUEUE_FULL);
    await this.#gpu.refused(this.wait);
    if (store.notice === QUEUE_FULL) store.notice = '';
    this.poll();
  }

  /**
   * Open a new session, since the server has forgotten this one; whether there is one.
   *
   * @param {() => boolean} [wanted]
   */
  async reopen(wanted) {
    const {hash} = this.store.model;
    const later = (/** @type {{ok: true} | Refusal} */ reply) => (reply.ok ? '' : reply.error);
    const reply = await this.#answered(() => this.server.open_session({query: {model: hash}}), {later, wanted});
    if (!reply?.ok) return false;
    this.token = reply.token;
    this.#gpu = this.#newGpu();
    if (reply.model.hash !== hash) this.events.replaced(reply);
    return true;
  }

  /**
   * The server was started again without the model: go on with another, and of the request with what that can do.
   *
   * @param {GridRequest} request
   * @returns {Promise<'stop'>}
   */
  async #replaceModel({model, vs, ...fields}) {
    const other = await this.describeModel(fields);
    if (other?.ok) this.events.replaced(other);
    else if (other) this.events.message(other.error);
    return 'stop';
  }

  /**
   * The server's description of another model, and of the fields that it can take over. The session and its position stay;
   * meanwhile nothing is drawn for it. Null where another change is under way.
   *
   * @param {Partial<GridRequest>} fields
   * @returns {Promise<Description | {ok: false, error: string} | null>}
   */
  async describeModel(fields) {
    if (this.#changingModel) return null;
    if (this.#visible) this.#pause();
    this.#changingModel = true;
    const reply = await this.#answered(() => this.server.describe_model({query: fields}), {});
    this.#changingModel = false;
    return reply;
  }

  /**
   * The rail's pictures of a model, once they are drawn; '' where there are none.
   *
   * @param {string} model
   */
  async rail(model) {
    const reply = await this.#answered(() => this.server.rail({model}), {
      wanted: () => this.store.model.hash === model,
      later: answer => (answer.ok && !answer.rail ? 'later' : ''),
      message: () => {},  // the grids do not wait for it
    });
    return reply?.ok ? reply.rail : '';
  }

  /** The denoising of both displayed grids; null where it cannot be had. */
  async trajectory() {
    const {revision} = this.store, wanted = () => this.active && revision === this.store.revision;
    const ask = () => this.#answered(() => this.server.trajectory({token: this.token}), {wanted});
    let reply = await ask();
    const forgotten = reply && !reply.ok && reply.unknown && await this.reopen(wanted);
    if (forgotten || (reply?.ok && reply.trajectories.length < 2)) {  // have the grids again, and then ask
      this.store.request = {...this.store.request};
      await this.poll();
      reply = await ask();
    }
    return reply?.ok && reply.trajectories.length === 2 ? reply.trajectories : null;
  }
}
