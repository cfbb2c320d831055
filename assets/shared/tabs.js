// What the tabs tell each other, as events of the window. No tab knows another's elements.

import {updateAddress} from './address.js';

/** @typedef {import('../explore/types.js').GridRequest} GridRequest */

/**
 * Explore announces what it shows, whenever that changes. The last announcement stays as `window.explored`.
 *
 * @param {GridRequest} request
 */
export function announceExplored(request) {
  Object.assign(window, {explored: request});
  dispatchEvent(new CustomEvent('lab:explored', {detail: request}));
}

/** What Explore shows, or null before it has started. @returns {GridRequest | null} */
export const explored = () => Reflect.get(window, 'explored') ?? null;

/**
 * Hear what Explore shows, now and whenever it changes.
 *
 * @param {(request: GridRequest) => void} hear
 */
export function onExplored(hear) {
  const now = explored();
  if (now) hear(now);
  addEventListener('lab:explored', event => { if (event instanceof CustomEvent) hear(event.detail); });
}

/**
 * Open Explore at these fields of a request.
 *
 * @param {Partial<GridRequest>} fields
 */
export function openInExplore(fields) {
  updateAddress(/** @type {Record<string, string | number>} */ (fields));  // where Explore begins, if it has not been seen yet
  dispatchEvent(new CustomEvent('lab:explore', {detail: fields}));
  dispatchEvent(new CustomEvent('lab:open', {detail: 'explore'}));
}

/**
 * Be asked to show these fields of a request.
 *
 * @param {(fields: Partial<GridRequest>) => void} hear
 */
export function onOpenInExplore(hear) {
  addEventListener('lab:explore', event => { if (event instanceof CustomEvent) hear(event.detail); });
}

/**
 * Be asked to open a tab.
 *
 * @param {(tab: string) => void} hear
 */
export function onOpenTab(hear) {
  addEventListener('lab:open', event => { if (event instanceof CustomEvent) hear(event.detail); });
}
