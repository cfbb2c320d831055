// A page in a class: its stream, the pictures of the class, its answers.

import './english.js';

import assert from 'node:assert/strict';
import {afterEach, beforeEach, test} from 'node:test';

import {inClass} from '../../assets/explore/class_server.js';
import {Store} from '../../assets/explore/store.js';
import {Transport} from '../../assets/explore/transport.js';
import {SILENCE, Stream} from '../../assets/room/connection.js';
import {ClassPictures} from '../../assets/room/pictures.js';
import {Student} from '../../assets/room/student.js';
import {Teacher} from '../../assets/room/teacher.js';
import {MODEL, REQUEST, fakeServer, frame, settled} from './fakes.js';

const {vs, ...GUIDED} = REQUEST, REFERENCE = {...GUIDED, w: 0};

/** Pictures of the class as the server sends them. */
const pictures = (key, number, fields = {}) => ({
  ok: true, key, scene: 's', number, frames: [frame(1, 0, 12), frame(2, GUIDED.w, 12)], strip: [], reference_strip: [], rungs: 0, missing: 0,
  ahead: 0, queue_position: 0, remote_calls: 0, request: GUIDED, reference: REFERENCE, url: '?w=3', ...fields,
});

/** A reply whose body has these events, and then ends, or never does. */
function reply(events, {ends = true, status = 200} = {}) {
  const body = new ReadableStream({
    start(controller) {
      for (const event of events) controller.enqueue(new TextEncoder().encode(typeof event === 'string' ? event : `data: ${JSON.stringify(event)}\n\n`));
      if (ends) controller.close();
    },
  });
  return new Response(status === 200 ? body : JSON.stringify(events[0]), {status});
}

/** A server that answers each call by the next of the replies to it; the last one again and again. */
let asked = [];
function serve(replies) {
  globalThis.fetch = async (url, {body}) => {
    const call = url.split('/').at(-1);
    asked.push([call, JSON.parse(body)]);
    const list = replies[call] ?? [], next = list.length > 1 ? list.shift() : list[0];
    if (!next) throw new TypeError('no connection');
    return next();
  };
}
const of = call => asked.filter(([name]) => name === call).map(([, body]) => body);
const until = async condition => { while (!condition()) await new Promise(resolve => { setTimeout(resolve, 5); }); };

beforeEach(() => {
  asked = [];
  globalThis.document = {baseURI: 'http://lab/'};
  globalThis.location = {origin: 'http://lab', pathname: '/'};
  const kept = new Map();
  globalThis.sessionStorage = {getItem: key => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: key => kept.delete(key)};
});
afterEach(() => { delete globalThis.document; });

// ---- the stream ----

test('events are read across the borders of what the network delivers, and beats are no events', async () => {
  const got = [], parts = ['data: {"a"', ':1}\n', '\ndata: {"b":2}\n\n:\n', '\n'];
  const stream = new Stream('follow', () => ({}), {event: event => got.push(event), connected: () => {}, refused: () => true}, {
    open: async () => reply(parts), wait: async () => stream.end(),
  });
  await stream.run();
  assert.deepEqual(got, [{a: 1}, {b: 2}]);
});

test('a stream that breaks is opened again, after waits that grow up to a bound', async () => {
  const waits = [], connected = [];
  const stream = new Stream('follow', () => ({}), {event: () => {}, connected: on => connected.push(on), refused: () => true}, {
    open: async () => { throw new TypeError('cut'); }, wait: async pause => { waits.push(pause); if (waits.length === 6) stream.end(); },
  });
  await stream.run();
  assert.deepEqual(waits, [400, 800, 1500, 1500, 1500, 1500]);
  assert.ok(connected.every(on => !on));
});

test('a refusal ends the stream, or is tried again, as the listener says', async () => {
  const seen = [];
  let tries = 0;
  const stream = new Stream('follow', () => ({}), {event: () => {}, connected: () => {}, refused: answer => { seen.push(answer.status); return tries < 2; }}, {
    open: async () => { tries += 1; return reply([{error: 'no', instance: 'i'}], {status: 404}); }, wait: async () => {},
  });
  await stream.run();
  assert.deepEqual(seen, [404, 404]);
});

