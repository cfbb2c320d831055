// The state of Explore: what is asked for, what is held, what is nearest; and the parameters that a request carries.

import './english.js';

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {FIELDS, addressFields} from '../../assets/explore/parameters.js';
import {Store, sceneOf} from '../../assets/explore/store.js';
import {parameterNames, parametersOf, sameParameters, withOwnParameters} from '../../assets/shared/parameters.js';
import {MODEL, REQUEST, answer, frame} from './fakes.js';

const store = (fields = {}) => new Store(MODEL, {...REQUEST, ...fields});

test('of another w the frames are kept, of another scene they are not', () => {
  const s = store();
  s.keep([frame(2, 3, 12)]);
  assert.equal(s.change({w: 5}), false);
  assert.equal(s.held.size, 1);
  assert.equal(s.change({class: 1}), true);
  assert.equal(s.held.size, 0);
  assert.equal(s.missing, null);
});

test('each request has a revision, so that what was fetched for an older one is let go', () => {
  const s = store(), before = s.revision;
  s.change({w: 1});
  s.moveThumb(2.2);
  assert.equal(s.revision, before + 2);
});

test('a frame without pixels repeats those that are held; an older frame changes nothing', () => {
  const s = store();
  s.keep([frame(2, 3, 5)]);
  s.keep([frame(2, 3, 6, {pixels: null})]);
  assert.deepEqual([...s.held.get(2).pixels], [5]);
  s.keep([frame(2, 3, 3)]);
  assert.equal(s.held.get(2).evaluations, 6);
  s.keep([frame(2, 3, 12)]);
  s.keep([frame(2, 3, 4)]);
  assert.equal(s.held.get(2).done, true);
});

test('what is not finished and no longer asked for is let go', () => {
  const s = store();
  s.keep([frame(1, 0, 12), frame(2, 3, 4)]);
  s.receive(answer({...REQUEST, w: 4}, 1, {frames: [frame(1, 0, 12), frame(3, 4, 1)]}));
  assert.deepEqual([...s.held.keys()], [1]);
});

test('the nearest finished grid is shown under the thumb, and no other w than 0 in the first pane', () => {
  const s = store();
  s.keep([frame(1, 0, 12), frame(2, 3, 12), frame(3, 6, 12), frame(4, 4, 7)]);
  s.moveThumb(4.2);
  assert.equal(s.nearest(1).w, 3);
  s.moveThumb(5.1);
  assert.equal(s.nearest(1).w, 6);
  assert.equal(s.nearest(0).w, 0);
  s.held.delete(1);
  assert.equal(s.nearest(0), null);
});

test('what was drawn here goes before what was precomputed', () => {
  const s = store();
  s.keep([frame(1, 3, 12, {precomputed: true}), frame(2, 3, 12)]);
  assert.equal(s.nearest(1).serial, 2);
});

test('a failed grid is finished but never shown', () => {
  const s = store();
  s.keep([frame(1, 0, 12, {error: 'out of memory', done: true})]);
  assert.equal(s.nearest(0), null);
});

test('the thumb asks for rungs while it moves; where there is no strip, for its own w', () => {
  const s = store();
  s.moveThumb(4.4);
  assert.equal(s.request.w, 4);
  assert.equal(s.thumb, 4.4);
  s.moveThumb(-0.4);
  assert.equal(s.request.w, 0, 'rungs below 0 only where the slider begins there');
  s.below = true;
  s.moveThumb(-0.4);
  assert.equal(s.request.w, -0.5);
  s.change({samples: 100});
  s.moveThumb(4.4);
  assert.equal(s.request.w, 4.4);
});

test('a thumb rests at its own w, with a remote GPU at a rung', () => {
  const s = store();
  assert.equal(s.restAt(4.4), 4.4);
  s.model = {...MODEL, remote: true};
  assert.equal(s.restAt(4.4), 4);
});

test('it is satisfied by both grids of what is asked for, as the server wrote it', () => {
  const s = store(), sent = s.request, reply = answer(sent, 12);
  assert.equal(s.satisfied, false);
  s.keep(reply.frames);
  s.accept(sent, reply);
  s.receive(reply);
  assert.equal(s.satisfied, true);
  s.change({w: 5});
  assert.equal(s.satisfied, false);
  s.accept(sent, reply);
  assert.equal(s.request.w, 5, 'an answer to what is no longer asked for does not put it back');
  s.revert();
  assert.equal(s.thumb, 3);
});

test('another model takes the request over and holds nothing of the one before', () => {
  const s = store();
  s.keep([frame(1, 0, 12)]);
  s.accepted = s.request;
  s.adopt({...MODEL, hash: 'b2'}, {...REQUEST, model: 'b2'});
  assert.deepEqual([s.held.size, s.accepted, s.request.model], [0, null, 'b2']);
});

test('parameters are those of the chosen rule and sampler', () => {
  assert.deepEqual(parametersOf(MODEL, REQUEST), []);
  const names = parametersOf(MODEL, {rule: 'interval', sampler: 'ddim'}).map(each => each.name);
  assert.deepEqual(names, ['log_snr_low', 'eta']);
  assert.deepEqual(parameterNames(MODEL), ['log_snr_low', 'eta']);
  const before = {...MODEL, rules: [{name: 'cfg'}], samplers: [{name: 'ddim'}]};
  assert.deepEqual(parametersOf(before, {rule: 'cfg', sampler: 'ddim'}), [], 'a server that declares none');
});

test('a parameter is a flat field of the request and part of the scene, dropped with its rule or sampler', () => {
  const s = store();
  s.change({rule: 'interval', sampler: 'ddim', steps: 32});
  const plain = sceneOf(s.request);
  s.change({log_snr_low: -2, eta: 0.5});
  assert.deepEqual([s.request.log_snr_low, s.request.eta], [-2, 0.5]);
  assert.notEqual(sceneOf(s.request), plain);
  s.change({w: 1});
  assert.equal(s.request.log_snr_low, -2);
  s.change({sampler: 'dpmpp_2m', steps: 12});
  assert.equal('eta' in s.request, false);
  assert.equal(s.request.log_snr_low, -2);
  s.change({rule: 'cfg'});
  assert.deepEqual(s.request, {...REQUEST, w: 1});
});

test('a field that no rule knows is not sent', () => {
  assert.deepEqual(withOwnParameters(FIELDS, MODEL, {...REQUEST, surprise: 1, log_snr_low: 2}), REQUEST);
});

test('a curve is of a request whose parameters are its own; what the request does not say is', () => {
  assert.equal(sameParameters({eta: 0.5}, {eta: '0.5'}), true);
  assert.equal(sameParameters({eta: 0.5}, {}), true);
  assert.equal(sameParameters({eta: 0.5}, {eta: 0}), false);
  assert.equal(sameParameters(undefined, {eta: 0}), true);
});

test('in the address stands what the server wrote; a parameter that is gone is taken out', () => {
  assert.deepEqual(addressFields(MODEL, '?rule=interval&log_snr_low=-2'), {rule: 'interval', log_snr_low: '-2', eta: null});
});

test('about how long it still takes follows from what is done', () => {
  const s = store();
  assert.equal(s.secondsLeft, null);
  s.askedAt = performance.now() - 3000;
  s.keep([frame(1, 0, 6), frame(2, 3, 3)]);
  s.displayed = [1, 2];
  assert.ok(Math.abs(s.secondsLeft - 5) < 0.5);
});

test('the last finished request can be gone back to', () => {
  const s = store();
  s.finish();
  s.change({steps: 1000});
  s.change(s.finishedRequest);
  assert.equal(s.request.steps, 12);
});
