// SVG elements, and the dashes and marks that distinguish the curves of a chart beside their colours.

const DASHES = ['', '7 4', '2 3', '9 3 2 3', '4 2', '1 3 6 3'];
const MARKS = [  // around the origin: disc, square, triangle, diamond, hexagon, bow tie
  'M-4,0a4,4 0 1 0 8,0a4,4 0 1 0 -8,0', 'M-3.5,-3.5h7v7h-7z', 'M0,-4.6L4.4,3.4h-8.8z', 'M0,-5L5,0L0,5L-5,0z',
  'M-2.4,-4.2h4.8L4.8,0L2.4,4.2h-4.8L-4.8,0z', 'M-4,-4L4,4V-4L-4,4z',
];

/**
 * How a curve is drawn: the class of its colour, the dashes of its line, the outline of its marks.
 *
 * @param {boolean} main
 * @param {number} c its number
 */
export const look = (main, c) => {
  const n = c % DASHES.length;
  return {tone: main ? 'main' : `other-${n}`, dash: DASHES[main ? 0 : n], mark: MARKS[main ? 0 : n]};
};

/**
 * @param {string} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {(Node | string)[]} children
 */
export function shape(tag, attributes = {}, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}
