// Numbers to canvases, a pixel each: a sample (channels, rows, columns) in its own colours, or its signs in two colours.

import {context2d} from '../shared/dom.js';

/** @typedef {[channels: number, rows: number, columns: number]} Shape */
/** @typedef {[red: number, green: number, blue: number]} Colour */

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ImageData} image
 */
export function put(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) Object.assign(canvas, {width: image.width, height: image.height});
  context2d(canvas).putImageData(image, 0, 0);
}

/** A number of a picture in [−1, 1] as a byte, as the server makes it. @param {number} value */
export const byte = value => Math.round((Math.min(1, Math.max(-1, value)) + 1) * 127.5);

/**
 * A sample as a picture: grey of one channel, else the first three channels as red, green and blue.
 *
 * @param {Float32Array} values
 * @param {Shape} shape
 * @param {number} reach the value that is white, and its negative black
 */
export function picture(values, [channels, rows, columns], reach) {
  const image = new ImageData(columns, rows), length = rows * columns;
  for (let i = 0; i < length; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = byte(values[channels < 3 ? i : c * length + i] / reach);
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/**
 * The mean over channels in diverging colours.
 *
 * @param {Float32Array} values
 * @param {Shape} shape
 * @param {number} reach the magnitude with the full colour
 * @param {[negative: Colour, middle: Colour, positive: Colour]} colours
 */
export function diverging(values, [channels, rows, columns], reach, [negative, middle, positive]) {
  const image = new ImageData(columns, rows), length = rows * columns;
  for (let i = 0; i < length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += values[c * length + i];
    const share = Math.max(-1, Math.min(1, sum / channels / reach)), end = share < 0 ? negative : positive;
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = Math.round(middle[c] + Math.abs(share) * (end[c] - middle[c]));
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/**
 * Finished samples in rows, with one pixel between them.
 *
 * @param {Uint8Array} samples (sample, channels, rows, columns)
 * @param {Shape} shape
 * @param {number} across samples of a row
 */
export function sheet(samples, [channels, rows, columns], across) {
  const length = rows * columns, count = samples.length / (channels * length);
  const image = new ImageData(across * (columns + 1) - 1, Math.ceil(count / across) * (rows + 1) - 1);
  for (let n = 0; n < count; n++) {
    const left = (n % across) * (columns + 1), top = Math.floor(n / across) * (rows + 1);
    for (let i = 0; i < length; i++) {
      const to = 4 * ((top + Math.floor(i / columns)) * image.width + left + (i % columns));
      for (let c = 0; c < 3; c++) image.data[to + c] = samples[(n * channels + (channels < 3 ? 0 : c)) * length + i];
      image.data[to + 3] = 255;
    }
  }
  return image;
}

/**
 * A colour of the style sheet.
 *
 * @param {Element} node
 * @param {string} name of the variable
 * @returns {Colour}
 */
export function colourOf(node, name) {
  const context = context2d(document.createElement('canvas'));
  context.fillStyle = getComputedStyle(node).getPropertyValue(name).trim();
  const hex = parseInt(String(context.fillStyle).slice(1), 16);
  return [hex >> 16, (hex >> 8) & 255, hex & 255];
}
