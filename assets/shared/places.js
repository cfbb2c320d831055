// Where the labels of a chart stand.

/** @typedef {{left: number, right: number, top: number, bottom: number}} Box */

/**
 * Places for labels: each gets the first around its point that covers nothing, or that which covers least.
 *
 * @param {Box} area
 */
export function places(area) {
  /** @type {Box[]} */
  const taken = [];
  const covered = (/** @type {Box} */ box) => taken.filter(other => box.left < other.right && box.right > other.left
    && box.top < other.bottom && box.bottom > other.top).length;
  /** @param {number} from @param {number} length @param {number} low @param {number} high */
  const within = (from, length, low, high) => Math.max(low, Math.min(high - length, from));
  /** @param {number} x @param {number} y @param {number} half @returns {Box} */
  const around = (x, y, half) => ({left: x - half, right: x + half, top: y - half, bottom: y + half});
  return {
    /** Let no label lie here. @param {number} x @param {number} y @param {number} half */
    take(x, y, half) { taken.push(around(x, y, half)); },
    /**
     * A box for a label of this size.
     *
     * @param {number} x
     * @param {number} y
     * @param {number} width
     * @param {number} height
     * @param {boolean} [keep] whether later labels must not cover it
     */
    label(x, y, width, height, keep = true) {
      let best = {cost: Infinity, box: around(x, y, 0)};
      for (const far of [10, 20, 34, 50, 80, 120]) {
        for (const [dx, dy] of [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1]]) {
          const left = within(x + dx * (far + width / 2) - width / 2, width, area.left, area.right);
          const top = within(y + dy * (far + height / 2 - 4) - height / 2, height, area.top, area.bottom);
          const box = {left, right: left + width, top, bottom: top + height};
          const cost = covered(box);
          if (cost < best.cost) best = {cost, box};
        }
        if (best.cost === 0) break;
      }
      if (keep) taken.push(best.box);
      return best.box;
    },
  };
}
