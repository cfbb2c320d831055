// The poll of Explore: one answer after the other, whatever the server does.

import './english.js';

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {ordinal} from '../../assets/explore/transport.js';
import {NO_ANSWER} from '../../assets/shared/server.js';
import {connected} from './connected.js';
import {MODEL, REQUEST, answer, deferred, frame, settled} from './fakes.js';

test('it polls until both grids are finished, and repeats what it has seen', async () => {
  let evaluations = 0;
  const {server, store, transport} = connected({poll: ({request}) => answer(request, evaluations += 6)});
  transport.setVisible(true);
  await settled();
  assert.ok(store.satisfied);
  assert.deepEqual(server.of('poll').map(ask => ask.seen), [{}, {1: 6, 2: 6}]);
  assert.equal(server.of('poll')[0].token, 'mine');
});

test('a dead server is told of and asked again until it answers', async () => {
  let calls = 0;
  const {store, transport, messages} = connected({
    poll: ({request}) => {
      calls += 1;
      if (calls === 1) throw new Error('away');
      return calls === 2 ? null : answer(request, 12);
    },
  });
  transport.setVisible(true);
  await settled();
  assert.deepEqual(messages(), [NO_ANSWER, NO_ANSWER, '', '']);
  assert.ok(store.satisfied);
});

test('a newer request is polled for at once, and the older answer that comes after it changes nothing', async () => {
  const polls = [];
  const {store, transport} = connected({
    poll: ({request}) => {
      const poll = {request, ...deferred()};
      polls.push(poll);
      return poll.promise;
    },
  });
  transport.setVisible(true);
  await settled();
  store.change({w: 6});
  transport.poll();
  await settled();
  assert.deepEqual(polls.map(poll => poll.request.w), [3, 6], 'both are in flight');
  const newest = answer(polls[1].request, 12, {frames: [frame(1, 0, 12), frame(5, 6, 12)], url: '?w=6'});
  polls[1].resolve(newest);
  await settled();
  const before = {displayed: store.displayed, request: store.request, url: store.url};
  polls[0].resolve(answer(polls[0].request, 4, {frames: [frame(1, 0, 4), frame(2, 3, 4)]}));
  await settled();
  assert.deepEqual({displayed: store.displayed, request: store.request, url: store.url}, before);
  assert.equal(store.held.get(1).evaluations, 12, 'a finished grid is not put back');
  assert.equal(store.url, '?w=6');
  assert.ok(store.satisfied);
  assert.equal(polls.length, 2);
});

test('an answer of another scene is let go', async () => {
  const polls = [];
  const {store, transport} = connected({poll: ({request}) => { const each = deferred(); polls.push({request, ...each}); return each.promise; }});
  transport.setVisible(true);
  await settled();
  store.change({class: 1});
  transport.poll();
  await settled();
  polls[0].resolve(answer(polls[0].request, 12));
  await settled();
  assert.equal(store.held.size, 0);
});

test('there are never more than two polls in flight', async () => {
  const polls = [];
  const {store, transport} = connected({poll: ({request}) => { const each = deferred(); polls.push({request, ...each}); return each.promise; }});
  transport.setVisible(true);
  for (const w of [4, 5, 6, 7]) {
    await settled();
    store.change({w});
    transport.poll();
  }
  await settled();
  assert.equal(polls.length, 2);
  polls[0].resolve({ok: true, superseded: true});
  await settled();
  assert.deepEqual(polls.map(poll => poll.request.w), [3, 4, 7], 'the last that was asked for is not lost');
});

test('a refused first draw is told, and the next request is asked for', async () => {
  const {store, transport, log, messages} = connected({
    poll: ({request}) => (request.steps === 12 ? {ok: false, error: 'steps must be less here'} : answer(request, 12)),
  });
  transport.setVisible(true);
  await settled();
  assert.deepEqual(messages(), ['steps must be less here']);
  assert.equal(log.at(-1), 'gaveUp');
  store.change({steps: 3});
  transport.poll();
  await settled();
  assert.ok(store.satisfied);
  assert.equal(messages().at(-1), '');
});

test('of a refused change the page goes back to what was accepted, and keeps the sentence', async () => {
  const {store, transport, log, messages} = connected({
    poll: ({request}) => (request.seed === 'x' ? {ok: false, error: 'seed must be a number'} : answer(request, 12)),
  });
  transport.setVisible(true);
  await settled();
  store.change({seed: 'x'});
  transport.poll();
  await settled();
  assert.equal(store.request.seed, 7);
  assert.ok(log.includes('refused'));
  assert.equal(messages().at(-1), 'seed must be a number');
  assert.ok(store.satisfied);
});

test('a session that was forgotten is opened again, once the lab has room', async () => {
  let opened = 0;
  const {server, store, transport, messages} = connected({
    open_session: () => ((opened += 1) === 1 ? {ok: false, error: 'The lab is full'} : {ok: true, token: 'new', model: MODEL}),
    poll: ({token, request}) => (token === 'new' ? answer(request, 12) : {ok: false, unknown: true, error: 'silent'}),
  });
  transport.setVisible(true);
  await settled();
  assert.ok(store.satisfied);
  assert.deepEqual(messages(), ['The lab is full', '', '']);
  assert.deepEqual(server.of('open_session')[0], {query: {model: 'a1'}});
});

