// Changes of a scene, and what it takes from Explore. No DOM.

import {choosingRule} from '../shared/parameters.js';

/** @typedef {import('../explore/types.js').PlainRequest} PlainRequest */
/** @typedef {import('./types.js').Scene} Scene */
/** @typedef {import('./types.js').Vector} Vector */

/** The fields that every scene has, whatever its rule and its sampler. */
export const FIELDS = ['class', 'means', 'owners', 'w', 'rule', 'sampler', 'steps', 'langevin', 'resampled', 'points', 'seed', 'density'];

/** The fields that say which components there are. */
export const COMPONENTS = /** @type {const} */ (['means', 'owners']);

/** The number of particles. */
const PARTICLES = 2000;

const HIGHEST_W = 8;
const APART = 1.1;  // how far a new component stands from its class

/**
 * The components of a class, by their numbers among all.
 *
 * @param {Scene} scene
 * @param {number} label
 */
export const ofClass = ({owners}, label) => owners.flatMap((owner, n) => (owner === label ? [n] : []));

/**
 * A place as a component may have it: on the board's part for means, in hundredths.
 *
 * @param {number} x
 * @param {number} y
 * @param {number} reach
 * @returns {Vector}
 */
export function bounded(x, y, reach) {
  const [a, b] = [x, y].map(value => Math.round(100 * Math.max(-reach, Math.min(reach, value))) / 100);
  return [a, b];
}

/**
 * The components with one more of the chosen class, by default beside its last where there is most room.
 *
 * @param {Scene} scene
 * @param {number} reach how far out a mean may lie
 * @param {Vector} [at]
 * @returns {Pick<Scene, 'means' | 'owners'>}
 */
export function withComponent(scene, reach, at) {
  const {means, owners} = scene, own = ofClass(scene, scene.class), [x, y] = means[own[own.length - 1]];
  /** @param {Vector} place */
  const room = ([a, b]) => Math.min(...means.map(([c, d]) => Math.hypot(a - c, b - d)));
  const around = Array.from({length: 12}, (_, n) => bounded(
    x + APART * Math.cos((n * Math.PI) / 6), y + APART * Math.sin((n * Math.PI) / 6), reach));
  const place = at ? bounded(...at, reach) : around.reduce((best, each) => (room(each) > room(best) + 1e-9 ? each : best));
  return {means: [...means, place], owners: [...owners, scene.class]};
}

/**
 * The components without one of them.
 *
 * @param {Scene} scene
 * @param {number} n its number among all
 * @returns {Pick<Scene, 'means' | 'owners'>}
 */
export const withoutComponent = ({means, owners}, n) => ({
  means: means.filter((_, each) => each !== n), owners: owners.filter((_, each) => each !== n),
});

/**
 * The fields that turn Feynman–Kac correction on, with a rule and a sampler for it and Langevin steps that part equal
 * particles, or off.
 *
 * @param {boolean} on
 * @param {Scene} scene
 * @param {Pick<import('./types.js').Constants, 'DEFAULT' | 'OFFER'>} constants
 * @returns {Partial<Scene>}
 */
export function choosingParticles(on, {sampler, langevin}, {DEFAULT, OFFER}) {
  if (!on) return {resampled: false, points: DEFAULT.points};
  const able = OFFER.samplers.filter(each => each.diffuses).map(({name}) => name);
  return {
    resampled: true, rule: 'cfg', sampler: able.includes(sampler) ? sampler : able[0], steps: 100,
    langevin: Math.max(1, langevin), points: PARTICLES,
  };
}

/**
 * The fields that choose a rule or a sampler: with a rule another sampler where the two do not go together, and without
 * Langevin steps or particles where those do not go with it.
 *
 * @param {'rule' | 'sampler'} what
 * @param {string} name
 * @param {Scene} scene
 * @param {Pick<import('./types.js').Constants, 'DEFAULT' | 'OFFER'>} constants
 * @returns {Partial<Scene>}
 */
export function choosing(what, name, scene, constants) {
  const {OFFER} = constants, rule = OFFER.rules.find(each => each.name === (what === 'rule' ? name : scene.rule));
  /** @type {Partial<Scene>} */
  const fields = what === 'rule' ? choosingRule(OFFER, name, scene.sampler) : {sampler: name};
  const sampler = OFFER.samplers.find(each => each.name === (fields.sampler ?? scene.sampler));
  const particles = !scene.resampled || (rule?.name === 'cfg' && sampler?.diffuses);
  return {
    ...fields, ...(rule?.renoises ? {langevin: 0} : {}), ...(particles ? {} : choosingParticles(false, scene, constants)),
  };
}

/**
 * What a scene takes from Explore: w where it is one of the lab's, and the class, in turn. All classes together are none.
 *
 * @param {PlainRequest} request
 * @param {number} classes how many the lab has
 * @param {import('./wording.js').Follows} follows
 * @returns {Partial<Scene>}
 */
export function fromExplore({w, class: label}, classes, follows) {
  return {
    ...(follows.w ? {w: Math.round(10 * Math.max(0, Math.min(HIGHEST_W, w))) / 10} : {}),
    ...(follows.class && label !== 'all' ? {class: Number(label) % classes} : {}),
  };
}

/**
 * How many of some points lie outside of the square [−half, half]².
 *
 * @param {Float32Array} places x, y, x, y, …
 * @param {number} half
 */
export function outside(places, half) {
  let count = 0;
  for (let n = 0; n < places.length; n += 2) if (Math.max(Math.abs(places[n]), Math.abs(places[n + 1])) > half) count += 1;
  return count;
}
