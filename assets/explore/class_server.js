// The server functions of Explore on a page that may follow a class: while it does, its pictures are those of the class,
// which are drawn once for all, and it holds no session of its own.

import {closeSession} from './session.js';

/** @typedef {import('./types.js').ExploreServer} ExploreServer */
/** @typedef {typeof import('../room/room.js').room} Room */

/**
 * @param {ExploreServer} server
 * @param {Pick<Room, 'following' | 'pictures'>} room
 * @returns {ExploreServer}
 */
export function inClass(server, room) {
  return {  // Gradio's object is a Proxy, which can neither be copied nor be inherited from
    open_session: async ask => {
      if (!room.following) return server.open_session(ask);
      const described = await server.describe_model(ask);
      return described?.ok ? {...described, token: ''} : described;
    },
    poll: (ask, anew = false) => (room.following ? room.pictures(ask, anew) : server.poll(ask)),
    describe_model: ask => server.describe_model(ask),
    rail: ask => server.rail(ask),
    real_pictures: ask => server.real_pictures(ask),
    trajectory: ask => server.trajectory(ask),
    pause_session: ask => server.pause_session(ask),
    close_session: ask => server.close_session(ask),
    save: ask => server.save(ask),
  };
}

/**
 * Tell the class what this page shows, and show what the class looks at while the page follows.
 *
 * @param {Room} room
 * @param {import('./store.js').Store} store
 * @param {import('./transport.js').Transport} transport
 */
export function showClass(room, store, transport) {
  room.shows = () => ({request: store.guided, reference: store.reference});
  room.addEventListener('pictures', () => { if (room.following) transport.again(); });
  room.addEventListener('follow', () => {
    if (room.following) {
      closeSession(transport.token);
      transport.token = '';
    }
    if (room.role === 'student') transport.again(true);
  });
}
