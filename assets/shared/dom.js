// Small helpers that the scripts of all tabs use: decoding, numbers as text, elements.

import {inWords, say} from './language.js';

/**
 * The bytes of a base64 text, in a plain loop: Uint8Array.from makes a string of every byte first.
 *
 * @param {string} base64
 */
export function bytes(base64) {
  const packed = atob(base64), result = new Uint8Array(packed.length);
  for (let i = 0; i < packed.length; i++) result[i] = packed.charCodeAt(i);
  return result;
}

/**
 * A number as text, with a proper minus sign and without trailing zeros.
 *
 * @param {number} value
 */
export const number = value => String(+value.toFixed(6)).replace('-', '−');

/**
 * A number with a fixed count of digits after the point.
 *
 * @param {number} value
 */
export const fixed = (value, digits = 1) => value.toFixed(digits).replace('-', '−');

/**
 * A number with at least one digit after the point.
 *
 * @param {number} value
 */
export const decimal = value => (number(value).includes('.') ? number(value) : number(value) + '.0');

/**
 * A new element with a text in it.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string | number} content
 * @returns {HTMLElementTagNameMap[T]}
 */
export function text(tag, content) {
  const node = document.createElement(tag);
  node.textContent = String(content);
  return node;
}

/**
 * A formula, its letters in italics and what follows a low line as an index.
 *
 * @param {string} content
 */
export function formula(content) {
  return content.split(/(\b[wzckps]\b|_[a-z]+)/).map((part, i) => {
    if (i % 2) return part.startsWith('_') ? text('sub', part.slice(1)) : text('i', part);
    return part;
  });
}

/**
 * The one element of a type that a selector names. The markup is ours, so a missing one is an error.
 *
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function one(root, selector, type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the markup lacks ${selector}`);
  return found;
}

/**
 * All elements of a type that a selector names.
 *
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T[]}
 */
export function all(root, selector, type) {
  return [...root.querySelectorAll(selector)].filter(/** @returns {node is T} */ node => node instanceof type);
}

/**
 * The 2-D context of a canvas.
 *
 * @param {HTMLCanvasElement} canvas
 */
export function context2d(canvas) {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser has no 2-D canvas');
  return context;
}

/**
 * Show a message above everything else of a tab, or none.
 *
 * @param {HTMLElement} node
 * @param {string} message
 */
export function showMessage(node, message) {
  node.textContent = inWords(message);
  node.hidden = !message;
}

/**
 * Call once, when this part of the page is first seen.
 *
 * @param {Element} node
 * @param {() => void} begin
 */
export function whenSeen(node, begin) {
  new IntersectionObserver((entries, observer) => {
    if (!entries.some(entry => entry.isIntersecting)) return;
    observer.disconnect();
    begin();
  }).observe(node);
}

/**
 * A button that copies the address of the page.
 *
 * @param {HTMLButtonElement} button
 */
export function copiesLink(button) {
  button.addEventListener('click', async () => {
    const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
    button.textContent = say(copied ? 'link.copied' : 'link.in_bar');
    setTimeout(() => { button.textContent = say('link.copy'); }, 2000);
  });
}

/**
 * Whether the space bar may play something while this element has the focus: not where it types or presses.
 *
 * @param {KeyboardEvent} event
 */
export function isFreeSpace(event) {
  const taken = 'button, select, summary, input:not([type="range"])';
  return event.key === ' ' && !event.repeat && event.target instanceof Element && !event.target.closest(taken);
}

/**
 * The element that an event belongs to, if it is of this type.
 *
 * @template {Element} T
 * @param {Event} event
 * @param {new () => T} type
 * @returns {T | null}
 */
export const targetOf = (event, type) => (event.target instanceof type ? event.target : null);
