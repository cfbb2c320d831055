// The axis: even in rungs, exact at each, and its keys.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {nextRung, positionOf, rungsOf, stepped, wAt} from '../../assets/explore/axis.js';

for (const below of [false, true]) {
  const rungs = rungsOf(below);

  test(`each rung is at its own place, ${below ? 'with' : 'without'} those below 0`, () => {
    rungs.forEach((w, i) => {
      assert.equal(positionOf(w, rungs), i);
      assert.equal(wAt(i, rungs), w);
    });
  });

  test(`w and its position belong together, ${below ? 'with' : 'without'} rungs below 0`, () => {
    for (let w = rungs[0]; w <= 8; w += w < 2 ? 0.05 : 0.1) {
      const rounded = Math.round(w * 100) / 100;
      assert.ok(Math.abs(wAt(positionOf(rounded, rungs), rungs) - rounded) < 1e-9, String(rounded));
    }
  });
}

test('beyond the ends the thumb is at the ends', () => {
  const rungs = rungsOf(false);
  assert.equal(positionOf(-1, rungs), 0);
  assert.equal(positionOf(9, rungs), rungs.length - 1);
  assert.equal(wAt(-3, rungs), 0);
  assert.equal(wAt(99, rungs), 8);
});

test('a step is 0.05 below 2 and 0.1 above, and ends at the ends', () => {
  const rungs = rungsOf(false);
  assert.equal(stepped(1, 1, rungs), 1.05);
  assert.equal(stepped(2, 1, rungs), 2.1);
  assert.equal(stepped(2, -1, rungs), 1.95);
  assert.equal(stepped(0, -1, rungs), 0);
  assert.equal(stepped(8, 1, rungs), 8);
});

test('the next rung is the nearest beyond w', () => {
  const rungs = rungsOf(false);
  assert.equal(nextRung(2.2, 1, rungs), 3);
  assert.equal(nextRung(2.2, -1, rungs), 2);
  assert.equal(nextRung(8, 1, rungs), 8);
});
