// The sentences of the 2-D lab, as pure functions of what it shows.

import {fixed, number} from '../shared/dom.js';
import {say} from '../shared/language.js';

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
  const figures = say('toy2d.figures', {distance: fixed(distance, 2), points: scene.points, baseline: fixed(baseline, 2)});
  const follows = distance < 2 * baseline;
  if (scene.w === 0) {
    return follows ? [`${say('toy2d.no_miss')} ${figures}`, say('toy2d.no_miss_rest')] : [`${say('toy2d.few_steps')} ${figures}`, say('toy2d.few_steps_rest')];
  }
  if (scene.resampled) {
    return [`${say(follows ? 'toy2d.weighted' : 'toy2d.weighted_not_yet')} ${figures}`, say('toy2d.weighted_rest')];
  }
  if (scene.langevin && scene.rule !== 'interval') {
    return [`${say(follows ? 'toy2d.corrected' : 'toy2d.not_yet')} ${figures}`, say('toy2d.corrected_rest')];
  }
  if (follows) return [`${say('toy2d.near')} ${figures}`, say('toy2d.near_rest')];
  if (scene.rule === 'interval') {
    return [`${say('toy2d.not_meant')} ${figures}`, say('toy2d.not_meant_rest')];
  }
  const steps = say(addsNoise(scene) ? 'toy2d.steps_help' : 'toy2d.steps_do_not_help');
  return [`${say('toy2d.miss')} ${figures}`, `${say('toy2d.miss_rest')} ${steps}`];
}

/**
 * What as many evaluations come to without particles, and how many particles count; nothing where there are none.
 *
 * @param {Pick<import('./types.js').Drawn, 'scene' | 'distance' | 'effective' | 'beside'>} shown
 */
export function besideLine({scene, distance, effective, beside: {plain, langevin}}) {
  if (effective === null || plain === undefined || langevin === undefined) return '';
  return say('toy2d.beside', {
    plain: fixed(plain, 2), times: fixed(plain / distance, 1), langevin: fixed(langevin, 2), effective: Math.round(effective), points: scene.points,
  });
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
  const which = follows.w && follows.class ? 'both' : follows.w ? 'w' : follows.class ? 'class' : 'none';
  return say(`toy2d.follows_${which}`, {classes: classes.join(', ')});
}

/**
 * The board: how far it reaches, and what lies outside of it.
 *
 * @param {number} half of its side
 * @param {number} outside how many of the points
 * @param {number} points
 */
export function boardLine(half, outside, points) {
  const told = outside ? `; ${say(outside === 1 ? 'toy2d.one_outside' : 'toy2d.outside', {outside, points})}` : '';
  return say('toy2d.board', {half: number(half)}) + told;
}

/**
 * A component for those who do not see it.
 *
 * @param {{name: string, index: number, count: number, place: [x: number, y: number]}} component
 */
export function componentLabel({name, index, count, place: [x, y]}) {
  return say(count > 1 ? 'toy2d.one_component' : 'toy2d.component', {name, index: index + 1, count, x: number(x), y: number(y)});
}
