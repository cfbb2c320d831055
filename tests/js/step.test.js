// Inside a step: what is made of the parts, what is held, asked for and said.

import './english.js';

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {addressFields, keptPlace, linkOf, otherFields} from '../../assets/step/address.js';
import {byte} from '../../assets/step/canvas.js';
import {difference, extrapolated, norm, peak, predicted, roundUp} from '../../assets/step/predictions.js';
import {Store, decoded} from '../../assets/step/store.js';
import {Transport} from '../../assets/step/transport.js';
import {chartLabel, figure, progressSentence, stepSentence} from '../../assets/step/wording.js';
import {NO_ANSWER} from '../../assets/shared/server.js';

const packed = (...values) => btoa(String.fromCharCode(...new Uint8Array(new Float32Array(values).buffer)));
const near = (found, expected) => [...found].forEach((value, i) => assert.ok(Math.abs(value - expected[i]) < 1e-6, `${value} is not ${expected[i]}`));

/** Two samples of one pixel at three steps, a step a chunk. */
const FOUND = {
  request: {model: 'a1', class: 0, w: 3, seed: 7, samples: 2, sampler: 'ddim', steps: 3, rule: 'cfg'}, class: 'cat', rule: 'CFG',
  formula: '', linear: true, sampler: 'DDIM', shape: [1, 1, 1], log_snrs: [-4, 0, 4], acts: [true, true, false], interval: null,
  norms: {x: packed(5, 6, 3, 2, 1, 0), eps: packed(1, 2, 3, 4, 5, 6)}, samples: btoa('\x00\xff'), chunk: 1,
  place: {sample: 2, step: 2, w: 3, view: 'x'}, notice: '',
};

function opened(changes = {}) {
  const store = new Store();
  store.adopt({...FOUND, ...changes, place: {...FOUND.place, ...changes.place}});
  return store;
}

test('x̂ and ε̂ follow from z and v, and eq. 6 from both', () => {
  const z = new Float32Array([0.5]), v = new Float32Array([-0.2]), half = Math.SQRT1_2;
  near(predicted(z, v, 0, 'x'), [half * 0.7]);
  near(predicted(z, v, 0, 'eps'), [half * 0.3]);
  const c = new Float32Array([0.5, -1]), u = new Float32Array([0.25, 1]);
  near(extrapolated(c, u, 0), c);
  near(extrapolated(c, u, -1), u);
  near(extrapolated(c, u, 2), [1, -5]);
  assert.equal(norm(new Float32Array([3, -4])), 5);
  near(difference(c, u), [0.25, -2]);
  assert.equal(peak(difference(c, u)), 2);
});

test('a byte is clipped and rounded, a scale ends at a round figure', () => {
  assert.deepEqual([-3, -1, 0, 0.5, 1, 9].map(byte), [0, 0, 128, 191, 255, 255]);
  assert.deepEqual([0, 0.003, 0.13, 0.2, 0.21, 0.7, 3].map(roundUp), [1, 0.005, 0.2, 0.2, 0.5, 1, 5]);
});

test('the place has its norms; the parts of its chunk, then of its neighbours, are missing', () => {
  const store = opened();
  assert.deepEqual(store.norms(2, 'x'), [6, 2, 0]);
  assert.deepEqual(store.norms(1, 'eps'), [1, 3, 5]);
  assert.deepEqual([store.samples, store.logSnr, store.stepAt(-3), store.stepAt(1.9), store.stepAt(90)], [2, 0, 1, 2, 3]);
  assert.equal(store.shown(), null);
  const asked = [];
  for (let next = store.missing(); next; next = store.missing()) {
    asked.push([next.sample, next.chunk]);
    store.keep(next, packed(1, 2, 3));
  }
  assert.deepEqual(asked, [[2, 1], [2, 2], [2, 0]]);
  store.place = {...store.place, sample: 1};
  assert.deepEqual(store.missing(), {sample: 1, chunk: 1});
});

test('w moves the guided prediction where it acts, and nothing else', () => {
  const store = opened();
  store.keep({sample: 2, chunk: 1}, packed(0.5, 0.25, -0.5));
  const at3 = store.shown();
  store.place = {...store.place, w: 0};
  const at0 = store.shown();
  near(at3.guided, [at3.conditional[0] + 3 * at3.difference[0]]);
  assert.deepEqual([at0.guided, at0.conditional], [at3.conditional, at3.conditional]);
  store.place = {...store.place, step: 3, w: 5};
  store.keep({sample: 2, chunk: 2}, packed(0.5, 0.25, -0.5));
  const outside = store.shown();
  assert.deepEqual(outside.guided, outside.conditional);
  assert.equal(store.uncombined, false);
});

test('where the rule is not linear the server’s prediction is shown, with the w that it was combined at', () => {
  const store = opened({linear: false});
  store.keep({sample: 2, chunk: 1}, packed(0.5, 0.25, -0.5));
  assert.deepEqual([store.uncombined, store.shown().guided], [true, null]);
  store.combined = decoded({sample: 2, step: 2, w: 3}, {x: packed(0.75), eps: packed(-1)});
  assert.deepEqual([store.uncombined, [...store.shown().guided], store.shown().w], [false, [0.75], 3]);
  store.place = {...store.place, w: 4, view: 'eps'};
  assert.deepEqual([store.uncombined, [...store.shown().guided], store.shown().w], [true, [-1], 3]);
  store.place = {...store.place, step: 1};
  assert.equal(store.shown(), null, 'its parts are not here');
  store.keep({sample: 2, chunk: 0}, packed(0.5, 0.25, -0.5));
  assert.equal(store.shown().guided, null, 'another step’s is not shown');
});

