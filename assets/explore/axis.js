// The axis that the guidance slider and the strip share: even in rungs of the ladder, not in w. No DOM.

/** The rungs that have a picture under the slider. */
const RUNGS = [0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8];

/** The same below 0. */
const RUNGS_BELOW = [-1, -0.5];

/**
 * The rungs in ascending order.
 *
 * @param {boolean} below whether the axis begins at −1
 */
export const rungsOf = below => (below ? [...RUNGS_BELOW, ...RUNGS] : RUNGS);

/**
 * Where w is on the axis, in rungs from its left end; between two rungs linear in w.
 *
 * @param {number} w
 * @param {number[]} rungs
 */
export function positionOf(w, rungs) {
  const last = rungs.length - 1, after = rungs.findIndex(rung => rung > w);
  if (after === 0) return 0;
  if (after === -1) return last;
  return after - 1 + (w - rungs[after - 1]) / (rungs[after] - rungs[after - 1]);
}

/**
 * The w at a position, to a step of 0.05 below 2 and of 0.1 above.
 *
 * @param {number} position in rungs
 * @param {number[]} rungs
 */
export function wAt(position, rungs) {
  const last = rungs.length - 1, at = Math.min(last, Math.max(0, position)), i = Math.min(last - 1, Math.floor(at));
  return rounded(rungs[i] + (at - i) * (rungs[i + 1] - rungs[i]));
}

/**
 * The next w in a direction, within the ends of the axis.
 *
 * @param {number} w
 * @param {-1 | 1} direction
 * @param {number[]} rungs
 */
export function stepped(w, direction, rungs) {
  const step = w + direction * 1e-9 < 2 ? 0.05 : 0.1;
  return Math.min(rungs[rungs.length - 1], Math.max(rungs[0], rounded(w + direction * step)));
}

/**
 * The next rung in a direction, within the ends of the axis.
 *
 * @param {number} w
 * @param {-1 | 1} direction
 * @param {number[]} rungs
 */
export function nextRung(w, direction, rungs) {
  const beyond = rungs.filter(rung => (rung - w) * direction > 0);
  return (direction > 0 ? beyond[0] : beyond[beyond.length - 1]) ?? w;
}

/** @param {number} w */
function rounded(w) {
  const per = w < 2 ? 20 : 10;
  return Math.round(w * per) / per;
}
