// Pixels to canvases: raw 8-bit pictures, drawn exactly as they are, with one pixel between them.

import {context2d} from '../shared/dom.js';

/** @typedef {import('./types.js').Frame} Frame */
/** @typedef {import('./types.js').ModelDescription} ModelDescription */
/** @typedef {Pick<ModelDescription, 'size' | 'channels'>} PictureShape */
/** @typedef {Pick<Frame, 'classes' | 'samples' | 'pixels'>} Pictures */

/**
 * How a frame's pictures lie on a canvas: their pixels in reading order, their number, their columns, bytes of one.
 *
 * @typedef {{pixels: Uint8Array, count: number, columns: number, several: boolean, length: number}} Layout
 */

/**
 * Draw pictures (picture, row, column, channel).
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} pixels
 * @param {number} count
 * @param {number} columns
 * @param {PictureShape} shape
 */
export function drawPictures(canvas, pixels, count, columns, {size, channels}) {
  const pitch = size + 1, rows = Math.ceil(count / columns);
  const image = new ImageData(columns * pitch - 1, rows * pitch - 1);
  for (let n = 0, from = 0; n < count; n++) {
    const left = (n % columns) * pitch, top = Math.floor(n / columns) * pitch;
    for (let y = 0; y < size; y++) {
      for (let x = 0, to = 4 * ((top + y) * image.width + left); x < size; x++, to += 4, from += channels) {
        for (let c = 0; c < 3; c++) image.data[to + c] = pixels[from + (channels === 3 ? c : 0)];
        image.data[to + 3] = 255;
      }
    }
  }
  if (canvas.width !== image.width || canvas.height !== image.height) {
    canvas.width = image.width;
    canvas.height = image.height;
  }
  context2d(canvas).putImageData(image, 0, 0);
}

/**
 * One class fills a square; of several each is a row.
 *
 * @param {Pictures} pictures
 * @param {PictureShape} shape
 * @returns {Layout}
 */
export function layoutOf({classes, samples, pixels = new Uint8Array()}, {size, channels}) {
  const several = classes.length > 1, columns = several ? samples : Math.ceil(Math.sqrt(samples));
  return {pixels, count: classes.length * samples, columns, several, length: size * size * channels};
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Pictures} pictures
 * @param {PictureShape} shape
 */
export function drawFrame(canvas, pictures, shape) {
  const {pixels, count, columns} = layoutOf(pictures, shape);
  drawPictures(canvas, pixels, count, columns, shape);
}

/**
 * Draw where two frames of equal layout differ: black where they are equal, the brighter the more they differ.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Frame} frame
 * @param {Frame} other
 * @param {PictureShape} shape
 */
export function drawDifference(canvas, frame, other, shape) {
  const {pixels, count, columns} = layoutOf(frame, shape), from = layoutOf(other, shape).pixels;
  drawPictures(canvas, pixels.map((value, i) => Math.abs(value - from[i])), count, columns, shape);
}

/**
 * Draw one picture of a frame, the n-th in reading order.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Frame} frame
 * @param {number} n
 * @param {PictureShape} shape
 */
export function drawSample(canvas, frame, n, shape) {
  const {pixels, length} = layoutOf(frame, shape);
  drawPictures(canvas, pixels.subarray(n * length, (n + 1) * length), 1, 1, shape);
}
