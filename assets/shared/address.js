// The address bar: the state of every tab stands in the query, each tab writes its own fields.

/**
 * Put fields into the query, and take out those that are null; whatever else stands there stays. Where that changes it, the
 * window dispatches 'lab:address'.
 *
 * @param {Record<string, string | number | null>} fields
 * @param {boolean} [entry] whether this is an entry of its own in the browser's history, to which Back returns
 */
export function updateAddress(fields, entry = false) {
  const kept = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) kept.delete(name);
    else kept.set(name, String(value));
  }
  const query = kept.size ? '?' + kept.toString().replaceAll('%2C', ',') : location.pathname;
  if (query === location.search) return;
  if (entry) history.pushState(history.state, '', query);
  else history.replaceState(history.state, '', query);
  dispatchEvent(new Event('lab:address'));
}

/** The fields of the query. @returns {Record<string, string>} */
export const readAddress = () => Object.fromEntries(new URLSearchParams(location.search));
