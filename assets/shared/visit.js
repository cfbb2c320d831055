// Going to an address: the one way in which the browser's history, a lesson and a room set the page. Each tab takes the
// fields of the address that are its own; one that is absent takes its default.

import {readAddress} from './address.js';

/** Fields of the page itself, which stay wherever it is led. */
const OWN = ['lang', 'view', 'room', '__theme'];

/** @typedef {Record<string, string | number | null>} Fields null: absent */

/**
 * Set the whole page to these fields of an address.
 *
 * @param {Record<string, string | number>} fields
 * @param {boolean} [entry] whether Back returns to where the page is now
 */
export function visit(fields, entry = false) {
  const kept = Object.entries(readAddress()).filter(([name]) => OWN.includes(name));
  const given = Object.entries(fields).filter(([name]) => !OWN.includes(name)).map(([name, value]) => [name, String(value)]);
  const query = new URLSearchParams([...given, ...kept]).toString().replaceAll('%2C', ',');
  if (entry) history.pushState(history.state, '', `?${query}`);
  else history.replaceState(history.state, '', `?${query}`);
  dispatchEvent(new Event('lab:visit'));
}

/** The query of the address without the fields of the page itself: what somebody else's page can be set to. */
export function sharedQuery() {
  const query = new URLSearchParams(location.search);
  for (const name of OWN) query.delete(name);
  return query;
}

/**
 * Call the listener with the query of the address, and the names of the fields in which it differs from what is shown,
 * whenever the page is led elsewhere. Returns what looks at the address at once.
 *
 * @param {() => Fields | null} shown the fields of what is shown; null: not known yet, so that they always differ
 * @param {(query: Record<string, string>, differing: string[]) => void} listener
 */
export function onVisit(shown, listener) {
  const visited = () => {
    const query = readAddress(), here = shown();
    const differing = Object.keys(here ?? {}).filter(name => (query[name] ?? null) !== (here?.[name]?.toString() ?? null));
    if (!here || differing.length) listener(query, differing);
  };
  for (const event of ['popstate', 'lab:visit']) addEventListener(event, visited);
  return visited;
}
