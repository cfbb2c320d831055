// The model as the server describes it, in the language of the page. No DOM.

import {inWords, titlesInWords} from '../shared/language.js';
import {offerInWords} from '../shared/parameters.js';

/** @typedef {import('./types.js').ModelDescription} ModelDescription */

/** @param {ModelDescription} model @returns {ModelDescription} */
export const modelInWords = model => ({
  ...offerInWords(model), about: inWords(model.about), curve: model.curve && {...model.curve, metrics: titlesInWords(model.curve.metrics)},
});