test('where streams are held back twice, replies are asked for that end after their first news', async context => {
  context.mock.timers.enable({apis: ['setTimeout']});
  const bodies = [];
  const stream = new Stream('follow', once => ({once}), {event: () => stream.end(), connected: () => {}, refused: () => true}, {
    open: async (url, {signal, body}) => {
      bodies.push(JSON.parse(body).once);
      if (bodies.at(-1)) return reply([{at: 'x'}]);
      return new Promise((resolve, reject) => { signal.addEventListener('abort', () => reject(signal.reason)); });
    },
    wait: async () => {},
  });
  const running = stream.run();
  for (let n = 0; n < 2; n++) {
    await settled();
    context.mock.timers.tick(SILENCE);
  }
  await running;
  assert.deepEqual(bodies, [false, false, true]);
});

// ---- the pictures of the class ----

test('pictures are told once they are of the key and the scene that the page shows, and once only', async () => {
  const held = new ClassPictures(), ask = {request: {...GUIDED, seed: '7'}, reference: REFERENCE, seen: {}};
  let told = 0;
  const tell = () => { told += 1; };
  held.key = 'new';
  held.poll(ask).then(tell);
  held.receive(pictures('old', 1));
  await settled();
  assert.equal(told, 0);
  held.receive(pictures('new', 2));
  await settled();
  assert.equal(told, 1);
  held.poll({...ask, seen: {1: 12, 2: 12}}).then(tell);
  await settled();
  assert.equal(told, 1);
});

test('pictures of another scene than the page shows wait until it shows that', async () => {
  const held = new ClassPictures(), other = {request: {...GUIDED, class: 1}, reference: {...REFERENCE, class: 1}, seen: {}};
  held.key = 'k';
  held.receive(pictures('k', 1));
  const first = held.poll(other);
  const second = held.poll({request: GUIDED, reference: REFERENCE, seen: {}});
  assert.deepEqual(await first, {ok: true, superseded: true});
  assert.equal((await second).frames.length, 2);
});

test('what a page has forgotten is told again without the server, and what it holds comes without pixels', async () => {
  const held = new ClassPictures(), ask = {request: GUIDED, reference: REFERENCE};
  held.key = 'k';
  held.receive(pictures('k', 1, {strip: [frame(3, 4, 12)]}));
  await held.poll({...ask, seen: {}});
  const again = await held.poll({...ask, seen: {1: 12}});
  assert.deepEqual(again.frames.map(each => each.pixels === null), [true, false]);
  assert.deepEqual(again.strip.map(each => each.serial), [3]);
  held.receive(pictures('k', 2, {frames: [frame(1, 0, 12, {pixels: null}), frame(2, 3, 12, {pixels: null})]}));
  assert.ok((await held.poll({...ask, seen: {}})).frames.every(each => each.pixels));
});

test('a page that asks once more for what it has been told is told again, and waits only for what is new', async () => {
  const held = new ClassPictures(), server = fakeServer(), store = new Store(MODEL, {...REQUEST});
  const room = {following: true, pictures: (ask, anew) => held.poll(ask, anew)}, events = {received: () => {}, message: () => {}, gaveUp: () => {}};
  const transport = new Transport(inClass(server, room), store, events, '', {repeat: () => {}});
  const {vs: _, ...request} = REQUEST, whole = {request, reference: {...request, w: 0}};
  transport.setVisible(true);
  held.key = 'k';
  held.receive(pictures('k', 1, {...whole, rungs: 2, missing: 2}));
  await settled();
  assert.ok(store.satisfied);
  for (const news of [() => {}, () => held.receive(pictures('k', 2, {...whole, rungs: 2}))]) {
    news();
    store.change({});
    transport.poll();
    await settled();
    assert.ok(store.satisfied);
  }
  assert.deepEqual(server.of('poll'), []);
});

// ---- a student's page ----

const STATE = {instance: 'i', at: 'i.1', address: '?w=3', blank: false, question: 'q', phase: 'open', pictures: '', answers: null};
const EVENTS = {state: () => {}, pictures: () => {}, changed: () => {}, ended: () => {}};

