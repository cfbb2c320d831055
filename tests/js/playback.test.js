// The denoising: which frame is shown of each evaluation, and when it begins to play.

import './english.js';

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {Playback, halves} from '../../assets/explore/playback.js';
import {Store} from '../../assets/explore/store.js';
import {MODEL, REQUEST, frame, settled} from './fakes.js';

const byte = value => btoa(String.fromCharCode(value));

function playback(view = {}) {
  const frames = [1, 6, 12].map(n => frame(1, 3, n, {noisy: byte(100 + n)}));
  return new Playback(new Store(MODEL, {...REQUEST}), {
    fetch: async () => [frames, frames], idle: () => true, redraw: () => {}, playing: () => {}, calm: () => false, ...view,
  });
}

test('between two frames that were kept the earlier one is shown', async () => {
  const p = playback();
  await p.scrub(7);
  assert.deepEqual([...p.frame(1).pixels], [6]);
});

test('z itself is shown where that is chosen', async () => {
  const p = playback();
  await p.show('noisy');
  await p.scrub(6);
  assert.deepEqual([...p.frame(1).pixels], [106]);
});

test('half each: above the diagonal one, below it the other', () => {
  const upper = Uint8Array.from([1, 1, 1, 1]), lower = Uint8Array.from([2, 2, 2, 2]);
  assert.deepEqual([...halves(upper, lower, 2, 1)], [1, 1, 1, 2]);
});

test('play that is pressed while the grids are drawn begins once they are', async () => {
  let idle = false;
  const p = playback({idle: () => idle, calm: () => true});
  await p.play();
  assert.equal(p.step, null);
  idle = true;
  p.rested();
  await settled();
  assert.equal(p.step, 1);
});
