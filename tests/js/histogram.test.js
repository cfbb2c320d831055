// The drawing of a class's answers.

import './english.js';

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {binned, histogram} from '../../assets/room/histogram.js';

const W = {kind: 'number', low: 0, high: 8, bins: 16, of: 'w'};
const count = (text, part) => text.split(part).length - 1;

test('numbers are counted in equal parts of their range, those outside in the first and the last', () => {
  assert.deepEqual(binned([0, 0.49, 0.5, 8, 9, -3], 0, 8, 16), [3, 1, ...Array(13).fill(0), 2]);
});

test('over w there is a bar for each part that has answers, and a line at what is right once it is revealed', () => {
  const drawn = histogram([0.3, 0.4, 3, 'three', null, NaN], W);
  assert.equal(count(drawn, 'class="bar"'), 2);
  assert.ok(drawn.includes('3 answers over w from 0 to 8, median 0.4'));
  assert.equal(count(drawn, 'right-line'), 0);
  const revealed = histogram([0.3], {...W, right: 4});
  assert.ok(revealed.includes('class="right-line" x1="240" x2="240"'));
  assert.ok(revealed.includes('>w = 4<'));
});

test('choices keep their order, and the right one is marked', () => {
  const drawn = histogram(['b', 'b', 'a', 'z'], {kind: 'choice', choices: {a: 'Left', b: 'Right'}, right: 'b'});
  assert.ok(drawn.includes('aria-label="Left: 1; Right: 2"'));
  assert.equal(count(drawn, 'class="bar right"'), 1);
});

test('points are dots at their place of the picture; what is no point of it is left out', () => {
  const drawn = histogram([{x: 0.25, y: 0.5}, {x: 2, y: 0}, {x: 'a', y: 0}, 4], {kind: 'point'});
  assert.equal(count(drawn, '<circle'), 1);
  assert.ok(drawn.includes('cx="25" cy="50"'));
});

test('without answers there is still a drawing', () => {
  for (const scale of [W, {kind: 'choice', choices: {a: 'A'}}, {kind: 'point'}]) {
    const drawn = histogram([], scale);
    assert.ok(drawn.startsWith('<svg') && drawn.endsWith('</svg>'));
    assert.ok(!drawn.includes('NaN'));
  }
});

test('titles cannot carry markup', () => {
  const drawn = histogram([], {kind: 'choice', choices: {a: '<img src=x onerror=alert(1)>"'}});
  assert.ok(!drawn.includes('<img'));
  assert.ok(drawn.includes('&lt;img'));
});
