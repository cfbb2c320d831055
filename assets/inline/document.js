// Stands at the head of Gradio's document, before every other script (cfg_core/ui/document.py). Where the document or
// one of Gradio's own files does not arrive whole, the page is loaded again, once the server answers. Files that have
// arrived are in the browser's cache, so each time fewer are missing.

(() => {
  const FIRST_WAIT = 500, LONGEST_WAIT = 8000;  // milliseconds, twice as many after each time
  let begun = false;

  async function again() {
    if (begun) return;
    begun = true;
    const message = document.createElement('p');
    message.setAttribute('role', 'alert');
    message.style.padding = '1em';
    message.textContent = 'The page has not arrived whole; loading it again.';
    (document.body ?? document.documentElement).prepend(message);
    const {reloads = 0} = history.state ?? {};
    history.replaceState({...history.state, reloads: reloads + 1}, '');
    let pause = FIRST_WAIT * 2 ** reloads, whole = false;
    while (!whole) {
      await new Promise(resolve => { setTimeout(resolve, Math.min(pause, LONGEST_WAIT)); });
      pause *= 2;
      whole = await fetch(location.href).then(answer => answer.text().then(() => answer.ok)).catch(() => false);
    }
    location.reload();
  }

  addEventListener('error', ({target}) => {
    if (target instanceof Element && target.matches('script[type="module"], link[rel="stylesheet"]')) again();
  }, true);
  addEventListener('vite:preloadError', again);  // a file that one of Gradio's asks for
  addEventListener('DOMContentLoaded', () => { if (!document.querySelector('gradio-app')) again(); });
})();
