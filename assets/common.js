// What the scripts of all tabs use. It stands before each of them.

/** The bytes of a base64 text, in a plain loop: Uint8Array.from makes a string of every byte first. */
function bytes(base64) {
  const packed = atob(base64), result = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) result[i] = packed.charCodeAt(i);
  return result;
}

const number = w => String(+w.toFixed(6)).replace('-', '−');

function text(tag, content) {
  const node = document.createElement(tag);
  node.textContent = content;
  return node;
}

/** A formula, its letters in italics. */
function formula(content) {
  return content.split(/(\b[wzckp]\b)/).map((part, i) => i % 2 ? text('i', part) : part);
}

/** Put fields into the address bar's query, and take out those that are null; whatever else stands there stays. */
function inAddress(fields) {
  const kept = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(fields)) value === null ? kept.delete(name) : kept.set(name, value);
  const query = kept.size ? '?' + kept.toString().replaceAll('%2C', ',') : location.pathname;
  if (query !== location.search) history.replaceState(history.state, '', query);
}

/** Call once, when this part of the page is first seen. */
function whenSeen(node, begin) {
  new IntersectionObserver((entries, watch) => {
    if (!entries.some(entry => entry.isIntersecting)) return;
    watch.disconnect();
    begin();
  }).observe(node);
}

/** Explore tells the other tabs what it shows, whenever that changes: the fields of a GridRequest. */
function tellExplored(fields) {
  window.explored = fields;
  dispatchEvent(new CustomEvent('lab:explored', {detail: fields}));
}

/** Hear what Explore shows, now and whenever it changes. */
function whenExplored(hear) {
  if (window.explored) hear(window.explored);
  addEventListener('lab:explored', event => hear(event.detail));
}

/** Open Explore at these fields of a GridRequest. */
function openInExplore(fields) {
  inAddress(fields);  // where Explore begins, if it has not been seen yet
  dispatchEvent(new CustomEvent('lab:explore', {detail: fields}));
  dispatchEvent(new CustomEvent('lab:open', {detail: 'explore'}));
}
