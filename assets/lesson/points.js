// Samples as places in the picture, 0 to 1 from its left and upper edge: so an answer travels. No DOM.

/** @typedef {import('./types.js').Measured} Measured */

/** @param {Measured} measured */
const layout = ({pictures = 16, columns = 4}) => ({columns, rows: Math.ceil(pictures / columns)});

/** The middle of a sample in the picture. @param {number} sample @param {Measured} measured */
export function pointOf(sample, measured) {
  const {columns, rows} = layout(measured);
  return {x: ((sample % columns) + 0.5) / columns, y: (Math.floor(sample / columns) + 0.5) / rows};
}

/** The sample at a point of the picture. @param {{x: number, y: number}} point @param {Measured} measured */
export function sampleAt({x, y}, measured) {
  const {columns, rows} = layout(measured);
  return Math.min(rows - 1, Math.floor(y * rows)) * columns + Math.min(columns - 1, Math.floor(x * columns));
}
