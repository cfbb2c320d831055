// When somebody touches a control of the page, or goes back: the controls of the tabs, not those of the class or the lesson.

const APART = '.class-strip, .room, .lesson, .link, dialog';
const CONTROLS = 'button, input, select, summary, [role="tab"], .rail, .strip, .chart';
const DRAGGED = '.rail, .track, .toy2d canvas';
const KEYS = /^(Arrow\w+|Page\w+|Home|End|Enter|[\d d])$/;

/** @param {Event} event @param {string} selector */
const isOn = ({target}, selector) => target instanceof Element && target.closest('.lab') !== null && target.closest(selector) !== null
  && target.closest(APART) === null;

/**
 * Call the listener before the control itself hears of it.
 *
 * @param {() => void} listener
 */
export function onTouch(listener) {
  const on = (/** @type {string} */ type, /** @type {(event: Event) => boolean} */ counts) => {
    addEventListener(type, event => { if (event.isTrusted && counts(event)) listener(); }, {capture: true});
  };
  for (const type of ['click', 'dblclick', 'input', 'change']) on(type, event => isOn(event, type === 'dblclick' ? 'canvas' : CONTROLS));
  on('pointerdown', event => event instanceof PointerEvent && event.pointerType !== 'touch' && isOn(event, DRAGGED));
  on('pointerup', event => isOn(event, DRAGGED));
  addEventListener('popstate', listener);
  on('keydown', event => {
    if (!(event instanceof KeyboardEvent) || event.ctrlKey || event.metaKey || event.altKey) return false;
    const {target} = event, apart = target instanceof Element && target.closest(`${APART}, textarea`) !== null;
    return KEYS.test(event.key) && !apart;
  });
}
