// Predictions at one noise level, from z and v: x̂ = αz − σv and ε̂ = σz + αv, with α² = 1/(1 + e^−λ), σ² = 1/(1 + e^λ).

/** @typedef {import('./types.js').View} View */

/** Of the noise beside the sample at λ. @param {number} logSnr */
export const sigmaOf = logSnr => Math.sqrt(1 / (1 + Math.exp(logSnr)));

/**
 * @param {Float32Array} z
 * @param {Float32Array} v
 * @param {number} logSnr
 * @param {View} view
 */
export function predicted(z, v, logSnr, view) {
  const alpha = sigmaOf(-logSnr), sigma = sigmaOf(logSnr);
  return view === 'x' ? z.map((value, i) => alpha * value - sigma * v[i]) : z.map((value, i) => sigma * value + alpha * v[i]);
}

/**
 * The paper's eq. 6: c + w (c − u).
 *
 * @param {Float32Array} c
 * @param {Float32Array} u
 * @param {number} w
 */
export const extrapolated = (c, u, w) => c.map((value, i) => value + w * (value - u[i]));

/** @param {Float32Array} a @param {Float32Array} b */
export const difference = (a, b) => a.map((value, i) => value - b[i]);

/** The Euclidean norm. @param {Float32Array} values */
export const norm = values => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** The largest magnitude. @param {Float32Array} values */
export const peak = values => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/**
 * The end of a symmetric scale for magnitudes up to this: the next 1, 2 or 5 times a power of ten.
 *
 * @param {number} most
 */
export function roundUp(most) {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5].find(digit => digit * power >= most) ?? 10) * power;
}
