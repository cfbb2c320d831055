// What this browser tab remembers of a class over a reload; nothing where it may not remember anything.

const KEY = 'guidance-lab-room';

/**
 * @typedef {{role: 'teacher', secret: string, state: import('./types.js').RoomState, questions: string[]}} TeacherRecord
 * @typedef {{role: 'student', id: string, token: string, exploring: boolean, answers: [string, unknown][]}} StudentRecord
 */

/** @returns {TeacherRecord | StudentRecord | null} */
export function remembered() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  } catch {
    return null;
  }
}

/** @param {TeacherRecord | StudentRecord | null} record */
export function remember(record) {
  try {
    if (record) sessionStorage.setItem(KEY, JSON.stringify(record));
    else sessionStorage.removeItem(KEY);
  } catch {
    // it is only as if the page had never been loaded before
  }
}

/** 16 random bytes, as the server takes a secret or a token. */
export function randomToken() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
