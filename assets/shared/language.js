// The page's own words, from the catalogue of assets/languages that came with the document (cfg_core/ui/languages.py).

/** @typedef {Record<string, string | number>} Values */

const PLACE = /\[([a-z][a-z0-9_.]*)\]/g;

/** The element that carries them; none in tests. */
const carrier = typeof document === 'undefined' ? null : document.getElementById('words');

/** @type {Record<string, string>} */
let words = JSON.parse(carrier?.textContent ?? '{}');

/** Speak by another catalogue from now on. @param {Record<string, string>} catalogue */
export function speak(catalogue) {
  words = catalogue;
  matched = null;
}

/** The language of the page, two letters. */
export const language = () => carrier?.lang ?? 'en';

/** Whether the catalogue has words of this key. @param {string} key */
export const has = key => key in words;

/**
 * The words of a key, with values in the place of their names in braces.
 *
 * @param {string} key
 * @param {Values} [values]
 */
export const say = (key, values = {}) => (words[key] ?? key).replace(/\{(\w+)\}/g, (place, name) => String(values[name] ?? place));

/**
 * The words of a key, or what the server calls it where the catalogue has none.
 *
 * @param {string} key
 * @param {string} otherwise
 */
export const sayOr = (key, otherwise) => (has(key) ? say(key) : otherwise);

/**
 * What the server says in English, in the language of the page: its catalogue has the English itself for a key, word for
 * word, or with names in braces where values stand. What it does not have stays.
 *
 * @param {string} said
 * @returns {string}
 */
export function inWords(said) {
  if (Object.hasOwn(words, said)) return words[said];
  for (const [sentence, pattern] of patterns()) {
    const found = pattern.exec(said)?.groups;
    if (found) return say(sentence, Object.fromEntries(Object.entries(found).map(([name, value]) => [name, inWords(value)])));
  }
  return said;
}

/** Sentences of the server with values in them, as patterns. @type {[string, RegExp][] | null} */
let matched = null;

function patterns() {
  matched ??= Object.keys(words).filter(key => / .*\{|\{.* /.test(key)).map(key => {
    const parts = key.split(/\{(\w+)\}/).map((part, i) => (i % 2 ? `(?<${part}>.+?)` : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
    return [key, new RegExp(`^${parts.join('')}$`)];
  });
  return matched;
}

/** Titles by name, each in the language of the page. @param {Record<string, string>} titles */
export const titlesInWords = titles => Object.fromEntries(Object.entries(titles).map(([name, title]) => [name, inWords(title)]));

/**
 * Put words in the place of keys in brackets, in the texts and attributes below a node.
 *
 * @param {ParentNode} root
 */
export function translate(root) {
  for (const node of root.querySelectorAll('*')) {
    if (node instanceof HTMLTemplateElement) translate(node.content);
    for (const attribute of node.attributes) attribute.value = attribute.value.replace(PLACE, (_, key) => say(key));
    for (const child of node.childNodes) {
      if (child instanceof Text) child.data = child.data.replace(PLACE, (_, key) => say(key));
    }
  }
}
