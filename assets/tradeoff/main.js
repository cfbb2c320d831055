// The trade-off tab. The left chart is IS against FID; beside it stands precision against recall, or a table of the
// paper. What is drawn, listed and downloaded is one list of curves and their results.

import {readAddress, updateAddress} from '../shared/address.js';
import {all, number, one, text, whenSeen} from '../shared/dom.js';
import {answered} from '../shared/server.js';
import {explored, onExplored} from '../shared/tabs.js';
import {sameParameters} from '../shared/parameters.js';
import {onVisit} from '../shared/visit.js';
import {beyond, curvesOf, dotSentence} from '../shared/wording.js';
import {csv, described, rows} from './figures.js';
import {Panel} from './panel.js';

/** @typedef {import('../explore/types.js').PlainRequest} PlainRequest */
/** @typedef {import('./types.js').Curves} Curves */
/** @typedef {import('./types.js').Group} Group */
/** @typedef {import('./types.js').MeasuredCurve} MeasuredCurve */
/** @typedef {import('./types.js').Table} Table */

const IS = {name: 'inception', title: 'Inception Score'}, FID = {name: 'fid', title: 'FID'};
const PRECISION = {name: 'precision', title: 'precision'}, RECALL = {name: 'recall', title: 'recall'};
const SHOWS = {
  fid: 'To the right, samples are more recognisable (IS); further down, they are closer to the real pictures (FID).',
  precision: 'Up: more of the samples could be real (precision); right: more of the real pictures could be samples (recall). The paper measures neither; it says that guidance trades diversity for fidelity.',
};

/**
 * Gradio calls this once the markup is on the page.
 *
 * @param {HTMLElement} element
 * @param {{read: (ask: object) => Promise<Curves | null>}} server
 */
export function mount(element, server) {
  const lab = one(element, '.tradeoff', HTMLElement);
  whenSeen(lab, () => begin(lab, server));
}

/** @param {HTMLElement} lab @param {{read: (ask: object) => Promise<Curves | null>}} server */
async function begin(lab, server) {
  const message = (/** @type {string} */ sentence) => showProblems(lab, sentence ? [sentence] : []);
  const found = /** @type {Curves} */ (await answered(() => server.read({}), {message}));
  for (const curve of found.groups.flatMap(each => each.curves)) curve.record.results.sort((a, b) => a.w - b.w);
  showProblems(lab, found.problems);
  new TradeOff(lab, found).start();
}

/** @param {HTMLElement} lab @param {string[]} sentences */
function showProblems(lab, sentences) {
  const message = one(lab, '.message', HTMLElement);
  message.replaceChildren(...sentences.map(sentence => text('p', sentence)));
  message.hidden = !sentences.length;
}

class TradeOff {
  /** The two charts. @type {Panel[]} */ #panels = [];

  /**
   * @param {HTMLElement} lab
   * @param {Curves} found
   */
  constructor(lab, found) {
    this.lab = lab;
    this.found = found;
    this.#goTo(readAddress());
  }

