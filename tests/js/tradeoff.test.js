// The plain sentence of the Trade-off tab follows from the figures, and curves stand under the names of their models.

import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';

import './english.js';
import {groupsOf, measuredModels, strengthOf, titleOf, whose} from '../../assets/tradeoff/selection.js';
import {notMeasured, plainSentence} from '../../assets/tradeoff/wording.js';

/** Results over w, each figure ± 0.01. */
const curve = (title, fids, {sure = [0.8, 0.99], recall = [0.9, 0.5], width = 0.01} = {}) => {
  const last = fids.length - 1, along = ([from, to], i) => from + (to - from) * i / last;
  const figures = (fid, i) => ({fid, p_correct: along(sure, i), recall: along(recall, i)});
  const interval = ([name, value]) => [[name, value], [`${name}_low`, value - width], [`${name}_high`, value + width]];
  return {title, record: {results: fids.map((fid, w) => ({w, ...Object.fromEntries(Object.entries(figures(fid, w)).flatMap(interval))}))}};
};
const said = (...curves) => plainSentence(curves).filter(Boolean).join(' ');

test('a dip is named at its w, and what becomes of pictures beyond', () => {
  assert.equal(said(curve('', [2, 1, 3, 4])), 'Pictures get closest to the data at w = 1. Beyond, they become surer of their class and less varied.');
  assert.match(said(curve('', [2, 1, 1.005, 4])), /^Pictures get closest to the data at about w = 1\./);
});

test('no dip is claimed where there is none', () => {
  assert.match(said(curve('', [1, 2, 3])), /^Pictures are closest to the data without guidance, at w = 0\. Beyond/);
  assert.match(said(curve('', [3, 2, 1])), /^Pictures get closer to the data up to w = 2, the largest measured\. On the way they become surer/);
  assert.equal(said(curve('', [1, 1.001, 1.002])), 'How close pictures get to the data does not depend on w here.');
});

test('what does not change, or falls, is not said to rise', () => {
  assert.equal(said(curve('', [2, 1, 3], {sure: [0.8, 0.8], recall: [0.5, 0.5]})), 'Pictures get closest to the data at w = 1.');
  assert.match(said(curve('', [2, 1, 3], {sure: [0.9, 0.5], recall: [0.5, 0.9]})), /less sure of their class and more varied\.$/);
});

test('several curves are said to differ where their intervals are apart', () => {
  assert.match(said(curve('T = 8', [3, 2, 4]), curve('T = 16', [2, 1, 3])), /^T = 16 gets closest to the data, at w = 1\. T = 8 stays further away\. Beyond, both become/);
  assert.match(said(curve('a', [3, 1, 4]), curve('b', [2, 3, 1.005])), /^Both get about as close to the data as each other, at w = 1 to 2\./);
  const three = said(curve('a', [3, 1, 4]), curve('b', [2, 1, 3]), curve('c', [5, 4, 6], {sure: [0.9, 0.9]}));
  assert.match(three, /^a and b get closest to the data, at w = 1\. c stays further away\. Beyond, all become less varied\.$/);
});

test('the shipped curve dips where its file says', () => {
  const record = JSON.parse(readFileSync(new URL('../../assets/curves/fashion-mnist.json', import.meta.url), 'utf-8'));
  const {w} = record.results.reduce((a, b) => (b.fid < a.fid ? b : a));
  assert.ok(said({title: 'CFG', record}).includes(` w = ${w}.`));
});

const group = (name, hashes, main = 'a.json', data = 'cloth') => (
  {name, title: name, data, main, curves: hashes.map(hash => ({title: '', hash, model: `runs/${hash}`}))});
const FOUND = {
  models: [{hash: 'big', title: 'Clothes'}, {hash: 'cars', title: 'Cars'}, {hash: 'new', title: 'New'}],
  groups: [
    group('strength', ['big']), group('p', ['s1', 's2'], null), group('steps', ['s1', 's1'], null), group('strength-s1', ['s1']),
    group('strength-cars', ['cars'], 'b.json', 'cars'),
  ],
};

test('a model has its own groups, then comparisons of others on its data under their names', () => {
  const labels = model => groupsOf(FOUND, model).map(({label}) => label);
  assert.deepEqual(labels('big'), ['strength', 'p, of 2 models', 'steps, of s1']);
  assert.deepEqual(labels('s1'), ['strength-s1', 'p', 'steps']);
  assert.deepEqual(labels('cars'), ['strength-cars']);
});

test('models with curves are named as the page names them, or as their files do', () => {
  assert.deepEqual(measuredModels(FOUND).map(({title}) => title), ['Clothes', 'Cars', 's1']);
  assert.deepEqual([titleOf(FOUND, 's2'), titleOf(FOUND, 'gone'), whose(FOUND, FOUND.groups[1])], ['s2', 'gone', '2 models']);
  assert.equal(strengthOf(FOUND, 's1')?.name, 'strength-s1');
  assert.equal(strengthOf(FOUND, 'new'), null);
  assert.equal(notMeasured('New', 'Clothes'), 'No curve of New has been measured; these are of Clothes.');
});
