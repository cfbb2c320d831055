// The Trade-off tab: one sentence, two charts, and the figures behind a click. The left chart is FID against Inception
// Score; beside it stands precision against recall, or what is compared with it: another model, or a table of the paper.
// What is drawn, listed and downloaded is one list of curves and their results.

import {readAddress, updateAddress} from '../shared/address.js';
import {one, text, whenSeen} from '../shared/dom.js';
import {say, translate} from '../shared/language.js';
import {sameParameters} from '../shared/parameters.js';
import {answered} from '../shared/server.js';
import {announceMeasured, explored, onExplored} from '../shared/tabs.js';
import {onVisit} from '../shared/visit.js';
import {beyond, dotSentence} from '../shared/wording.js';
import {Bar} from './bar.js';
import {Details} from './details.js';
import {Panel} from './panel.js';
import {groupsOf, measuredModels, strengthOf, titleOf, whose} from './selection.js';
import {closest, curvesInWords, notMeasured, plainSentence} from './wording.js';

/** @typedef {import('../explore/types.js').PlainRequest} PlainRequest */
/** @typedef {import('../shared/chart.js').Axis} Axis */
/** @typedef {import('./types.js').Curves} Curves */
/** @typedef {import('./types.js').Group} Group */
/** @typedef {import('./types.js').Table} Table */

const IS = {name: 'inception', title: 'Inception Score'}, FID = {name: 'fid', title: 'FID'};
const PRECISION = {name: 'precision', title: 'precision'}, RECALL = {name: 'recall', title: 'recall'};
const AXES = {fid: [IS, FID], precision: [RECALL, PRECISION]};

/**
 * Gradio calls this once the markup is on the page.
 *
 * @param {HTMLElement} element
 * @param {{read: (ask: object) => Promise<Curves | null>}} server
 */
export function mount(element, server) {
  const lab = one(element, '.tradeoff', HTMLElement);
  translate(element);
  whenSeen(lab, () => begin(lab, server));
}

/** @param {HTMLElement} lab @param {{read: (ask: object) => Promise<Curves | null>}} server */
async function begin(lab, server) {
  const message = (/** @type {string} */ sentence) => showMessages(lab, sentence ? [sentence] : []);
  const found = curvesInWords(/** @type {Curves} */ (await answered(() => server.read({}), {message})));
  for (const curve of found.groups.flatMap(each => each.curves)) curve.record.results.sort((a, b) => a.w - b.w);
  new TradeOff(lab, found).start();
}

/** @param {HTMLElement} lab @param {string[]} sentences */
function showMessages(lab, sentences) {
  const message = one(lab, '.message', HTMLElement);
  message.replaceChildren(...sentences.map(sentence => text('p', sentence)));
  message.hidden = !sentences.length;
}

class TradeOff {
  /** The two charts. @type {Panel[]} */ #panels = [];
  /** The model that Explore showed last. @type {string | null} */ #followed = null;

  /**
   * @param {HTMLElement} lab
   * @param {Curves} found
   */
  constructor(lab, found) {
    this.lab = lab;
    this.found = found;
    this.measured = measuredModels(found);
    this.details = new Details(lab, found, () => this.#write());
    this.bar = new Bar(lab, found, this.measured, {
      model: hash => { this.choose(hash); this.show(); },
      group: name => { this.group = named(found.groups, name); this.show(); },
      compared: name => { this.compared = name; this.show(); },
    });
    this.#goTo(readAddress());
  }

  /** @param {Record<string, string>} query */
  #goTo(query) {
    const {found} = this, linked = named(found.groups, query.tradeoff_group);
    this.details.open = query.tradeoff_figures === '1';
    /** The hash of the model whose curves are chosen from. */
    this.model = this.measured.find(({hash}) => hash === query.tradeoff_model)?.hash ?? this.#usual;
    if (linked && !groupsOf(found, this.model).some(({group}) => group === linked)) this.model = linked.curves[0].hash ?? this.model;
    /** The curves that are shown, or null where no curve can be. @type {Group | null} */
    this.group = linked ?? strengthOf(found, this.model);
    /** What is compared with: the name of a group or of a table, or ''. */
    this.compared = query.tradeoff_compare ?? query.tradeoff_beside ?? '';
    this.linked = Boolean(query.tradeoff_model ?? linked);
  }

  start() {
    this.lab.dataset.state = 'open';
    this.show();
    onExplored(now => this.follow(now));
    onVisit(() => this.#fields, query => { this.#goTo(query); this.show(); });
  }

  /** The model of Explore, or, where none of its curves is here, the first that has one. */
  get #usual() {
    const now = explored()?.model ?? this.found.models[0]?.hash;
    return (this.measured.find(({hash}) => hash === now) ?? this.measured[0])?.hash ?? '';
  }

