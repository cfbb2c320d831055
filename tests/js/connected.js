// A transport of Explore over a made-up server, for the tests of both.

import {Store} from '../../assets/explore/store.js';
import {Transport} from '../../assets/explore/transport.js';
import {MODEL, REQUEST, fakeServer} from './fakes.js';

/** A transport over a made-up server, and what it told the page. */
export function connected(functions, {model = MODEL, wait = async () => {}, repeat = () => {}, hidden} = {}) {
  const server = fakeServer(functions), store = new Store(model, {...REQUEST}), log = [];
  const event = name => argument => { log.push(argument === undefined ? name : [name, argument]); };
  const events = Object.fromEntries(['received', 'message', 'refused', 'gaveUp', 'drawRemotely', 'replaced'].map(name => [name, event(name)]));
  const transport = new Transport(server, store, events, 'mine', {wait, repeat, hidden});
  const messages = () => log.filter(each => each[0] === 'message').map(each => each[1]);
  return {server, store, transport, log, messages};
}
