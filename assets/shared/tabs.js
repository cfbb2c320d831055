// Events of the window: between tabs, which do not know each other's elements, and from Gradio's queue.

import {updateAddress} from './address.js';
import {sleep} from './server.js';

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

/**
 * A tab announces what it has measured of what it shows. The last announcement of each stays.
 *
 * @param {string} tab
 * @param {Record<string, string | number | null>} at the fields of the address that it is of
 * @param {import('../lesson/types.js').Measured} measured
 */
export function announceMeasured(tab, at, measured) {
  Object.assign(window, {measured: {...measuredBy(), [tab]: {at, measured}}});
  dispatchEvent(new Event('lab:measured'));
}

/** A tab is about to show something else. @param {string} tab */
export function forgetMeasured(tab) {
  delete measuredBy()[tab];
}

/** @returns {Record<string, {at: Record<string, string | number | null>, measured: import('../lesson/types.js').Measured}>} */
const measuredBy = () => Reflect.get(window, 'measured') ?? {};

/**
 * What a tab has measured at an address, as soon as it has; the fields that the address lacks may be any. Who asks may hear
 * of a visit before the tab does: what that measured before is not taken for an answer.
 *
 * @param {string} tab
 * @param {Record<string, string>} address
 * @returns {Promise<import('../lesson/types.js').Measured>}
 */
export async function measuredAt(tab, address) {
  await sleep(0);
  return new Promise(resolve => {
    const look = () => {
      const found = measuredBy()[tab];
      if (!found || Object.entries(address).some(([name, value]) => name in found.at && String(found.at[name]) !== value)) return;
      removeEventListener('lab:measured', look);
      resolve(found.measured);
    };
    addEventListener('lab:measured', look);
    look();
  });
}

/** Mark a sample of both grids as one that is pointed at, or none. @param {number | null} sample */
export function press(sample) {
  dispatchEvent(new CustomEvent('lab:press', {detail: sample}));
}

/** Call the listener when a sample is to be marked. @param {(sample: number | null) => void} listener */
export function onPress(listener) {
  addEventListener('lab:press', event => { if (event instanceof CustomEvent) listener(event.detail); });
}

/** A picture of a grid was pressed. @param {number} sample */
export function announcePressed(sample) {
  dispatchEvent(new CustomEvent('lab:pressed', {detail: sample}));
}

/** Call the listener when a picture of a grid was pressed. @param {(sample: number) => void} listener */
export function onPressed(listener) {
  addEventListener('lab:pressed', event => { if (event instanceof CustomEvent) listener(event.detail); });
}
