// The presenter's view: pictures, slider and one sentence, to be read from the back of a hall. P opens and closes it, B
// blanks the page; in a class the blank is that of all pages.

import {room} from '../room/room.js';
import {readAddress, updateAddress} from '../shared/address.js';
import {say} from '../shared/language.js';
import {text} from '../shared/dom.js';

const VIEW = 'presenter', root = document.documentElement;

export class Presenter {
  #blank = false;

  constructor() {
    this.cover = Object.assign(text('div', ''), {className: 'lab blank', hidden: true});
    this.cover.setAttribute('role', 'img');
    this.cover.setAttribute('aria-label', say('presenter.blank'));
    document.body.append(this.cover);
    this.#show(readAddress().view === VIEW);
    room.addEventListener('change', () => this.#cover());
    document.addEventListener('fullscreenchange', () => { if (!document.fullscreenElement) this.#set(false); });
  }

  get on() {
    return root.dataset.view === VIEW;
  }

  /**
   * Take a key, if it is one of the presenter's.
   *
   * @param {string} key
   */
  take(key) {
    if (key === 'p' || key === 'P') this.#set(!this.on);
    else if (this.on && ['b', 'B', '.'].includes(key)) this.#setBlank(!this.#blanked);
    else return false;
    return true;
  }

  /** @param {boolean} on */
  #set(on) {
    if (on === this.on) return;
    this.#show(on);
    updateAddress({view: on ? VIEW : null});
    if (on) root.requestFullscreen?.().catch(() => null);  // a browser may refuse; the view is the same in a window
    else {
      this.#setBlank(false);
      if (document.fullscreenElement) document.exitFullscreen();
    }
  }

  /** @param {boolean} on */
  #show(on) {
    if (on) root.dataset.view = VIEW;
    else delete root.dataset.view;
    dispatchEvent(new Event('resize'));
  }

  get #blanked() {
    return room.role === 'teacher' ? room.blank : this.#blank;
  }

  /** @param {boolean} on */
  #setBlank(on) {
    this.#blank = on;
    if (room.role === 'teacher') room.setBlank(on);
    this.#cover();
  }

  #cover() {
    this.cover.hidden = !(this.on && this.#blanked);
  }
}
