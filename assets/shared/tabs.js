// Events of the window: between tabs, which do not know each other's elements, and from Gradio's queue.

import {updateAddress} from './address.js';

/** @typedef {import('../explore/types.js').PlainRequest} PlainRequest */

/**
 * Explore announces what it shows, whenever that changes. The last announcement stays as `window.explored`.
 *
 * @param {PlainRequest} request
 */
export function announceExplored(request) {
  Object.assign(window, {explored: request});
  dispatchEvent(new CustomEvent('lab:explored', {detail: request}));
}

/** What Explore shows, or null before it has started. @returns {PlainRequest | null} */
export const explored = () => Reflect.get(window, 'explored') ?? null;

/**
 * Call the listener with what Explore shows, now and whenever it changes.
 *
 * @param {(request: PlainRequest) => void} listener
 */
export function onExplored(listener) {
  const now = explored();
  if (now) listener(now);
  addEventListener('lab:explored', event => { if (event instanceof CustomEvent) listener(event.detail); });
}

/**
 * Open Explore at these fields of a request.
 *
 * @param {Partial<PlainRequest>} fields
 */
export function openInExplore(fields) {
  updateAddress(/** @type {Record<string, string | number>} */ (fields));  // where Explore begins, if it has not been seen yet
  dispatchEvent(new CustomEvent('lab:explore', {detail: fields}));
  dispatchEvent(new CustomEvent('lab:open', {detail: 'explore'}));
}

/**
 * Call the listener when another tab opens Explore at these fields of a request.
 *
 * @param {(fields: Partial<PlainRequest>) => void} listener
 */
export function onOpenInExplore(listener) {
  addEventListener('lab:explore', event => { if (event instanceof CustomEvent) listener(event.detail); });
}

/**
 * Open the tab "Inside a step" at a sample.
 *
 * @param {number} sample of its class, from 0
 * @param {Partial<PlainRequest>} fields where its request differs from what Explore shows
 */
export function openStep(sample, fields = {}) {
  dispatchEvent(new CustomEvent('lab:step', {detail: {sample, fields}}));
  dispatchEvent(new CustomEvent('lab:open', {detail: 'step'}));
}

/**
 * Call the listener when a sample is to be shown inside a step.
 *
 * @param {(sample: number, fields: Partial<PlainRequest>) => void} listener
 */
export function onOpenStep(listener) {
  addEventListener('lab:step', event => { if (event instanceof CustomEvent) listener(event.detail.sample, event.detail.fields); });
}

/**
 * Call the listener when a tab is to be opened.
 *
 * @param {(tab: string) => void} listener
 */
export function onOpenTab(listener) {
  addEventListener('lab:open', event => { if (event instanceof CustomEvent) listener(event.detail); });
}

/**
 * Call the listener when a call of the remote GPU failed before it began; cfg_core/ui/explore.py dispatches the event.
 *
 * @param {() => void} listener
 */
export function onRemoteGpuRefused(listener) {
  addEventListener('lab:gpu-refused', listener);
}
