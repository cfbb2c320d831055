// The session of this page on the server: opened at the start, closed with the page.

import {readAddress} from '../shared/address.js';
import {NO_ANSWER} from './transport.js';

/** @typedef {import('./types.js').ExploreServer} ExploreServer */

const RETRY = 1000;   // milliseconds after which a session is asked for again

/**
 * A session with the request of the link, asked for until there is one.
 *
 * @param {ExploreServer} server
 * @param {(sentence: string) => void} say
 */
export async function openSession(server, say) {
  for (;;) {
    const reply = await server.open_session({query: readAddress()}).catch(() => null);
    if (reply?.ok) {
      say('');
      return reply;
    }
    say(reply?.error ?? NO_ANSWER);
    await new Promise(resolve => { setTimeout(resolve, RETRY); });
  }
}

/**
 * Tell the server that the page is closed, in a request that outlives the page, which a server function would not.
 *
 * @param {string} token
 */
export function closeSession(token) {
  const {components, root, api_prefix: prefix} = Reflect.get(window, 'gradio_config');
  const id = components.find((/** @type {any} */ each) => each.props?.elem_id === 'explore')?.id;
  fetch(`${root}${prefix}/component_server`, {
    method: 'POST', keepalive: true, headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({component_id: id, fn_name: 'close_session', session_hash: '', data: {token}}),
  }).catch(() => null);
}
