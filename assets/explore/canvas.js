// Pixels to canvases: raw 8-bit pictures, drawn exactly as they are, with one pixel between them.

import {context2d} from '../shared/dom.js';

/** @typedef {import('./types.js').Frame} Frame */
/** @typedef {import('./types.js').ModelDescription} ModelDescription */
/** @typedef {Pick<ModelDescription, 'size' | 'channels'>} PictureShape */

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
 * (class, sample, …) to (sample, class, …), so that each class is a column.
 *
 * @param {Uint8Array} pixels
 * @param {number} classes
 * @param {number} samples
 * @param {number} length bytes of one picture
 */
export function transposed(pixels, classes, samples, length) {
  const result = new Uint8Array(pixels.length);
  for (let c = 0; c < classes; c++) {
    for (let s = 0; s < samples; s++) {
      const from = (c * samples + s) * length;
      result.set(pixels.subarray(from, from + length), (s * classes + c) * length);
    }
  }
  return result;
}

/**
 * @param {Frame} frame
 * @param {PictureShape} shape
 * @returns {Layout}
 */
export function layoutOf({classes, samples, pixels = new Uint8Array()}, {size, channels}) {
  const several = classes.length > 1, length = size * size * channels;
  return {
    pixels: several ? transposed(pixels, classes.length, samples, length) : pixels,
    count: classes.length * samples, columns: several ? classes.length : Math.ceil(Math.sqrt(samples)), several, length,
  };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Frame} frame
 * @param {PictureShape} shape
 */
export function drawFrame(canvas, frame, shape) {
  const {pixels, count, columns} = layoutOf(frame, shape);
  drawPictures(canvas, pixels, count, columns, shape);
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
