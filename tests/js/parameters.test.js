import assert from 'node:assert/strict';
import {test} from 'node:test';
import {choosingRule, goesWith} from '../../assets/shared/parameters.js';

const OFFER = {
  rules: [{name: 'cfg', title: '', formula: ''}, {name: 'plus', title: '', formula: '', samplers: ['ddim']}],
  samplers: [{name: 'heun', title: '', steps: 12}, {name: 'ddim', title: '', steps: 32}],
};

test('a rule without a list goes with every sampler, another with those it names', () => {
  assert.deepEqual(OFFER.samplers.map(({name}) => goesWith(OFFER.rules[0], name)), [true, true]);
  assert.deepEqual(OFFER.samplers.map(({name}) => goesWith(OFFER.rules[1], name)), [false, true]);
  assert.equal(goesWith(undefined, 'heun'), true);
});

test('choosing a rule changes the sampler, to its usual steps, only where the two do not go together', () => {
  assert.deepEqual(choosingRule(OFFER, 'cfg', 'heun'), {rule: 'cfg'});
  assert.deepEqual(choosingRule(OFFER, 'plus', 'ddim'), {rule: 'plus'});
  assert.deepEqual(choosingRule(OFFER, 'plus', 'heun'), {rule: 'plus', sampler: 'ddim', steps: 32});
});
