// What a lesson calls right follows from what the page has measured.

import './english.js';

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {measuredOf} from '../../assets/explore/measured.js';
import {pointOf, sampleAt} from '../../assets/lesson/points.js';
import {figure, findingOf, rankOf, verdict} from '../../assets/lesson/questions.js';
import {scaleOf} from '../../assets/lesson/scales.js';

const plain = words => [{text: words, style: '', link: '', figure: ''}];
const question = (kind, marks = []) => ({kind, text: plain('?'), options: marks.map(mark => ({text: plain(`it ${mark}`), mark}))});
const measured = {
  sure: [0.894, 0.996], differ: [12.04, 8.8], pictures: 4, columns: 2, changes: [3, 9, 1, 5], measured: [0, 0.3, 0.4, 0.5, 1],
  lowest: {w: 0.4, fid: 0.335}, most: 0.5, distance: 0.4, baseline: 0.05,
};

test('what is measured decides which answer is right, in the digits that are shown', () => {
  assert.deepEqual(['choose sure', 'choose differ', 'choose acts', 'choose distance'].map(kind => findingOf(kind, measured)),
    ['rises', 'falls', 'middle', 'misses']);
  assert.equal(findingOf('choose sure', {sure: [0.891, 0.894]}), 'stays');
  assert.equal(findingOf('choose distance', {distance: 0.09, baseline: 0.05}), 'follows');
  assert.equal(findingOf('choose differ', {}), null);
  const asked = question('choose differ', ['rises', 'stays', 'falls']);
  assert.deepEqual(['0', '1', '2'].map(answer => verdict(asked, answer, measured).right), [false, false, true]);
  assert.equal(verdict(asked, '2', {}).right, null);
  assert.equal(verdict(question('choose', ['', 'x']), '1', {}).right, true);
});

test('w is right next to the lowest FID, and a matter of taste where the pictures look best', () => {
  const right = w => verdict(question('lowest fid'), w, measured).right;
  assert.deepEqual([0.2, 0.3, 0.4, 0.5, 0.55].map(right), [false, true, true, true, false]);
  assert.equal(verdict(question('lowest fid'), 1, {lowest: null}).right, null);
  assert.deepEqual(verdict(question('best looking'), 2, measured), {right: null, sentence: 'You set w = 2.'});
});

test('a guess of how many differ may be off by two, a sample must be among the three that change most', () => {
  assert.deepEqual([6, 7, 11, 10].map(count => verdict(question('differ'), count, measured).right), [false, true, false, true]);
  assert.deepEqual([0, 1, 2, 3].map(n => rankOf(measured.changes, n)), [3, 1, 4, 2]);
  const points = n => verdict(question('changes most'), pointOf(n, measured), measured);
  assert.deepEqual(points(1), {right: true, sentence: 'Right. It changes most.'});
  assert.deepEqual(points(2), {right: false, sentence: 'No. By change it is number 4 of 4.'});
  assert.deepEqual([0, 1, 2, 3].map(n => sampleAt(pointOf(n, measured), measured)), [0, 1, 2, 3]);
});

test('figures of a text are those that are measured, or said not to be', () => {
  assert.deepEqual(['lowest w', 'lowest fid', 'sure before', 'differ', 'pictures', 'exact distance'].map(name => figure(name, measured)),
    ['0.4', '0.34', '0.89', '8.8', '4', '0.05']);
  assert.equal(figure('sure', {}), '(not measured here)');
});

test('the drawing of a class’s answers shows what is right only once it is revealed', () => {
  for (const kind of ['choose', 'guided', 'lowest fid', 'differ', 'changes most']) {
    const asked = question(kind, kind === 'choose' ? ['', 'x'] : []);
    assert.equal(scaleOf(asked, measured, false).right, undefined);
    assert.notEqual(scaleOf(asked, measured, true).right, undefined);
  }
  assert.equal(scaleOf(question('best looking'), measured, true).right, undefined);
});

test('Explore measures how much each sample changes, and where its curve is lowest', () => {
  const frame = (pixels, meter) => ({classes: [0], samples: 2, pixels: Uint8Array.from(pixels), meter});
  const curve = {points: [{w: 0, fid: 2, inception: 1}, {w: 1, fid: 1, inception: 2}]};
  const found = measuredOf(frame([10, 20], {fidelity: 0.5, diversity: 2}), frame([10, 50], null), {size: 1, channels: 1, curve});
  assert.deepEqual(found, {pictures: 2, columns: 2, changes: [0, 30], measured: [0, 1], lowest: curve.points[1]});
});
