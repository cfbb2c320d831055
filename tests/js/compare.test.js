// What the left grid shows: its request, its title, its link.

import './english.js';

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {comparisonFields, comparisonOf, follows, referenceOf, referenceTitle} from '../../assets/explore/compare.js';
import {Store} from '../../assets/explore/store.js';
import {MODEL, REQUEST, frame} from './fakes.js';

const of = (vs, fields = {}) => referenceOf(MODEL, {...REQUEST, ...fields, vs});

test('without a comparison it is the same grid at w = 0', () => {
  const {vs, ...guided} = REQUEST;
  assert.deepEqual(of({}), {...guided, w: 0});
  assert.equal(referenceTitle(MODEL, [], REQUEST), 'unguided');
});

test('a fixed w stays, another rule follows the slider', () => {
  assert.equal(of({w: 1}).w, 1);
  assert.equal(of({rule: 'interval'}).w, 3);
  assert.equal(of({rule: 'interval', w: 1}).w, 1);
  assert.deepEqual([follows({}), follows({w: 1}), follows({rule: 'interval'}), follows({rule: 'interval', w: 1})],
    [false, false, true, false]);
});

test('another sampler has its own steps and only its own parameters', () => {
  const other = of({sampler: 'ddim'}, {rule: 'interval', log_snr_low: -2});
  assert.deepEqual([other.sampler, other.steps, other.log_snr_low], ['ddim', 32, -2]);
  assert.equal('log_snr_low' in of({rule: 'cfg'}, {rule: 'interval', log_snr_low: -2}), false);
});

test('the title names what differs', () => {
  const title = vs => referenceTitle(MODEL, [{title: 'Other', hash: 'b2', classes: []}], {...REQUEST, vs});
  assert.equal(title({rule: 'interval', log_snr_low: -2}), 'Interval, λ low = −2');
  assert.equal(title({sampler: 'ddim'}), 'DDIM, 32 steps');
  assert.equal(title({steps: 4}), '4 steps');
  assert.equal(title({model: 'b2'}), 'Other');
  assert.equal(title({w: 1}), 'guided');
});

test('a comparison is the same after its link', () => {
  const vs = {rule: 'interval', log_snr_low: -2, w: 1.5};
  const fields = Object.entries(comparisonFields(vs, ['log_snr_low', 'eta'])).filter(([, value]) => value !== null);
  assert.deepEqual(comparisonOf({...Object.fromEntries(fields), w: '3'}), vs);
  assert.equal(comparisonFields({}, []).vs_rule, null);
});

test('what is equal on both sides is no comparison', () => {
  const s = new Store(MODEL, {...REQUEST});
  s.change({vs: {rule: 'interval', steps: 12}});
  assert.deepEqual(s.request.vs, {rule: 'interval'});
  s.change({rule: 'interval'});
  assert.deepEqual(s.request.vs, {});
});

test('each pane shows its own frames, the left one at the w that it has', () => {
  const s = new Store(MODEL, {...REQUEST, vs: {rule: 'interval'}});
  s.keep([frame(1, 2, 12), frame(2, 4, 12)], [0]);
  s.keep([frame(3, 3, 12)], [1]);
  s.moveThumb(2.2);
  assert.deepEqual([s.nearest(0)?.serial, s.nearest(1)?.serial], [1, 3]);
  s.change({vs: {}});
  s.keep([frame(5, 1, 12)], [0, 1]);
  assert.equal(s.nearest(0), null);
});
