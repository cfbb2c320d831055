// What Gradio runs once the markup of a tab is on the page (cfg_core/ui/component.py): it loads the tab's module, again
// where that or what it imports does not arrive, and mounts it.

/**
 * @param {string} address of the module
 * @param {HTMLElement} element the markup
 * @param {unknown[]} given what its ``mount`` takes besides
 */
async function start(address, element, ...given) {
  const FIRST_WAIT = 500, LONGEST_WAIT = 8000;  // milliseconds, twice as many after each time
  const node = element.querySelector('.message');
  /** @param {string} sentence */
  const say = sentence => {
    if (node instanceof HTMLElement) Object.assign(node, {textContent: sentence, hidden: !sentence});
  };
  try {
    let loaded = null;
    for (let pause = FIRST_WAIT; !loaded; pause = Math.min(2 * pause, LONGEST_WAIT)) {
      loaded = await import(new URL(address, document.baseURI).href).catch(console.warn);
      if (loaded) break;
      say('This part of the page has not arrived; trying again.');
      await new Promise(resolve => { setTimeout(resolve, pause); });
    }
    say('');
    await loaded.mount(element, ...given);
  } catch (error) {
    console.error(error);
    say(`This part of the page could not start: ${error instanceof Error ? error.message : error}`);
  }
}
