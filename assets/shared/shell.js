// The head of the page. Which tab is open stands in the address bar and on the root element, where the style sheet
// reads it; the tabs themselves know nothing of each other.

import {readAddress, updateAddress} from './address.js';
import {one, text} from './dom.js';
import {language, say, translate} from './language.js';
import {onOpenTab} from './tabs.js';
import {onVisit} from './visit.js';

/** Former names of tabs, which links may still have. @type {Record<string, string>} */
const FORMER = {plane: 'toy2d'};

/**
 * @param {HTMLElement} element
 * @param {unknown} server
 * @param {{TABS: string[], LANGUAGES: Record<string, string>}} constants names of the tabs, the first is the one that opens;
 *   the languages that there are, with their own names
 */
export function mount(element, server, {TABS, LANGUAGES}) {
  document.documentElement.lang = language();  // Gradio writes the browser's there
  translate(element);
  chooseLanguage(element, LANGUAGES);
  const list = one(element, '[role="tablist"]', HTMLElement);
  const buttons = TABS.map(name => {
    const button = text('button', say(`tab.${name}`));
    Object.assign(button, {type: 'button', role: 'tab', name});
    button.addEventListener('click', () => open(name, true));
    return button;
  });

  /** @param {string} name @param {boolean} [entry] whether Back returns to the tab before */
  function open(name, entry = false) {
    document.documentElement.dataset.tab = name;
    for (const button of buttons) {
      button.setAttribute('aria-selected', String(button.name === name));
      button.tabIndex = button.name === name ? 0 : -1;
    }
    updateAddress({tab: name === buttons[0].name ? null : name}, entry);
  }

  function openAddressed() {
    const {tab = ''} = readAddress(), name = FORMER[tab] ?? tab;
    open(TABS.includes(name) ? name : buttons[0].name);
  }

  list.addEventListener('keydown', event => {
    const step = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    const at = buttons.findIndex(button => button === event.target);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = buttons[(at + step + buttons.length) % buttons.length];
    next.focus();
    open(next.name, true);
  });
  onOpenTab(name => open(name, true));
  const shown = () => ({tab: document.documentElement.dataset.tab === buttons[0].name ? null : document.documentElement.dataset.tab ?? null});
  onVisit(shown, openAddressed);

  list.replaceChildren(...buttons);
  openAddressed();
}

/** @param {HTMLElement} element @param {Record<string, string>} languages */
function chooseLanguage(element, languages) {
  const select = one(element, '.languages', HTMLSelectElement);
  select.replaceChildren(...Object.entries(languages).map(([code, name]) => Object.assign(new Option(code.toUpperCase(), code), {title: name, lang: code})));
  select.value = language();
  select.addEventListener('change', () => {  // the document carries the words, so it is loaded again
    updateAddress({lang: select.value});
    location.reload();
  });
}
