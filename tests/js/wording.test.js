// What the page says must follow from what it shows.

import './english.js';

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {belowZero, beyond, curveOf, dotSentence, gridSentence, gridTitle} from '../../assets/shared/wording.js';
import {toy2dSentence} from '../../assets/toy2d/wording.js';
import {MODEL, REQUEST} from './fakes.js';

const meters = (before, after) => [before, after].map(([fidelity, diversity]) => ({fidelity, diversity}));
const said = fields => gridSentence({rule: 'cfg', w: 3, thing: 'bag', pictures: 16, noises: 16, meters: null, ...fields}).join(' ');

test('the grid at w = 0 is unguided only where the rule guides by nothing there', () => {
  for (const rule of ['cfg', 'classifier', 'bayes', 'three_channels', 'interval']) assert.equal(gridTitle(rule, 0), 'unguided');
  assert.equal(gridTitle('classifier_unconditional', 0), 'classifier at strength 1');
  assert.equal(gridTitle('something new', 0), 'at w = 0');
  assert.match(said({rule: 'cfg', w: 0}), /No guidance.*conditional model as it was trained/);
  assert.match(said({rule: 'classifier_unconditional', w: 0}), /unconditional model, guided by the classifier at strength 1/);
  assert.doesNotMatch(said({rule: 'classifier_unconditional', w: 0}), /No guidance/);
  assert.doesNotMatch(said({rule: 'something new', w: 0}), /No guidance|conditional/);
});

test('the other grid is unconditional at w = −1, where the rule is', () => {
  assert.equal(gridTitle('cfg', -1), 'unconditional');
  assert.equal(gridTitle('classifier', -1), 'guided');
  assert.equal(gridTitle('cfg', 3), 'guided');
  assert.match(said({w: -1}), /only the unconditional model is used/);
  assert.match(said({w: -0.5}), /Between unconditional \(w = −1\) and conditional/);
  assert.match(said({rule: 'classifier_unconditional', w: -0.5}), /and the classifier at strength 1/);
  assert.match(said({rule: 'classifier', w: -1}), /guides away from its class/);
  assert.doesNotMatch(said({rule: 'interval', w: -1}), /unconditional/);
  assert.match(belowZero('cfg'), /unconditional to conditional/);
  assert.doesNotMatch(belowZero('classifier'), /conditional/);
});

test('pictures are said to be more alike where the meters shown say so, and only there', () => {
  assert.match(said({meters: meters([0.79, 11.1], [0.99, 6.3])}), /more alike.*becomes clearer, and they become more similar/);
  const rises = said({meters: meters([0.54, 9.1], [0.84, 9.9]), thing: 'picture', pictures: 40, noises: 4});
  assert.match(rises, /more variety.*becomes clearer, and they become more different/);
  assert.doesNotMatch(rises, /alike|similar/);
  assert.doesNotMatch(said({meters: null}), /alike|similar|clearer|different|variety/);
  assert.doesNotMatch(said({meters: null, w: 8}), /alike|similar|clearer|different|variety|saturates/);
});

test('figures that read the same are not said to differ', () => {
  const same = said({meters: meters([0.991, 6.31], [0.994, 6.34])});
  assert.match(same, /is as clear as at w = 0, and they are as different/);
  assert.match(said({meters: meters([0.99, 6.3], [0.9, 6.3])}), /becomes less clear/);
  assert.doesNotMatch(said({pictures: 1, noises: 1, meters: meters([0.5, 1], [0.9, 1])}), /they/);
  assert.match(said({noises: 1, meters: null}), /the same noise /);
});

test('the paper’s best FID is spoken of at its w, under its rule', () => {
  const light = {meters: meters([0.5, 9], [0.6, 9])};
  for (const w of [0.1, 0.2, 0.3]) assert.match(said({...light, w}), /The paper finds its best FID here/);
  for (const w of [0.05, 0.4, 0.5, 1, 3]) assert.doesNotMatch(said({...light, w}), /paper/);
  assert.doesNotMatch(said({...light, w: 0.2, rule: 'classifier'}), /paper/);
});

test('the dot is on the curve of its own rule, sampler, steps and parameters, and on no other', () => {
  const curve = {rule: 'cfg', sampler: 'dpmpp_2m', steps: 12, points: []};
  const found = fields => curveOf(MODEL, curve, {...REQUEST, ...fields});
  assert.deepEqual([found({}).dot, found({}).note], [true, '']);
  assert.equal(found({steps: '12'}).dot, true);
  for (const other of [{steps: 13}, {sampler: 'ddim'}, {rule: 'interval'}]) {
    assert.equal(found(other).dot, false);
    assert.match(found(other).note, other.rule ? /^Measured with DPM, 12 steps, CFG\.$/ : /^Measured with DPM, 12 steps\.$/);
    assert.doesNotMatch(found(other).label, /at w/);
  }
  const ddim = {...curve, sampler: 'ddim', steps: 32, parameters: {eta: 0}}, at = eta => curveOf(MODEL, ddim, {...REQUEST, sampler: 'ddim', steps: 32, eta});
  assert.deepEqual([at(0).dot, at(0.5).dot], [true, false]);
});

test('where a curve ends is said', () => {
  assert.deepEqual([beyond([0, 1, 8], 3), beyond([0, 1, 4], 8), beyond([0, 1], -0.5)], ['', 'measured up to w = 4', 'measured from w = 0']);
  const now = {w: 4, sampler: 'DDIM', steps: 32};
  assert.equal(dotSentence(now, 'exact', ''), 'Explore shows w = 4, DDIM, 32 steps: the dot.');
  assert.equal(dotSentence(now, 'none', ''), 'Explore shows w = 4, DDIM, 32 steps: no curve here is of it.');
  assert.match(dotSentence(now, 'other settings', 'measured up to w = 3'), /: measured up to w = 3; the dot is on the first curve/);
});

test('in the 2-D lab more steps are said to help where they do', () => {
  const scene = {w: 3, sampler: 'dpmpp_2m', langevin: 0, points: 500};
  const lab = (fields, distance = 0.4) => toy2dSentence({scene: {...scene, ...fields}, distance, baseline: 0.02}).join(' ');
  for (const noiseless of [{}, {sampler: 'heun'}, {sampler: 'ddim', eta: 0}, {sampler: 'dpmpp_2m_sde', eta: 0}]) assert.match(lab(noiseless), /More steps do not help/);
  for (const noisy of [{sampler: 'ancestral', v: 0}, {sampler: 'ddim', eta: 0.5}, {sampler: 'dpmpp_2m_sde', eta: 1}]) {
    assert.match(lab(noisy), /more steps help; Langevin steps help more/);
    assert.doesNotMatch(lab(noisy), /do not help/);
  }
  assert.match(lab({w: 0}, 0.03), /No guidance, no miss/);
  assert.match(lab({w: 0}), /Too few steps.*distance 0.40, where 500 exact draws have 0.02/);
  assert.match(lab({langevin: 4}), /Corrected, but not yet/);
  assert.match(lab({langevin: 4}, 0.03), /Corrected, the samples follow/);
  assert.match(lab({}, 0.03), /near the density/);
  for (const langevin of [0, 4]) assert.match(lab({rule: 'interval', langevin}), /not meant to follow the tilted density/);
});