  /** The other group that is shown. @returns {Group | null} */
  get #otherGroup() {
    return named(this.found.groups.filter(group => group !== this.group), this.compared);
  }

  /** The table of the paper that is shown; where there is no curve, the first. @returns {Table | null} */
  get #table() {
    return named(this.found.tables, this.compared) ?? (this.group ? null : this.found.tables[0]);
  }

  /** Go to a model: to the group that answers the same question, or its first. @param {string} model */
  choose(model) {
    const own = groupsOf(this.found, model).map(({group}) => group);
    this.model = model;
    this.group = own.find(({title, main}) => title === this.group?.title && Boolean(main) === Boolean(this.group?.main)) ?? strengthOf(this.found, model);
  }

  show() {
    const {lab, found, group, model} = this, other = this.#otherGroup, table = this.#table;
    const groups = groupsOf(found, model);
    this.bar.reflect({model, groups, group, compared: (other ?? table)?.name ?? ''});
    const [strong, rest] = group ? plainSentence(group.curves) : [say('tradeoff.no_curve'), ''];
    one(lab, '.sentence strong', HTMLElement).textContent = strong;
    one(lab, '.sentence span', HTMLElement).textContent = rest;
    this.#panels = [
      new Panel(one(lab, '.fid', HTMLElement), found, group ? this.#content(group, 'fid') : {title: '', curves: [], x: IS, y: FID, main: null, read: ''}),
      new Panel(one(lab, '.second', HTMLElement), found, other ? this.#content(other, 'fid') : table
        ? {title: say('tradeoff.the_papers', {title: table.title}), curves: table.curves, x: IS, y: FID, main: null, read: say('tradeoff.read_paper')}
        : /** @type {Group} */ (group) && this.#content(/** @type {Group} */ (group), 'precision')),
    ];
    this.details.show({group, other, table});
    if (group) announceMeasured('tradeoff', {}, lowestOf(group.curves[0]));
    this.#place();
  }

  /** What the address says of this tab. */
  get #fields() {
    const {group, model, found, compared} = this, first = groupsOf(found, model)[0]?.group, compares = this.#otherGroup ?? (compared ? this.#table : null);
    return {
      tradeoff_model: model === this.#usual ? null : model, tradeoff_group: !group || group === first ? null : group.name,
      tradeoff_compare: compares?.name ?? null, tradeoff_beside: null, tradeoff_figures: this.details.open ? '1' : null,
    };
  }

  #write() {
    updateAddress(this.#fields);
  }

  /**
   * What a chart of ours shows.
   *
   * @param {Group} group
   * @param {'fid' | 'precision'} name
   */
  #content(group, name) {
    const {curves, main} = group;
    const [x, y] = AXES[name].map(axis => ({...axis, title: curves[0].metrics?.[axis.name] ?? axis.title}));
    return {title: `${whose(this.found, group)}: ${say(`tradeoff.chart_${name}`)}`, curves, x, y, main, read: say(`tradeoff.read_${name}`)};
  }

  /**
   * Explore shows something else: where its model is another than before, its curves are shown.
   *
   * @param {PlainRequest} now
   */
  follow(now) {
    const before = this.#followed, changed = before === null ? !this.linked : before !== now.model;
    this.#followed = now.model;
    const to = this.#usual;
    if (!changed || to === this.model) return this.#place();
    this.choose(to);
    this.show();
  }

  /**
   * Put the dot at what Explore shows: on the curve that was measured with its settings, or else on the first of its model.
   */
  #place() {
    this.#write();
    const {group, found, lab} = this, now = explored();
    const known = !now || this.measured.some(({hash}) => hash === now.model);
    const missing = known || !group ? [] : [notMeasured(titleOf(found, now.model), whose(found, group))];
    showMessages(lab, [...missing, ...found.problems]);
    if (!group || !now) return;
    const names = /** @type {const} */ (['rule', 'sampler', 'steps']);
    const settings = group.curves.findIndex(({hash, record, parameters}) => hash === now.model
      && names.every(name => record[name] === now[name]) && sameParameters(parameters, now));
    const c = settings >= 0 ? settings : group.curves.findIndex(curve => curve.hash === now.model);
    const measured = c < 0 ? [] : group.curves[c].record.results.map(result => result.w);
    const note = c < 0 || measured.includes(now.w) ? '' : beyond(measured, now.w) || say('tradeoff.between');
    const own = this.#otherGroup || this.#table ? this.#panels.slice(0, 1) : this.#panels;
    for (const panel of own) panel.chart?.move(c < 0 ? null : c, now.w, note);
    const kind = c < 0 ? 'none' : settings >= 0 ? 'exact' : 'other settings', sampler = found.samplers[now.sampler] ?? now.sampler;
    one(lab, '.follows', HTMLElement).textContent = dotSentence({w: now.w, sampler, steps: now.steps}, kind, note);
  }
}

/**
 * What a curve says of FID, for whoever asks about it.
 *
 * @param {import('./types.js').MeasuredCurve} curve
 * @returns {import('../lesson/types.js').Measured}
 */
function lowestOf({record: {results}}) {
  const {w, fid} = closest(results);
  return {lowest: {w, fid}, measured: results.map(each => each.w)};
}

/**
 * @template {{name: string}} T
 * @param {T[]} options
 * @param {string | undefined} name
 * @returns {T | null}
 */
const named = (options, name) => options.find(each => each.name === name) ?? null;
