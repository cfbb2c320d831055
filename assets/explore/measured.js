// What Explore has measured of its two grids, for whoever asks about them. No DOM.

import {layoutOf} from './canvas.js';

/** @typedef {import('./types.js').Frame} Frame */
/** @typedef {import('./types.js').ModelDescription} ModelDescription */

/**
 * @param {Frame} left
 * @param {Frame} right from the same noises
 * @param {Pick<ModelDescription, 'size' | 'channels' | 'curve'>} model
 * @returns {import('../lesson/types.js').Measured}
 */
export function measuredOf(left, right, model) {
  const {curve} = model, {pixels, count, columns, length} = layoutOf(right, model), from = layoutOf(left, model).pixels, meters = [left.meter, right.meter];
  const [before, after] = meters, points = curve?.points ?? [];
  const changes = Array.from({length: count}, (_, n) => {
    let sum = 0;
    for (let i = n * length; i < (n + 1) * length; i++) sum += Math.abs(pixels[i] - from[i]);
    return sum / length;
  });
  return {
    pictures: count, columns, changes, measured: points.map(({w}) => w),
    lowest: points.length ? points.reduce((a, b) => (b.fid < a.fid ? b : a)) : null,
    ...(before && after ? {sure: [before.fidelity, after.fidelity], differ: [before.diversity, after.diversity]} : {}),
  };
}
