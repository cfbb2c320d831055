// Texts of a lesson as elements: whatever they hold is shown as text.

import {text} from '../shared/dom.js';
import {figure} from './questions.js';

/** @typedef {import('./types.js').Measured} Measured */
/** @typedef {import('./types.js').Span} Span */

/**
 * @param {Span[]} spans
 * @param {Measured} [measured] the figures that stand in them
 * @returns {Node[]}
 */
export function elements(spans, measured = {}) {
  return spans.map(({text: content, style, link, figure: name}) => {
    if (name) return text('b', figure(name, measured));
    if (/^https?:\/\//.test(link)) return Object.assign(text('a', content), {href: link, target: '_blank', rel: 'noopener noreferrer'});
    return style === 'em' || style === 'strong' ? text(style, content) : document.createTextNode(content);
  });
}
