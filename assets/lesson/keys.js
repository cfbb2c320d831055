// The keys of a lesson and of the presenter's view. A clicker sends Page Up and Page Down; the arrows stay the slider's,
// except in the presenter's view, where they step the lesson unless a slider has the focus.

const OWN_KEYS = 'select, textarea, dialog';
const TYPED = `${OWN_KEYS}, input:not([type="range"], [type="checkbox"], [type="radio"])`;

/**
 * @param {{open: () => boolean, next: () => void, back: () => void}} lesson
 * @param {import('./presenter.js').Presenter} presenter
 */
export function listenKeys(lesson, presenter) {
  document.addEventListener('keydown', event => {
    const {target, key} = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof Element) || target.closest(OWN_KEYS)) return;
    const arrows = presenter.on && !target.closest('input');
    const on = key === 'PageDown' || (arrows && key === 'ArrowRight'), back = key === 'PageUp' || (arrows && key === 'ArrowLeft');
    if ((on || back) && lesson.open()) (on ? lesson.next : lesson.back)();
    else if (target.closest(TYPED) || !presenter.take(key)) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
}
