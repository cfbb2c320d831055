// The tab's fields in the address bar: sample, step, and what differs from the usual: step_w, step_view, and, where the
// request differs from what Explore shows, its class and the w that its samples are drawn with.

/** @typedef {import('./types.js').PlainRequest} PlainRequest */
/** @typedef {import('./types.js').Link} Link */
/** @typedef {import('./types.js').Place} Place */
/** @typedef {import('./types.js').Trajectory} Trajectory */

const PLACE = ['sample', 'step', 'step_w', 'step_view'];

/**
 * @param {Place} place
 * @param {number} w that the samples are drawn with
 * @param {Partial<PlainRequest>} other fields of the request that differ from what Explore shows
 * @returns {Record<string, string | number | null>}
 */
export const addressFields = ({sample, step, w: at, view}, w, other) => ({
  sample, step, step_w: at === w ? null : at, step_view: view === 'x' ? null : view,
  step_class: other.class ?? null, step_way: other.w ?? null,
});

/** A number where it is one. @param {string} raw */
const parsed = raw => (raw.trim() && Number.isFinite(Number(raw)) ? Number(raw) : raw);

/** The place of a link, as far as it has one. @param {Record<string, string>} query @returns {Link} */
export const linkOf = query => Object.fromEntries(PLACE.filter(name => name in query).map(name => [name, parsed(query[name])]));

/** Its fields of the request. @param {Record<string, string>} query @returns {Partial<PlainRequest>} */
export function otherFields({step_class: label, step_way: w}) {
  const fields = {class: label === undefined ? undefined : parsed(label), w: w === undefined ? undefined : parsed(w)};
  return /** @type {Partial<PlainRequest>} */ (Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)));
}

/**
 * The place of another request that is the same as that of one before: the sample, where there are so many; the step,
 * where the steps are the same.
 *
 * @param {Place} place
 * @param {PlainRequest} before
 * @param {PlainRequest} request
 * @returns {Link}
 */
export function keptPlace({sample, step, view}, before, request) {
  const same = before.sampler === request.sampler && String(before.steps) === String(request.steps);
  return {...(sample <= Number(request.samples) ? {sample} : {}), ...(same ? {step} : {}), step_view: view};
}