  /** @param {Record<string, string>} query */
  #goTo(query) {
    const {groups, tables} = this.found;
    /** The group that is shown, or null where no curve can be. @type {Group | null} */
    this.group = named(groups, query.tradeoff_group) ?? groups[0] ?? null;
    /** The paper's table that stands beside it, or null for precision against recall. @type {Table | null} */
    this.table = named(tables, query.tradeoff_beside) ?? (this.group ? null : tables[0]);
  }

  /** What the address says of this tab. */
  get #fields() {
    const {group, table} = this;
    return {
      tradeoff_group: !group || group === this.found.groups[0] ? null : group.name,
      tradeoff_beside: table?.name ?? null,
    };
  }

  start() {
    const {lab, found, group, table} = this;
    /** @param {{name: string, title: string}} each @returns {[string, string]} */
    const ofGroup = each => [each.name, each.title];
    /** @param {Table} each @returns {[string, string]} */
    const ofTable = each => [each.name, `paper’s ${each.title.split(':')[0]}`];
    /** @type {[string, string][]} */
    const ours = group ? [['', 'precision and recall']] : [];
    choices(one(lab, '.groups', HTMLElement), 'tradeoff_group', found.groups.map(ofGroup), group?.name ?? '', name => {
      this.group = named(found.groups, name);
      this.show();
    });
    choices(one(lab, '.tables', HTMLElement), 'tradeoff_beside', [...ours, ...found.tables.map(ofTable)], table?.name ?? '', name => {
      this.table = named(found.tables, name);
      this.show();
    });
    one(lab, '.json', HTMLElement).addEventListener('click', () => {
      this.#save(JSON.stringify({shown: this.group?.title, curves: this.shown}, null, 2), 'application/json', 'json');
    });
    one(lab, '.csv', HTMLElement).addEventListener('click', () => this.#save(csv(rows(this.shown)), 'text/csv', 'csv'));
    lab.dataset.state = 'open';
    this.show();
    onExplored(now => this.follow(now));
    onVisit(() => this.#fields, query => {
      this.#goTo(query);
      for (const input of all(lab, '.bar input', HTMLInputElement)) {
        input.checked = input.value === ((input.name === 'tradeoff_group' ? this.group : this.table)?.name ?? '');
      }
      this.show();
    });
  }

  /** Our curves, and the paper's where its table stands beside them. */
  get shown() {
    const {group, table} = this;
    return [...(group ? group.curves : []), ...(table ? table.curves.map(curve => ({...curve, source: table.source})) : [])];
  }

  show() {
    const {lab, found, group, table} = this, curves = group?.curves ?? [];
    this.#panels = [
      new Panel(one(lab, '.fid', HTMLElement), found, group ? this.#ours('fid') : {
        title: 'no curve to show', curves: [], x: IS, y: FID, conclusions: [], shows: 'python -m cfg_core evaluate writes such curves.',
      }),
      new Panel(one(lab, '.beside', HTMLElement), found, table ? {
        title: `the paper’s ${table.title}`, curves: table.curves, x: IS, y: FID, conclusions: [],
        shows: `${table.summary} ${table.source}; Inception features: shapes compare with ours, figures do not. The paper has no precision and recall.`,
      } : this.#ours('precision')),
    ];
    const counts = [...new Set(curves.map(({record}) => `${record.samples?.toLocaleString('en')} samples, seed ${record.seed}`))];
    const follows = Object.assign(text('span', ''), {className: 'follows'});
    one(lab, '.basis', HTMLElement).replaceChildren(group ? `${group.basis} ${counts.join('; ')}. ` : '', follows);
    for (const button of all(lab, '.downloads button', HTMLButtonElement)) button.disabled = !this.shown.length;
    this.#list();
    updateAddress(this.#fields);
    const now = explored();
    if (now) this.follow(now);
  }

  /**
   * What a chart of ours shows.
   *
   * @param {'fid' | 'precision'} name
   */
  #ours(name) {
    const {group} = this, curves = group?.curves ?? [], results = curves[0]?.record.results ?? [];
    const [x, y] = name === 'fid' ? [IS, FID] : [RECALL, PRECISION];
    const range = results.length ? `Each point is one w, from ${number(results[0].w)} to ${number(results[results.length - 1].w)}. ` : '';
    return {
      title: this.#title(name), curves, x, y, shows: group ? range + SHOWS[name] : '',
      conclusions: (group?.conclusions ?? []).filter(conclusion => conclusion.chart === name),
    };
  }

  /**
   * Whose curves a chart shows, and of what.
   *
   * @param {'fid' | 'precision'} name
   */
  #title(name) {
    const curves = this.group?.curves.map(({hash = '', model = ''}) => ({hash, model}));
    if (!curves) return '';
    const model = explored()?.model ?? this.found.models[0];
    return `${curvesOf(curves, model)}: ${name === 'fid' ? 'IS against FID' : 'precision against recall'}`;
  }

  /**
   * The dot: what Explore shows, on the curve that was measured with its settings, or else on the main one.
   *
   * @param {PlainRequest} now
   */
  follow(now) {
    const {group, found, table} = this;
    if (!group) return;
    const names = /** @type {const} */ (['rule', 'sampler', 'steps']);
    const settings = group.curves.findIndex(({hash, record, parameters}) => hash === now.model
      && names.every(name => record[name] === now[name]) && sameParameters(parameters, now));
    const c = settings >= 0 ? settings : group.curves.findIndex(curve => curve.hash === now.model);
    const measured = c < 0 ? [] : group.curves[c].record.results.map(result => result.w);
    const note = c < 0 || measured.includes(now.w) ? '' : beyond(measured, now.w) || 'between measured points';
    this.#panels[0].setTitle(this.#title('fid'));
    if (!table) this.#panels[1].setTitle(this.#title('precision'));
    for (const panel of table ? this.#panels.slice(0, 1) : this.#panels) panel.chart?.move(c < 0 ? null : c, now.w, note);
    const kind = c < 0 ? 'none' : settings >= 0 ? 'exact' : 'other settings';
    const sampler = found.samplers[now.sampler] ?? now.sampler;
    one(this.lab, '.follows', HTMLElement).textContent = dotSentence({w: now.w, sampler, steps: now.steps}, kind, note);
  }

  /** @param {string} content @param {string} type @param {string} ending */
  #save(content, type, ending) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([content], {type}));
    link.download = `guidance-lab-${[this.group?.name, this.table?.name].filter(Boolean).join('-')}.${ending}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  /** The figures as a table. */
  #list() {
    const {metrics} = this.found, names = Object.keys(metrics);
    const grid = document.createElement('table'), head = document.createElement('tr');
    head.append(...['curve', 'w', 's', ...names.map(metric => metrics[metric])].map(name => Object.assign(text('th', name), {scope: 'col'})));
    const lines = rows(this.shown).map(row => {
      const line = document.createElement('tr'), w = row.w === 'real' ? ['real pictures', ''] : [number(Number(row.w)), number(1 + Number(row.w))];
      const cells = [String(row.curve), ...w, ...names.map(metric => (row[metric] === undefined ? '' : described(row, metric)))];
      line.append(...cells.map(value => text('td', value)));
      return line;
    });
    const top = document.createElement('thead'), body = document.createElement('tbody');
    top.append(head);
    body.append(...lines);
    grid.append(text('caption', 'Figures, in brackets their 95 % intervals'), top, body);
    one(this.lab, '.figures div', HTMLElement).replaceChildren(grid);
  }
}

/**
 * @template {{name: string}} T
 * @param {T[]} options
 * @param {string | undefined} name
 * @returns {T | null}
 */
const named = (options, name) => options.find(each => each.name === name) ?? null;

/**
 * A choice of one.
 *
 * @param {HTMLElement} node
 * @param {string} name
 * @param {[value: string, title: string][]} options
 * @param {string} chosen
 * @param {(value: string) => void} pick
 */
function choices(node, name, options, chosen, pick) {
  node.append(...options.map(([value, title]) => {
    const label = document.createElement('label'), input = document.createElement('input');
    Object.assign(input, {type: 'radio', name, value, checked: value === chosen});
    input.addEventListener('change', () => pick(value));
    label.append(input, text('span', title));
    return label;
  }));
}
