// The types of what travels between a page in a class and cfg_core/ui/room.py.

/** @typedef {import('../explore/types.js').PlainRequest} PlainRequest */
/** @typedef {import('../explore/types.js').PollReply} PollReply */
/** @typedef {import('../explore/types.js').WireFrame} WireFrame */

/** A small JSON value: a number, the name of a choice, a point of a picture as {x, y} from 0 to 1. @typedef {unknown} Answer */

/** @typedef {'open' | 'shown' | 'revealed'} Phase */
/** @typedef {{following: number, exploring: number}} Counts */

/** What the teacher's page shows. @typedef {{address: string, blank: boolean, question: string, phase: Phase}} RoomState */

/**
 * An event of a member's stream. instance: of the server's process. A state has ``at``, pictures have ``key``.
 *
 * @typedef {{instance: string, at: string, pictures: string, answers: Answer[] | null} & RoomState} StateEvent
 * @typedef {PollReply & {key: string, scene: string, number: number, reference: PlainRequest}} PicturesEvent
 */

/** An event of the teacher's stream. @typedef {{instance: string, counts?: Counts, question?: string, answers?: Record<string, Answer>}} WatchEvent */

/** @typedef {{id: string, code: string, link: string, qr: string, seconds: number, instance: string}} OpenedRoom */

export {};