test('an answer is sent until the server has taken it', async () => {
  const yes = () => reply([{kept: true, instance: 'i'}], {status: 201});
  serve({answer: [() => { throw new TypeError('cut'); }, () => reply([{error: 'x'}], {status: 502}), yes]});
  const student = new Student('r', EVENTS);
  assert.equal(await student.answer('q', 3), true);
  assert.equal(of('answer').length, 3);
});

test('an answer that is refused, or not kept, is not sent again', async () => {
  for (const answered of [() => reply([{error: 'too long'}], {status: 400}), () => reply([{kept: false}], {status: 201})]) {
    serve({answer: [answered]});
    assert.equal(await new Student('r', EVENTS).answer('q', 3), false);
  }
  assert.equal(of('answer').length, 2);
});

test('after a restart of the server a page waits for its class and sends its answers again', async () => {
  const yes = () => reply([{kept: true}], {status: 201});
  serve({
    answer: [yes],
    follow: [() => reply([STATE]), () => reply([{error: 'no class', instance: 'j'}], {status: 404}),
      () => reply([{...STATE, instance: 'j', at: 'j.1'}], {ends: false})],
  });
  const student = new Student('r', EVENTS);
  await student.answer('q', 3);
  student.start();
  await until(() => of('answer').length === 3);  // to the first server once more, and to the new one
  assert.equal(student.state.at, 'j.1');
  assert.equal(new Set(of('follow').map(body => body.token)).size, 1);
  student.leave();
});

test('a class that the same server no longer knows is over', async () => {
  let ended = 0;
  serve({follow: [() => reply([STATE]), () => reply([{error: 'no class', instance: 'i'}], {status: 404})]});
  await new Student('r', {...EVENTS, ended: () => { ended += 1; }}).start();
  assert.equal(ended, 1);
});

test('what a page holds is told when its stream is opened again, so that it comes once', async () => {
  serve({follow: [() => reply([STATE, pictures('', 4)]), () => reply([{ended: true}])]});
  const student = new Student('r', EVENTS);
  await student.start();
  assert.deepEqual(of('follow').map(({at, number, seen}) => [at, number, seen]), [['', undefined, undefined], ['i.1', 4, {1: 12, 2: 12}]]);
});

// ---- the teacher's page ----

const OPENED = {id: 'r', code: '12345678', link: '', qr: '', seconds: 7200, instance: 'i'};
const LEADS = {changed: () => {}, answers: () => {}, ended: () => {}};

test('of many changes the first and the newest are told', async () => {
  let address = 0;
  serve({open: [() => reply([OPENED], {status: 201})], watch: [() => reply([':\n\n'], {ends: false})], lead: [() => reply([{ok: true}], {status: 201})]});
  const teacher = new Teacher({...LEADS, shows: () => ({address: String(address), pictures: null})});
  await teacher.start();
  await until(() => of('lead').length);
  for (address = 1; address < 50; address++) teacher.lead();
  await until(() => of('lead').at(-1).address === '50');
  assert.ok(of('lead').length <= 4);
  await teacher.close();
});

test('after a restart of the server the teacher opens the same class again and tells what it shows', async () => {
  serve({
    open: [() => reply([OPENED], {status: 201}), () => reply([{...OPENED, instance: 'j'}], {status: 201})],
    watch: [() => reply([':\n\n'], {ends: false})],
    lead: [() => reply([{error: 'no class', instance: 'j'}], {status: 404}), () => reply([{ok: true}], {status: 201})],
  });
  const teacher = new Teacher({...LEADS, shows: () => ({address: '?w=3', pictures: null})});
  teacher.set({question: 'q'});
  await teacher.start();
  await until(() => of('lead').length >= 2);
  assert.deepEqual(of('open').map(({secret, questions}) => [secret, questions]), Array(2).fill([teacher.secret, ['q']]));
  await teacher.close();
});

test('the answers as a table have no persons, no formula, and no cell that breaks out of its quotes', () => {
  const teacher = new Teacher({...LEADS, shows: () => ({address: '', pictures: null})});
  teacher.answers.set('q "1"', new Map([['tag', 'b"'], ['tog', {x: 1}], ['tig', -0.4], ['tug', '=A1']]));
  assert.equal(teacher.csv, '"question","answer"\r\n"q ""1""","\'=A1"\r\n"q ""1""","-0.4"\r\n"q ""1""","b"""\r\n"q ""1""","{""x"":1}"\r\n');
});
