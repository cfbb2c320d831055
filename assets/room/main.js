// The strip of the class in the head of the page, its dialog, and the blank of the students' pages.

import {one, showMessage} from '../shared/dom.js';
import {inWords, say, translate} from '../shared/language.js';
import {download} from '../shared/download.js';
import {room} from './room.js';
import {onTouch} from './touch.js';
import {countsSentence, endSentence, reachSentence, spacedCode, studentSentence} from './wording.js';

/**
 * Gradio calls this once the markup is on the page.
 *
 * @param {HTMLElement} element
 */
export function mount(element) {
  translate(element);
  new ClassStrip(one(element, '.lab.room', HTMLElement));
}

class ClassStrip {
  /** @param {HTMLElement} lab */
  constructor(lab) {
    this.lab = lab;
    this.strip = one(lab, '.class-strip', HTMLElement);
    this.dialog = one(lab, 'dialog', HTMLDialogElement);
    this.problem = one(lab, '.problem', HTMLElement);
    this.blanked = one(lab, '.blanked', HTMLElement);
    const actions = one(document, '.shell .actions', HTMLElement);
    actions.before(this.strip);
    this.#listen();
    this.show();
  }

  show() {
    const {strip, role} = {strip: this.strip, role: room.role};
    document.documentElement.dataset.role = role;
    one(strip, '.enter', HTMLElement).hidden = role !== 'alone';
    one(strip, '.teacher', HTMLElement).hidden = role !== 'teacher' || !room.opened;
    const student = one(strip, '.student', HTMLElement), over = one(strip, '.over', HTMLElement);
    student.hidden = role !== 'student';
    student.classList.toggle('exploring', room.exploring);
    strip.classList.toggle('away', role !== 'alone' && !room.connected);
    over.textContent = role === 'alone' ? endSentence(room.ended, room.notice) : '';
    over.hidden = !over.textContent;
    this.blanked.hidden = !(room.following && room.blank);
    if (role === 'student') {
      const {exploring, connected, problem} = room;
      one(strip, '.where', HTMLElement).textContent = studentSentence({exploring, connected, problem});
      one(strip, '.back', HTMLElement).hidden = !exploring;
    }
    if (room.opened) this.#showRoom(room.opened);
    else one(this.dialog, '.invite', HTMLElement).hidden = true;
    one(this.dialog, '.enter-class', HTMLElement).hidden = role !== 'alone';
  }

  /** @param {import('./types.js').OpenedRoom} opened */
  #showRoom({code, link, qr}) {
    const {strip, dialog} = this, picture = one(dialog, '.qr', HTMLElement);
    one(strip, '.code', HTMLElement).textContent = spacedCode(code);
    one(strip, '.counts', HTMLElement).textContent = room.connected ? countsSentence(room.counts) : say('class.connecting');
    one(strip, '.blank-all', HTMLElement).setAttribute('aria-pressed', String(room.blank));
    one(dialog, '.invite', HTMLElement).hidden = false;
    one(dialog, '.digits', HTMLElement).textContent = spacedCode(code);
    one(dialog, '.address', HTMLElement).textContent = location.origin + location.pathname;
    one(dialog, '.reach', HTMLElement).textContent = reachSentence(location.hostname);
    if (picture.dataset.link === link) return;
    picture.dataset.link = link;
    picture.innerHTML = qr;  // made on the server by segno, of the link alone
  }

  #listen() {
    const {strip, dialog, problem} = this;
    /** @param {ParentNode} root @param {string} selector @param {() => void} act */
    const press = (root, selector, act) => one(root, selector, HTMLButtonElement).addEventListener('click', act);
    const open = () => { problem.textContent = ''; dialog.showModal(); };
    press(strip, '.enter', open);
    press(strip, '.code', open);
    press(strip, '.blank-all', () => room.setBlank(!room.blank));
    press(strip, '.end', () => room.end());
    press(strip, '.back', () => room.explore(false));
    press(strip, '.leave', () => room.leave());
    press(dialog, '.shut', () => dialog.close());
    press(dialog, '.start', async () => {
      problem.textContent = '';
      await room.start();
      problem.textContent = inWords(room.notice);
    });
    press(dialog, '.csv', () => download('guidance-lab-class-answers.csv', 'text/csv', room.csv));
    press(dialog, '.copy', async () => {
      const button = one(dialog, '.copy', HTMLButtonElement), link = room.opened?.link ?? '';
      const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
      if (!copied) one(dialog, '.address', HTMLElement).textContent = link;
      button.textContent = say(copied ? 'link.copied' : 'class.link_above');
      setTimeout(() => { button.textContent = say('link.copy'); }, 2000);
    });
    one(dialog, 'form', HTMLFormElement).addEventListener('submit', async event => {
      event.preventDefault();
      problem.textContent = '';
      const sentence = await room.join(one(dialog, '.typed', HTMLInputElement).value.trim());
      problem.textContent = inWords(sentence);
      if (!sentence) dialog.close();
    });
    room.addEventListener('change', () => this.show());
    onTouch(() => { if (room.following) room.explore(true); });
    showMessage(one(this.lab, '.message', HTMLElement), '');
  }
}
