// The scripts under test speak by the English catalogue, as on a page in English.

import {readFileSync} from 'node:fs';

import {speak} from '../../assets/shared/language.js';

speak(JSON.parse(readFileSync(new URL('../../assets/languages/en.json', import.meta.url), 'utf8')));
