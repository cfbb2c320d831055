// Where the labels of a chart stand.

/** @typedef {{left: number, right: number, top: number, bottom: number}} Box */

/** What labels may not cover; what comes first may be covered first, where it must. */
export const LABEL = 0, LINE = 1, MARK = 2;

const DISTANCES = [8, 14, 22, 32, 46, 64, 90, 130];
const WAYS = Array.from({length: 16}, (_, n) => [0, 8, 12, 4, 14, 10, 2, 6, 15, 1, 9, 7, 13, 11, 3, 5][n] * Math.PI / 8);

/** @param {Box} a @param {Box} b */
export const overlap = (a, b) => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;

/** @param {number} x @param {number} y @param {number} half @returns {Box} */
export const around = (x, y, half) => ({left: x - half, right: x + half, top: y - half, bottom: y + half});

/**
 * Places for labels, around their points and within an area.
 *
 * @param {Box} area
 */
export function places(area) {
  /** @type {{box: Box, rank: number}[]} */
  const taken = [];
  return {
    /** Let no label lie here. @param {Box} box @param {number} rank */
    take(box, rank) { taken.push({box, rank}); },
    /**
     * The nearest box of this size beside a point that covers nothing of at least this rank, or null.
     *
     * @param {number} x
     * @param {number} y
     * @param {number} width
     * @param {number} height
     * @param {{from?: number, reach?: number, rank?: number}} [where] how near to the point and how far from it, in pixels
     * @returns {Box | null}
     */
    find(x, y, width, height, {from = 0, reach = 50, rank = LABEL} = {}) {
      const obstacles = taken.filter(each => each.rank >= rank);
      for (const far of DISTANCES.filter(each => each >= from && each <= reach)) {
        for (const way of WAYS) {
          const left = x + Math.cos(way) * (far + width / 2) - width / 2, top = y + Math.sin(way) * (far + height / 2) - height / 2;
          const box = {left, right: left + width, top, bottom: top + height};
          const inside = box.left >= area.left && box.right <= area.right && box.top >= area.top && box.bottom <= area.bottom;
          if (inside && !obstacles.some(each => overlap(box, each.box))) return box;
        }
      }
      return null;
    },
  };
}
