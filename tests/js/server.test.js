// A call whose answer is lost is made again, after waits that grow up to a bound.

import './english.js';

import assert from 'node:assert/strict';
import {test} from 'node:test';

import {FIRST_WAIT, LONGEST_WAIT, NO_ANSWER, answered} from '../../assets/shared/server.js';

/** What was said and waited for while these answers came, one a call; a function is called, an error thrown. */
async function asked(answers, options = {}) {
  const said = [], waits = [];
  let calls = 0;
  const answer = await answered(async () => {
    const next = answers[calls++];
    if (next instanceof Error) throw next;
    return next;
  }, {message: sentence => { said.push(sentence); }, wait: async milliseconds => { waits.push(milliseconds); }, ...options});
  return {answer, said, waits, calls};
}

const CUT = new Error('the connection was cut');

test('an answer at once is neither waited for nor spoken of', async () => {
  assert.deepEqual(await asked([{ok: true}]), {answer: {ok: true}, said: [], waits: [], calls: 1});
});

test('a cut connection and an answer without content are a sentence, and asked again until there is an answer', async () => {
  const {answer, said, calls} = await asked([CUT, null, undefined, 7]);
  assert.equal(answer, 7);
  assert.equal(calls, 4);
  assert.deepEqual(said, [NO_ANSWER, NO_ANSWER, NO_ANSWER, '']);
});

test('the waits double up to a bound', async () => {
  const {waits} = await asked([...Array.from({length: 8}, () => CUT), 1]);
  assert.deepEqual(waits.slice(0, 4), [1, 2, 4, 8].map(times => times * FIRST_WAIT));
  assert.ok(waits.every(wait => wait <= LONGEST_WAIT));
  assert.equal(waits.at(-1), LONGEST_WAIT);
});

test('where the server puts a call off its own sentence is shown', async () => {
  const later = answer => (answer.full ? 'The lab is full' : '');
  assert.deepEqual((await asked([{full: true}, CUT, {full: false}], {later})).said, ['The lab is full', NO_ANSWER, '']);
});

test('what is not wanted any more is not asked for again, and nothing is said of it', async () => {
  let left = 2;
  const {answer, said, calls} = await asked([CUT, CUT, CUT], {wanted: () => left-- > 0});
  assert.deepEqual({answer, said, calls}, {answer: null, said: [NO_ANSWER], calls: 1});
  assert.equal((await asked([1], {wanted: () => false})).calls, 0);
});
