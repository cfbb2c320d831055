// What stands behind a click: conclusions, method, the figures with their intervals as a table, and downloads.

import {all, number, one, text} from '../shared/dom.js';
import {download} from '../shared/download.js';
import {say} from '../shared/language.js';
import {csv, described, drawn, rows} from './figures.js';

/** @typedef {import('./types.js').Conclusion} Conclusion */
/** @typedef {import('./types.js').Curves} Curves */
/** @typedef {import('./types.js').Group} Group */
/** @typedef {import('./types.js').MeasuredCurve} MeasuredCurve */
/** @typedef {import('./types.js').Table} Table */

export class Details {
  /** @type {MeasuredCurve[]} */ #curves = [];
  #name = '';

  /**
   * @param {HTMLElement} lab
   * @param {Curves} found
   * @param {() => void} toggled
   */
  constructor(lab, found, toggled) {
    this.lab = lab;
    this.found = found;
    this.node = one(lab, '.figures', HTMLDetailsElement);
    this.node.addEventListener('toggle', toggled);
    one(lab, '.json', HTMLElement).addEventListener('click', () => {
      this.#save(JSON.stringify({shown: this.#name, curves: this.#curves}, null, 2), 'application/json', 'json');
    });
    one(lab, '.csv', HTMLElement).addEventListener('click', () => this.#save(csv(rows(this.#curves)), 'text/csv', 'csv'));
  }

  /** Whether they are seen. */
  get open() { return this.node.open; }
  set open(open) { this.node.open = open; }

  /** @param {{group: Group | null, other: Group | null, table: Table | null}} shown */
  show({group, other, table}) {
    const {lab} = this, groups = [group, other].filter(each => each !== null);
    this.#curves = [...groups.flatMap(each => each.curves), ...(table ? table.curves.map(curve => ({...curve, source: table.source})) : [])];
    this.#name = [...groups, table].flatMap(each => (each ? [each.name] : [])).join('-');
    one(lab, '.conclusions', HTMLElement).replaceChildren(...(group?.conclusions ?? []).map(conclusionLine));
    one(lab, '.paper', HTMLElement).textContent = table ? say('tradeoff.paper_line', {title: table.title, summary: table.summary, source: table.source}) : '';
    one(lab, '.basis', HTMLElement).textContent = groups.map(each => `${each.basis} ${counts(each)}.`).join(' ');
    for (const button of all(lab, '.downloads button', HTMLButtonElement)) button.disabled = !this.#curves.length;
    this.#list((group ?? other)?.curves[0].metrics ?? this.found.metrics);
  }

  /** The figures as a table. @param {{[name: string]: string}} metrics */
  #list(metrics) {
    const names = Object.keys(metrics), grid = document.createElement('table'), head = document.createElement('tr');
    head.append(...[say('tradeoff.curve'), 'w', 's', ...names.map(metric => metrics[metric])].map(name => Object.assign(text('th', name), {scope: 'col'})));
    const lines = rows(this.#curves).map(row => {
      const line = document.createElement('tr'), w = row.w === 'real' ? [say('tradeoff.real'), ''] : [number(Number(row.w)), number(1 + Number(row.w))];
      const cells = [String(row.curve), ...w, ...names.map(metric => (row[metric] === undefined ? '' : described(row, metric)))];
      line.append(...cells.map(value => text('td', value)));
      return line;
    });
    const top = document.createElement('thead'), body = document.createElement('tbody');
    top.append(head);
    body.append(...lines);
    grid.append(text('caption', say('tradeoff.caption')), top, body);
    one(this.lab, '.table', HTMLElement).replaceChildren(grid);
  }

  /** @param {string} content @param {string} type @param {string} ending */
  #save(content, type, ending) {
    download(`guidance-lab-${this.#name}.${ending}`, type, content);
  }
}

/** @param {Conclusion} conclusion */
function conclusionLine({text: sentence, holds, verdict}) {
  const line = text('li', `${sentence}: `);
  line.append(text('b', verdict), '.');
  line.className = holds === null ? '' : holds ? 'holds' : 'fails';
  return line;
}

/** How many samples the curves of a group are of. @param {Group} group */
const counts = ({curves}) => [...new Set(curves.map(({record}) => drawn(record)))].join('; ');
