// The 2-D lab's conversation with the server, and its scene in the address bar.

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {addressFields, linkedFields} from '../../assets/toy2d/address.js';
import {bounded, fromExplore, ofClass, outside, withComponent, withoutComponent} from '../../assets/toy2d/scene.js';
import {boardLine, componentLabel, followLine} from '../../assets/toy2d/wording.js';
import {NO_ANSWER} from '../../assets/shared/server.js';
import {Transport} from '../../assets/toy2d/transport.js';
import {MODEL, deferred, fakeServer, settled} from './fakes.js';

const DEFAULT = {
  class: 0, means: [[0, 1], [-1, 0], [1, 0]], owners: [0, 1, 2], w: 3, rule: 'cfg', sampler: 'dpmpp_2m', steps: 50, langevin: 0, resampled: false, points: 1, seed: 7,
  density: 'tilted',
};
const OWN = {w: false, class: false}, FOLLOWS = {w: true, class: true};
const OFFER = {rules: MODEL.rules, samplers: MODEL.samplers};
const POINTS = btoa('\0'.repeat(8));

const drawn = scene => ({ok: true, scene, points: POINTS, exact: POINTS, heat: btoa('\0'), distance: 0.4, baseline: 0.02, half: 3.5, effective: null, beside: {}});

function connected(functions) {
  const server = fakeServer(functions), log = [];
  const event = name => argument => { log.push(argument === undefined ? name : [name, argument]); };
  const events = Object.fromEntries(['drawn', 'message', 'refused', 'idle'].map(name => [name, event(name)]));
  const transport = new Transport(server, {DEFAULT, PATH_STEPS: 1}, events, {wait: async () => {}, now: () => 0});
  const messages = () => log.filter(each => each[0] === 'message').map(each => each[1]);
  return {server, transport, log, messages};
}

test('a scene is drawn, and one that came meanwhile after it', async () => {
  const draws = [];
  const {transport, log} = connected({draw: scene => { const each = deferred(); draws.push({scene, ...each}); return each.promise; }});
  transport.ask({...DEFAULT, w: 1});
  for (const w of [2, 4]) transport.ask({...DEFAULT, w});
  draws[0].resolve(drawn(draws[0].scene));
  await settled();
  assert.deepEqual(draws.map(draw => draw.scene.w), [1, 4], 'one in flight, and then the newest');
  assert.equal(log.includes('idle'), false);
  draws[1].resolve(drawn(draws[1].scene));
  await settled();
  assert.equal(transport.shown.scene.w, 4);
  assert.equal(log.at(-1), 'idle');
});

test('a refused first draw is a sentence; the default is drawn, and further input is taken', async () => {
  const {transport, log, messages} = connected({draw: scene => (scene.steps > 100 ? {ok: false, error: 'steps must be less'} : drawn(scene))});
  await transport.ask({...DEFAULT, steps: 200});
  assert.equal(messages().at(-1), 'steps must be less');
  assert.ok(log.includes('refused'));
  assert.deepEqual(transport.shown.scene, DEFAULT);
  await transport.ask({...DEFAULT, w: 1});
  assert.equal(transport.shown.scene.w, 1);
  assert.equal(messages().at(-1), '');
});

test('where even the default is refused nothing breaks, and the next scene is asked for', async () => {
  let refuse = true;
  const {transport, log} = connected({draw: scene => (refuse ? {ok: false, error: 'no'} : drawn(scene))});
  await transport.ask({...DEFAULT, w: 2});
  assert.equal(transport.shown, null);
  assert.equal(log.at(-1), 'idle');
  refuse = false;
  await transport.ask({...DEFAULT, w: 2});
  assert.equal(transport.shown.scene.w, 2);
});

test('a full lab is a sentence, and asked again until it draws', async () => {
  let calls = 0;
  const {transport, messages} = connected({draw: scene => ((calls += 1) < 3 ? {ok: false, busy: true, error: 'The 2-D lab is full'} : drawn(scene))});
  await transport.ask({...DEFAULT});
  assert.deepEqual(messages().slice(0, 2), ['The 2-D lab is full', 'The 2-D lab is full']);
  assert.equal(messages().at(-1), '');
  assert.deepEqual(transport.shown.scene, DEFAULT);
});

test('a server that is away at the start is asked for the link, and for the scene, until it is back', async () => {
  let calls = 0;
  const away = answer => { if ((calls += 1) % 3) throw new Error('away'); return answer; };
  const {transport, messages} = connected({
    restore: () => away({ok: true, scene: DEFAULT, notice: ''}), draw: scene => away(drawn(scene)),
  });
  const {scene} = await transport.restore({});
  await transport.ask(scene);
  assert.equal(messages().filter(sentence => sentence === NO_ANSWER).length, 4);
  assert.deepEqual(transport.shown.scene, DEFAULT);
  assert.equal(messages().at(-1), '');
});

test('a refused change goes back to what is shown', async () => {
  const {transport} = connected({draw: scene => (scene.seed < 0 ? {ok: false, error: 'seed'} : drawn(scene))});
  await transport.ask({...DEFAULT, w: 5});
  await transport.ask({...DEFAULT, w: 5, seed: -1});
  assert.deepEqual([transport.request.seed, transport.request.w, transport.notice], [7, 5, 'seed']);
});

