// The session of this page on the server: opened at the start, closed with the page.

import {readAddress} from '../shared/address.js';
import {answered} from '../shared/server.js';

/** @typedef {import('./types.js').Description} Description */
/** @typedef {import('./types.js').ExploreServer} ExploreServer */

/**
 * Open a session at the request of the link; tried again until it succeeds.
 *
 * @param {ExploreServer} server
 * @param {(sentence: string) => void} message shown above the grids, '' for none
 */
export async function openSession(server, message) {
  const open = () => server.open_session({query: readAddress()});
  const reply = await answered(open, {message, later: answer => (answer.ok ? '' : answer.error)});
  return /** @type {Description & {token: string}} */ (reply);
}

/**
 * Close the session on the server, if there is one, in a request that outlives the page, which a server function would not.
 *
 * @param {string} token
 */
export function closeSession(token) {
  if (!token) return;
  const {components, root, api_prefix: prefix} = Reflect.get(window, 'gradio_config');
  const id = components.find((/** @type {any} */ each) => each.props?.elem_id === 'explore')?.id;
  fetch(`${root}${prefix}/component_server`, {
    method: 'POST', keepalive: true, headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({component_id: id, fn_name: 'close_session', session_hash: '', data: {token}}),
  }).catch(() => null);
}
