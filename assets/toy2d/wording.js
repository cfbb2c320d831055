// The sentences of the 2-D lab, as pure functions of what it shows.

import {fixed, number} from '../shared/dom.js';

/** @typedef {import('../shared/wording.js').Sentence} Sentence */
/** @typedef {import('./types.js').Scene} Scene */

/** Whether w and the class are those of Explore. @typedef {{w: boolean, class: boolean}} Follows */

/**
 * Whether a scene's sampler adds noise at its steps: along the score, more of them correct more of the miss (docs/toy2d.md).
 *
 * @param {Scene} scene
 */
const addsNoise = ({sampler, eta}) => sampler === 'ancestral' || Number(eta ?? 0) > 0;

/**
 * The sentence about the 2-D lab's distance.
 *
 * @param {{scene: Scene, distance: number, baseline: number}} shown
 * @returns {Sentence}
 */
export function toy2dSentence({scene, distance, baseline}) {
  const figures = `distance ${fixed(distance, 2)}, where ${scene.points} exact draws have ${fixed(baseline, 2)}.`;
  const follows = distance < 2 * baseline;
  if (scene.w === 0) {
    return follows ? [`No guidance, no miss: ${figures}`, 'At w = 0 the samples follow p(x|c), as they should. Now drag w.']
      : [`Too few steps: ${figures}`, 'At w = 0 the whole distance is the sampler’s; more steps make it smaller.'];
  }
  if (scene.resampled) {
    return [(follows ? 'Weighted, the samples follow the tilted density: ' : 'Weighted, but not yet the tilted density: ') + figures,
      'Each particle carries a weight that makes up for what guidance leaves; where weights part, particles are drawn anew.'];
  }
  if (scene.langevin && scene.rule !== 'interval') {
    return [(follows ? 'Corrected, the samples follow the tilted density: ' : 'Corrected, but not yet the tilted density: ') + figures,
      'Langevin steps at each λ go along the same guided score, and towards its density.'];
  }
  if (follows) return [`The samples are near the density they are expected to follow: ${figures}`, 'Drag w up, or move the classes together.'];
  if (scene.rule === 'interval') {
    return [`The samples are not meant to follow the tilted density: ${figures}`,
      'Outside the interval the score is that of p(x|c) alone, without guidance.'];
  }
  const steps = addsNoise(scene)
    ? 'This sampler adds noise at each step, which corrects some of it: more steps help; Langevin steps help more.'
    : 'More steps do not help; Langevin steps do.';
  return [`The samples miss the density they are expected to follow: ${figures}`,
    `Guidance gives the right score at each λ, but these densities are not one diffusion’s. ${steps}`];
}

/**
 * What as many evaluations come to without particles, and how many particles count; nothing where there are none.
 *
 * @param {Pick<import('./types.js').Drawn, 'scene' | 'distance' | 'effective' | 'beside'>} shown
 */
export function besideLine({scene, distance, effective, beside: {plain, langevin}}) {
  if (effective === null || plain === undefined || langevin === undefined) return '';
  return `In as many evaluations plain guidance has ${fixed(plain, 2)}, ${(plain / distance).toFixed(1)} times as much, `
    + `and Langevin steps ${fixed(langevin, 2)}. At the least ${Math.round(effective)} of ${scene.points} particles count.`;
}

/** The densities that may be displayed, of clean samples. */
export const DENSITIES = {tilted: 'p(x|c) p(c|x)ʷ', class: 'p(x|c)', all: 'p(x)'};

/**
 * Where w and the class come from, in one line.
 *
 * @param {Follows} follows
 * @param {string[]} classes
 */
export function followLine(follows, classes) {
  const turn = `its classes count as ${classes.join(', ')} in turn`;
  if (follows.w && follows.class) return `w and class follow Explore; ${turn}.`;
  if (follows.w) return 'w follows Explore; the class was chosen here.';
  return follows.class ? `The class follows Explore (${turn}); w was chosen here.` : 'w and class were chosen here.';
}

/**
 * The board: how far it reaches, and what lies outside of it.
 *
 * @param {number} half of its side
 * @param {number} outside how many of the points
 * @param {number} points
 */
export function boardLine(half, outside, points) {
  const told = outside ? `; ${outside} of ${points} lie${outside === 1 ? 's' : ''} outside` : '';
  return `board from −${number(half)} to ${number(half)}${told}`;
}

/**
 * A component for those who do not see it.
 *
 * @param {{name: string, index: number, count: number, place: [x: number, y: number]}} component
 */
export function componentLabel({name, index, count, place: [x, y]}) {
  const which = count > 1 ? `, component ${index + 1} of ${count},` : '';
  return `class ${name}${which} at ${number(x)}, ${number(y)}; arrow keys move it${count > 1 ? ', Delete removes it' : ''}`;
}