test('a link holds what is not default; a former one is read and replaced', () => {
  const scene = {...DEFAULT, w: 5, means: [[0, 1], [-1, 0.5], [1, 0]]}, fields = addressFields(scene, {DEFAULT, OFFER}, OWN);
  assert.deepEqual([fields.toy2d_w, fields.toy2d_seed, fields.plane_w], ['5', null, null]);
  const query = new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== null));
  assert.deepEqual(linkedFields(query.toString()), {w: 5, class: 0, means: scene.means});
  assert.deepEqual(linkedFields('tab=plane&plane_w=5&plane_sampler=ddim'), {w: 5, sampler: 'ddim'});
  assert.deepEqual(linkedFields('plane_w=5&toy2d_w=6'), {w: 6});
  assert.deepEqual(linkedFields('toy2d_means=1,2,3'), {means: [[1, 2], [3]]});
});

test('what follows Explore is not in the link, and what was chosen here always is', () => {
  const at = follows => { const {toy2d_w, toy2d_class} = addressFields(DEFAULT, {DEFAULT, OFFER}, follows); return [toy2d_w, toy2d_class]; };
  assert.deepEqual([at(FOLLOWS), at(OWN), at({w: true, class: false})], [[null, null], ['3', '0'], [null, '0']]);
});

test('components stand in the link with their classes', () => {
  const scene = {...DEFAULT, ...withComponent(DEFAULT, 2.5, [2, -1])}, fields = addressFields(scene, {DEFAULT, OFFER}, FOLLOWS);
  assert.deepEqual(linkedFields(`toy2d_means=${fields.toy2d_means}&toy2d_owners=${fields.toy2d_owners}`), {means: scene.means, owners: [0, 1, 2, 0]});
});

test('a component is added to the chosen class, where asked for or where there is room, and removed', () => {
  const scene = {...DEFAULT, class: 1}, more = {...scene, ...withComponent(scene, 2.5)};
  assert.deepEqual(more.owners, [0, 1, 2, 1]);
  const [x, y] = more.means[3];
  assert.ok(Math.max(Math.abs(x), Math.abs(y)) <= 2.5);
  assert.ok(scene.means.every(([a, b]) => Math.hypot(a - x, b - y) > 1));
  assert.deepEqual(withComponent(scene, 2.5, [9, -9]).means[3], [2.5, -2.5]);
  assert.deepEqual(ofClass(more, 1), [1, 3]);
  assert.deepEqual(withoutComponent(more, 1), {means: [[0, 1], [1, 0], [x, y]], owners: [0, 2, 1]});
  assert.deepEqual(bounded(1.234567, -7, 2.5), [1.23, -2.5]);
});

test('w and the class are those of Explore where they follow it', () => {
  const now = {w: 5.55, class: 8};
  assert.deepEqual(fromExplore(now, 3, FOLLOWS), {w: 5.6, class: 2});
  assert.deepEqual(fromExplore(now, 3, {w: false, class: true}), {class: 2});
  assert.deepEqual(fromExplore({w: -1, class: 'all'}, 3, FOLLOWS), {w: 0});
  assert.match(followLine(FOLLOWS, ['A', 'B', 'C']), /^w and class follow Explore; its classes count as A, B, C in turn\.$/);
  assert.match(followLine(OWN, []), /chosen here/);
});

test('points outside of the board are told', () => {
  assert.equal(outside(new Float32Array([0, 1, 3.6, 0, -1, -9]), 3.5), 2);
  assert.equal(boardLine(3.5, 0, 500), 'board from −3.5 to 3.5');
  assert.equal(boardLine(1000, 1, 500), 'board from −1000 to 1000; 1 of 500 lies outside');
  assert.match(componentLabel({name: 'A', index: 1, count: 2, place: [0, -1]}), /^class A, component 2 of 2, at 0, −1; .*Delete removes it$/);
  assert.doesNotMatch(componentLabel({name: 'A', index: 0, count: 1, place: [0, 0]}), /component|Delete/);
});

test('a parameter stands in the link where it is not the default of its rule or sampler, and is taken out with them', () => {
  const scene = {...DEFAULT, rule: 'interval', sampler: 'ddim', log_snr_low: -2, eta: 0};
  const fields = addressFields(scene, {DEFAULT, OFFER}, OWN);
  assert.deepEqual([fields.toy2d_log_snr_low, fields.toy2d_eta], ['-2', null]);
  const plain = addressFields(DEFAULT, {DEFAULT, OFFER}, OWN);
  assert.deepEqual([plain.toy2d_log_snr_low, plain.plane_eta], [null, null]);
});

test('the trajectory is asked for once, and again where its answer is lost; that of an older scene is let go', async () => {
  const replies = [], {server, transport, messages} = connected({
    draw: drawn, trajectory: () => { const each = deferred(); replies.push(each); return each.promise; },
  });
  const path = scene => ({ok: true, scene, half: 3.5, log_snrs: [null], heat: btoa('\0'), score: btoa('\0'), paths: btoa('\0\0')});
  await transport.ask({...DEFAULT});
  const both = [transport.fetchTrajectory(), transport.fetchTrajectory()];
  await settled();
  assert.equal(server.of('trajectory').length, 1);
  replies[0].reject(new Error('cut'));
  await settled();
  assert.equal(messages().at(-1), NO_ANSWER);
  replies[1].resolve(path(DEFAULT));
  assert.deepEqual(await Promise.all(both), [true, true]);
  assert.equal(messages().at(-1), '');
  await transport.ask({...DEFAULT, w: 1});
  const older = transport.fetchTrajectory();
  await transport.ask({...DEFAULT, w: 2});
  await settled();
  replies[2].reject(new Error('cut'));
  assert.equal(await older, false);
  assert.equal(server.of('trajectory').length, 3);
});
