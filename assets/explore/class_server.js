// The server functions of Explore on a page that may follow a class: while it does, its pictures are those of the class,
// which are drawn once for all, and it holds no session of its own.

/** @typedef {import('./types.js').ExploreServer} ExploreServer */

/**
 * @param {ExploreServer} server
 * @param {Pick<import('../room/room.js').room, 'following' | 'pictures'>} room
 * @returns {ExploreServer}
 */
export function inClass(server, room) {
  return {
    open_session: async ask => {
      if (!room.following) return server.open_session(ask);
      const described = await server.describe_model(ask);
      return described?.ok ? {...described, token: ''} : described;
    },
    poll: ask => (room.following ? room.pictures(ask) : server.poll(ask)),
    describe_model: ask => server.describe_model(ask),
    rail: ask => server.rail(ask),
    trajectory: ask => server.trajectory(ask),
    pause_session: ask => server.pause_session(ask),
    close_session: ask => server.close_session(ask),
    save: ask => server.save(ask),
  };
}