test('in the queue it says the position and goes on when it can', async () => {
  let position = 3;
  const {store, transport, messages} = connected({
    poll: ({request}) => { position -= 1; return answer(request, 12, position ? {frames: [], queue_position: position} : {}); },
  });
  transport.setVisible(true);
  await settled();
  assert.deepEqual(messages(), ['The lab is full; you are 2nd in the queue.', 'The lab is full; you are 1st in the queue.', '']);
  assert.ok(store.satisfied);
  assert.deepEqual([1, 2, 3, 4, 11, 21].map(ordinal), ['1st', '2nd', '3rd', '4th', '11th', '21st']);
});

test('a hidden tab keeps its session: it is paused, not closed, and polls no more until it is seen', async () => {
  const polls = [];
  const {server, transport} = connected({poll: ({request}) => { const each = deferred(); polls.push({request, ...each}); return each.promise; }});
  transport.setVisible(true);
  await settled();
  transport.setVisible(false);
  polls[0].resolve({ok: true, superseded: true});
  await settled();
  assert.deepEqual(server.of('pause_session'), [{token: 'mine'}]);
  assert.equal(polls.length, 1);
  transport.setVisible(true);
  await settled();
  assert.equal(polls.length, 2);
  assert.deepEqual(server.of('open_session'), []);
});

test('a page that waits for nothing calls again and again, as long as somebody may see it', async () => {
  let stay, hidden = false;
  const {server, store, transport} = connected(
    {poll: ({request}) => answer(request, 12)}, {repeat: call => { stay = call; }, hidden: () => hidden},
  );
  transport.setVisible(true);
  await settled();
  const before = {displayed: store.displayed, url: store.url};
  assert.equal(server.of('poll').length, 1);
  stay();
  await settled();
  assert.equal(server.of('poll').length, 2, 'at rest it repeats what it displays');
  assert.deepEqual(server.of('poll')[1], {...server.of('poll')[0], seen: store.seen});
  assert.deepEqual({displayed: store.displayed, url: store.url}, before);
  transport.setVisible(false);
  stay();
  assert.equal(server.of('pause_session').length, 2, 'behind another tab it is paused');
  hidden = true;
  stay();
  assert.equal(server.of('poll').length + server.of('pause_session').length, 4);
});

test('another model is described without another session, and meanwhile nothing is polled for', async () => {
  const described = deferred();
  const {server, store, transport} = connected({describe_model: () => described.promise, poll: ({request}) => answer(request, 12)});
  transport.setVisible(true);
  await settled();
  const before = server.of('poll').length, change = transport.describeModel({model: 'b2'});
  assert.equal(await transport.describeModel({model: 'c3'}), null, 'one change after the other');
  store.change({w: 5});
  transport.poll();
  await settled();
  assert.equal(server.of('poll').length, before);
  described.resolve({ok: true, model: {...MODEL, hash: 'b2'}});
  assert.equal((await change).model.hash, 'b2');
  assert.deepEqual([server.of('open_session'), server.of('close_session')], [[], []]);
});

test('another model is asked for until the server answers', async () => {
  let calls = 0;
  const {transport, messages} = connected({
    describe_model: () => { if ((calls += 1) < 3) throw new Error('away'); return {ok: true, model: {...MODEL, hash: 'b2'}}; },
  });
  assert.equal((await transport.describeModel({model: 'b2'})).model.hash, 'b2');
  assert.deepEqual(messages(), [NO_ANSWER, NO_ANSWER, '']);
});

test('a server that was started again without the model is asked for another, with the other fields of the request', async () => {
  const {server, store, transport, log} = connected({
    poll: () => ({ok: false, gone: true, error: 'model must be one of b2, got a1'}),
    describe_model: () => ({ok: true, model: {...MODEL, hash: 'b2'}}),
  });
  store.change({w: 5});
  transport.setVisible(true);
  await settled();
  const {model, vs, ...fields} = {...REQUEST, w: 5};
  assert.deepEqual(server.of('describe_model'), [{query: fields}]);
  assert.deepEqual(log.filter(each => each[0] === 'replaced').map(each => each[1].model.hash), ['b2']);
  assert.equal(server.of('poll').length, 1);
});

test('the denoising of a forgotten session is there after the grids were drawn again', async () => {
  let known = true;
  const {transport} = connected({
    poll: ({request}) => answer(request, 12),
    trajectory: ({token}) => (token === 'again' ? {ok: true, trajectories: [[frame(1, 0, 12)], [frame(2, 3, 12)]]}
      : {ok: false, unknown: !(known = false), error: 'silent'}),
  });
  transport.setVisible(true);
  await settled();
  assert.equal((await transport.trajectory()).length, 2);
  assert.equal(known, false);
});

test('the rail’s pictures are asked for until they are drawn', async () => {
  let asked = 0;
  const {transport, store} = connected({rail: () => ({ok: true, rail: (asked += 1) < 3 ? '' : 'AAAA'})});
  assert.equal(await transport.rail('a1'), 'AAAA');
  assert.equal(asked, 3);
  store.model = {...MODEL, hash: 'other'};
  assert.equal(await transport.rail('a1'), '', 'another model is shown by now');
});
