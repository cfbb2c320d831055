// The menu of what can be taken away: each kind is made by the server and downloaded, the curve by the page itself.

import {bytes, one, text} from '../shared/dom.js';
import {inWords, say, sayOr} from '../shared/language.js';
import {download, svgFile} from '../shared/download.js';

/** @typedef {import('./types.js').ExploreServer} ExploreServer */
/** @typedef {import('./store.js').Store} Store */

export class SaveMenu {
  /**
   * @param {HTMLElement} lab
   * @param {Store} store
   * @param {ExploreServer['save']} save
   * @param {Record<string, string>} kinds titles of the kinds of files, by their names
   * @param {() => number | null} picked the sample that is pointed at
   */
  constructor(lab, store, save, kinds, picked) {
    this.store = store;
    this.save = save;
    this.details = one(lab, '.save', HTMLDetailsElement);
    this.status = one(this.details, '[role="status"]', HTMLElement);
    this.sample = 0;
    const buttons = Object.entries(kinds).map(([name, title]) => this.#button(sayOr(`save.${name}`, title), () => this.#fetch(name)));
    const curve = this.#button(say('save.curve'), () => {
      download('curve.svg', 'image/svg+xml', svgFile(one(lab, 'aside .chart', SVGSVGElement)));
    });
    this.status.before(...buttons, curve);
    this.details.addEventListener('toggle', () => {
      this.sample = picked() ?? 0;
      curve.hidden = !store.model.curve;
      this.#say('');
    });
    document.addEventListener('pointerdown', event => {
      if (event.target instanceof Node && !this.details.contains(event.target)) this.details.open = false;
    });
  }

  /** @param {string} title @param {() => void} action */
  #button(title, action) {
    const button = text('button', title);
    button.type = 'button';
    button.addEventListener('click', action);
    return button;
  }

  /** @param {string} kind */
  async #fetch(kind) {
    const {guided, reference} = this.store;
    this.#say(say('save.making'));
    const reply = await this.save({kind, request: guided, reference, sample: this.sample}).catch(() => null);
    if (!reply?.ok) {
      this.#say(reply ? inWords(reply.error) : say('server.no_answer_now'));
      return;
    }
    download(reply.name, reply.media_type, bytes(reply.content));
    this.#say(say('save.saved', {name: reply.name}));
  }

  /** @param {string} sentence */
  #say(sentence) {
    this.status.textContent = sentence;
    this.status.hidden = !sentence;
  }
}
