// What cfg_core/lessons/lesson.py sends of a lesson, and what the page measures.

/** @typedef {{text: string, style: string, link: string, figure: string}} Span */
/** @typedef {{text: Span[], mark: string}} Option */
/** @typedef {{kind: string, text: Span[], options: Option[]}} Question */

/** address: the query that sets the page; then_address: that of the reveal, '' to stay. */
/** @typedef {{title: string, address: string, words: Span[], question: Question | null, reveal: Span[], then_address: string}} Step */
/** @typedef {{title: string, steps: Step[]}} Lesson */

/** Lessons by their names and languages. @typedef {Record<string, Record<string, Lesson>>} Library */

/** An option's number as text, a side, a w, a count, or the place of a sample in the picture. @typedef {number | string | {x: number, y: number}} Answer */

/**
 * What the tabs have measured. sure, differ: of the left and the right grid. changes: of each sample, from the left grid to
 * the right; columns: of the samples; picture: the right grid. lowest: where the measured curve has its lowest FID; measured: its w. most: where on the way from noise to
 * clean, 0 to 1, the class changes the prediction most. distance, baseline: of the samples of the 2-D lab and of exact draws.
 *
 * @typedef {{
 *   sure?: [left: number, right: number], differ?: [left: number, right: number], pictures?: number, columns?: number, picture?: HTMLCanvasElement, changes?: number[],
 *   lowest?: {w: number, fid: number} | null, measured?: number[], most?: number, distance?: number, baseline?: number,
 * }} Measured
 */

export {};
