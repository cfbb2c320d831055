// The keys of Explore, from anywhere on the page but where something is typed or has keys of its own.

import {isFreeSpace} from '../shared/dom.js';

const TYPED = 'select, textarea, dialog, input:not([type="range"], [type="checkbox"])';
const OWN_ARROWS = `${TYPED}, input, canvas, summary, [role="tab"]`;

/**
 * slide: take a key of the guidance slider, if it is one. difference: show it, or no longer. real: show real pictures, or
 * no longer.
 *
 * @param {{
 *   slide: (event: KeyboardEvent) => boolean, play: () => void, difference: (on: boolean) => void, real: () => void,
 *   help: () => void,
 * }} actions
 */
export function listenKeys({slide, play, difference, real, help}) {
  document.addEventListener('keydown', event => {
    const {target, key} = event;
    if (document.documentElement.dataset.tab !== 'explore' || event.defaultPrevented || !(target instanceof Element)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest(TYPED)) return;
    if (key === '?') help();
    else if (key === 'd') difference(true);
    else if (key === 'r') real();
    else if (isFreeSpace(event)) play();
    else if (target.closest(OWN_ARROWS) || !slide(event)) return;
    event.preventDefault();
  });
  document.addEventListener('keyup', ({key}) => { if (key === 'd') difference(false); });
  addEventListener('blur', () => difference(false));
}