test('only so many chunks are held', () => {
  const store = opened();
  for (let chunk = 0; chunk < 80; chunk++) store.keep({sample: 1, chunk}, packed(1, 2, 3));
  store.place = {...store.place, sample: 1, step: 1};
  assert.deepEqual(store.missing(), {sample: 1, chunk: 0});
});

test('what waits, is busy or gives no answer is asked again; a refusal and what is no longer wanted are not', async () => {
  const answers = [{ok: true, waiting: true, evaluations: 1, total: 3, ahead: 0}, null, {ok: false, busy: true, error: 'full'}, {ok: true, parts: 'p'}];
  const log = [], events = {message: sentence => log.push(sentence), progress: ({evaluations}) => log.push(evaluations)};
  const transport = new Transport({parts: async () => answers.shift()}, events, {wait: async () => {}});
  assert.deepEqual(await transport.ask('parts', {}, () => true), {ok: true, parts: 'p'});
  assert.deepEqual(log, [1, NO_ANSWER, 'full', '']);
  const refusing = new Transport({parts: async () => ({ok: false, error: 'no'})}, events);
  assert.deepEqual(await refusing.ask('parts', {}, () => true), {ok: false, error: 'no'});
  let wanted = true;
  const late = new Transport({parts: async () => { wanted = false; return {ok: true, parts: 'p'}; }}, events);
  assert.equal(await late.ask('parts', {}, () => wanted), null);
});

test('a link holds the place, and what is usual is left out', () => {
  const place = {sample: 3, step: 5, w: 3, view: 'x'};
  assert.deepEqual(addressFields(place, 3, {}), {sample: 3, step: 5, step_w: null, step_view: null, step_class: null, step_way: null});
  const fields = addressFields({...place, w: 1.5, view: 'eps'}, 0, {class: 4, w: 0});
  const query = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  assert.deepEqual(linkOf(query), {sample: 3, step: 5, step_w: 1.5, step_view: 'eps'});
  assert.deepEqual(otherFields(query), {class: 4, w: 0});
  assert.deepEqual([linkOf({step: 'x', samples: '4'}), otherFields({})], [{step: 'x'}, {}]);
});

test('another request keeps the sample, and the step where the steps are the same', () => {
  const place = {sample: 3, step: 5, w: 1, view: 'eps'}, before = {sampler: 'ddim', steps: 12, samples: 4};
  assert.deepEqual(keptPlace(place, before, {...before, steps: '12'}), {sample: 3, step: 5, step_view: 'eps'});
  assert.deepEqual(keptPlace(place, before, {...before, samples: 1, steps: 9}), {step_view: 'eps'});
});

test('the sentence says what the figures say', () => {
  const shown = {view: 'x', thing: 'Bag', step: 1, logSnrs: [-4, 0, 4, 9], norms: [8, 4, 1, 0.01], acts: true, linear: true, w: 3, moved: 24};
  assert.deepEqual(stepSentence(shown), ['Here the class changes most.',
    'The predictions with Bag and without a class are 8 apart: the most on this way. w = 3 adds 3 times that: 24 beyond x̂(c).']);
  assert.equal(stepSentence({...shown, step: 2})[0], 'Here the class changes much.');
  assert.match(stepSentence({...shown, step: 2})[1], /are 4 apart: 50 % of the most, at λ = −4\.0\./);
  assert.equal(stepSentence({...shown, step: 3, norms: [8, 4, 1.5, 0]})[0], 'Here the class changes a little.');
  assert.match(stepSentence({...shown, step: 4})[1], /less than 1 % of the most/);
  assert.equal(stepSentence({...shown, step: 4})[0], 'Here the class changes hardly anything.');
  assert.equal(stepSentence({...shown, norms: [0, 0, 0, 0]})[0], 'Here the class changes nothing.');
  assert.match(stepSentence({...shown, norms: [0, 0, 0, 0], moved: 0})[1], /without a class are the same\./);
  assert.match(stepSentence({...shown, w: 1, moved: 8})[1], /w = 1 adds as much again: 8 beyond x̂\(c\)\.$/);
  assert.match(stepSentence({...shown, w: 0})[1], /At w = 0 the guided prediction is x̂\(c\)\.$/);
  assert.match(stepSentence({...shown, w: -1, view: 'eps'})[1], /At w = −1 the guided prediction is ε̂\(∅\)\.$/);
  assert.match(stepSentence({...shown, w: -0.5, moved: 4})[1], /lies between, 4 from x̂\(c\)\.$/);
  assert.match(stepSentence({...shown, acts: false})[1], /does not guide at this λ/);
  assert.match(stepSentence({...shown, linear: false, moved: 1.234})[1], /moves the prediction by 1\.23 from x̂\(c\)\.$/);
  assert.match(stepSentence({...shown, linear: false, moved: null})[1], /on this way\.$/);
});

test('the chart and the progress in words', () => {
  assert.equal(chartLabel({view: 'eps', samples: 16, sample: 3, logSnrs: [-1, 2], mean: [0.1, 0.4321]}),
    'norm of ε̂(c) − ε̂(∅) over λ, of 16 samples and their mean, sample 3 marked; the mean is largest at λ = 2.0, 0.432');
  assert.equal(progressSentence({evaluations: 4, total: 12, ahead: 0}), 'Drawing the steps: 4 of 12 evaluations.');
  assert.equal(progressSentence({evaluations: 0, total: 12, ahead: 1}), 'Waiting for the steps: 1 is drawn first.');
  assert.deepEqual([8, 0.012345, 1234.5].map(figure), ['8', '0.0123', '1230']);
});
