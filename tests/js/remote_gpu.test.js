// When a remote GPU is asked for a strip.

import './english.js';

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {QUEUE_FULL} from '../../assets/explore/remote_gpu.js';
import {connected} from './connected.js';
import {MODEL, answer, deferred, settled} from './fakes.js';

const REMOTE = {...MODEL, remote: true};
const calls = log => log.filter(each => each[0] === 'drawRemotely').map(each => each[1].request.class);

test('a remote GPU is asked once for a strip, and again once its calls ended without it', async () => {
  let ended = 0, missing = 17;
  const polls = [];
  const {store, transport, log} = connected({
    poll: ({request}) => { const each = deferred(); polls.push(() => each.resolve(answer(request, missing ? 1 : 12, {missing, remote_calls: ended}))); return each.promise; },
  }, {model: REMOTE});
  const step = async () => { await settled(); polls.at(-1)(); await settled(); };
  transport.setVisible(true);
  await step();
  await step();
  assert.deepEqual(calls(log), [0], 'one call for each strip, not for each poll');
  store.change({class: 1});
  transport.poll();
  await settled();
  assert.deepEqual(calls(log), [0, 1]);
  ended = 1;  // that of class 0; the other still waits
  await step();
  assert.deepEqual(calls(log), [0, 1]);
  ended = 2;  // it ended without the strip
  await step();
  assert.deepEqual(calls(log), [0, 1, 1]);
  for (ended = 3; ended < 9; ended += 1) await step();
  assert.deepEqual(calls(log), [0, 1, 1, 1], 'a person’s minutes are not used up by asking');
  missing = 0;
  await step();
  assert.ok(store.satisfied);
});

test('a call that did not get into the queue of the remote GPU is made again after a while, as often as that happens', async () => {
  const waits = [], polls = [];
  const {transport, log, messages} = connected({
    poll: ({request}) => { const each = deferred(); polls.push(() => each.resolve(answer(request, 1, {missing: 17}))); return each.promise; },
  }, {model: REMOTE, wait: async milliseconds => { waits.push(milliseconds); }});
  transport.setVisible(true);
  for (let times = 1; times < 6; times += 1) {
    await settled();
    assert.deepEqual(calls(log), Array(times).fill(0));
    await transport.gpuRefused();
    assert.equal(messages().at(-1), QUEUE_FULL);
    polls.at(-1)();
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000]);
});
