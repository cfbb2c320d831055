// The trade-off tab. Runs once its markup is on the page; Gradio provides `element` and `server`.
//
// The server sends the curve files as they are. The left chart is IS against FID; beside it stands precision against
// recall, or a table of the paper. What is drawn, listed and downloaded is one list of curves and their results.

const lab = element.querySelector('.tradeoff');
const $ = selector => lab.querySelector(selector);
const IS = {name: 'inception', title: 'Inception Score'}, FID = {name: 'fid', title: 'FID'};
const PRECISION = {name: 'precision', title: 'precision'}, RECALL = {name: 'recall', title: 'recall'};
const SHOWS = {
  fid: 'To the right, samples are more recognisable (IS); further down, they are closer to the real pictures (FID).',
  precision: 'Up: more of the samples could be real (precision); right: more of the real pictures could be samples (recall). The paper measures neither; it says that guidance trades diversity for fidelity.',
};

let found = null;     // what the server read: {groups, tables, metrics, samplers, models, main, problems}
let group = null;     // the group that is shown, or null where no curve can be
let table = null;     // the paper's table that stands beside it, or null for precision against recall
let panels = [];      // the two charts: {node, tip, chart, curves}

const short = value => value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
const told = (result, metric) => short(result[metric])
  + (result[metric + '_low'] === undefined ? '' : ` (${short(result[metric + '_low'])} to ${short(result[metric + '_high'])})`);
const measured = result => Object.keys(found.metrics).filter(metric => result[metric] !== undefined);
const setting = ({record}) => `${found.samplers[record.sampler] ?? record.sampler}, ${record.steps} steps`;
const opens = curve => found.models.includes(curve.hash);

// ---- the charts ----------------------------------------------------------------------------------------------------

function panel(figure, title, curves, x, y, findings, shows) {
  const [node, tip, caption] = ['svg', '.tip', 'figcaption'].map(selector => figure.querySelector(selector));
  caption.textContent = title;
  const fresh = node.cloneNode();  // without the listeners and the observer of the chart before
  node.replaceWith(fresh);
  fresh.setAttribute('aria-label', `${title}; arrow keys walk along the points`);
  tip.hidden = true;
  const floor = curves[0]?.record.real_baseline ?? null;
  const lines = curves.map(curve => ({...curve, main: curve.file !== undefined && curve.file === found.main, points: curve.record.results}));
  const made = {node: fresh, tip, curves, chart: null};
  fresh.toggleAttribute('hidden', !lines.length);
  if (lines.length) made.chart = chart(fresh, {x, y, curves: lines, floor, names: lines.length === 1});
  const list = document.createElement('ul');
  list.append(...findings.map(said));
  figure.querySelector('.words').replaceChildren(text('p', shows), list);
  if (made.chart) listen(made);
  return made;
}

function said({text: sentence, holds, verdict}) {
  const line = text('li', `${sentence}: `);
  line.append(text('b', verdict), '.');
  line.className = {true: 'holds', false: 'fails', null: ''}[holds];
  return line;
}

/** One point is in the tab order; arrow keys go on along the curve and to the other curves. */
function listen(panel) {
  const {node, curves, chart, tip} = panel;
  let at = null;
  const element = where => where && chart.point(...where);
  const see = where => {
    node.querySelector('.point.on')?.classList.remove('on');
    at = where;
    tip.hidden = !where;
    if (!where) return;
    element(where).classList.add('on');
    explain(panel, ...where);
  };
  const prepare = () => node.querySelectorAll('.point').forEach(point => {
    const [c, p] = [+point.dataset.curve, +point.dataset.point], curve = curves[c], result = curve.record.results[p];
    const figures = measured(result).map(metric => `${found.metrics[metric]} ${told(result, metric)}`).join(', ');
    point.setAttribute('role', 'button');
    point.setAttribute('aria-label', `${curve.title}, w = ${number(result.w)}: ${figures}`);
    point.setAttribute('tabindex', c === 0 && p === 0 ? 0 : -1);
  });
  prepare();
  new MutationObserver(prepare).observe(node, {childList: true});  // it is drawn anew where its size changes
  node.addEventListener('pointermove', event => see(chart.nearest(event)));
  node.addEventListener('pointerleave', event => { if (event.pointerType !== 'touch') see(null); });
  node.addEventListener('pointerdown', event => {
    const where = chart.nearest(event), same = String(where) === String(at);
    see(where);
    node.dataset.touched = event.pointerType === 'touch' && !same;  // the first touch of a point only tells of it
  });
  node.addEventListener('click', event => { if (at && node.dataset.touched !== 'true') open(curves[at[0]], at[1]); });
  node.addEventListener('focusin', event => {  // a click may focus the drawing itself
    const point = event.target.closest('.point');
    if (point) see([+point.dataset.curve, +point.dataset.point]);
  });
  node.addEventListener('focusout', () => see(null));
  node.addEventListener('keydown', event => {
    if (!at) return;
    const [c, p] = at, step = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (event.key === 'Escape') see(null);
    if (event.key === 'Enter' || event.key === ' ') open(curves[c], p);
    else if (!step) return;
    event.preventDefault();
    if (!step) return;
    const next = curves[c + step[0]] ? c + step[0] : c, last = curves[next].record.results.length - 1;
    const to = [next, Math.min(last, Math.max(0, p + step[1]))];
    element(at).setAttribute('tabindex', -1);
    element(to).setAttribute('tabindex', 0);
    element(to).focus();
  });
}

/** The figures of a point, beside it. */
function explain({node, tip, curves}, c, p) {
  const curve = curves[c], {record} = curve, result = record.results[p];
  const head = text('p', '');
  head.append(text('b', `w = ${number(result.w)}`), ` · s = ${number(1 + result.w)} · ${curve.title}`);
  const list = document.createElement('dl');
  for (const metric of measured(result)) list.append(text('dt', found.metrics[metric]), text('dd', told(result, metric)));
  tip.replaceChildren(head, list);
  if (record.samples) {
    tip.append(text('p', `${record.samples.toLocaleString('en')} samples, seed ${record.seed}; ${setting(curve)}${record.guide ? `; guide ${record.guide.name}` : ''}`));
    tip.append(text('p', opens(curve) ? 'Click: these settings in Explore.'
      : `Of ${record.checkpoint.name} (${curve.hash}), which is not offered here.`));
  } else tip.append(text('p', 'The paper’s figures, 50,000 samples.'));
  const {px, py} = node.querySelector('.point.on').dataset, room = node.clientWidth;
  tip.style.left = `${Math.min(Math.max(0, +px + (px > room / 2 ? -tip.offsetWidth - 16 : 16)), room - tip.offsetWidth)}px`;
  tip.style.top = `${Math.max(0, Math.min(+py - 20, node.clientHeight - tip.offsetHeight))}px`;
}

function open(curve, p) {
  if (!opens(curve)) return;
  const {sampler, steps, rule, results} = curve.record;
  openInExplore({model: curve.hash, w: results[p].w, sampler, steps, rule});
}

/** The dot: what Explore shows, on the curve that was measured with its settings, or else on the main one. */
function follow(now) {
  if (!group) return;
  const fits = ({hash, record}) => hash === now.model && ['rule', 'sampler', 'steps'].every(name => record[name] === now[name]);
  let c = group.curves.findIndex(fits);
  const exact = c >= 0;
  if (!exact) c = group.curves.findIndex(curve => curve.hash === now.model);
  const measured = c < 0 ? [] : group.curves[c].record.results.map(result => result.w);
  const note = c < 0 || measured.includes(now.w) ? '' : beyond(measured, now.w) || 'between measured points';
  for (const {chart} of table ? panels.slice(0, 1) : panels) chart?.move(c < 0 ? null : c, now.w, note);
  const what = `Explore shows w = ${number(now.w)}, ${found.samplers[now.sampler] ?? now.sampler}, ${now.steps} steps`;
  const where = c < 0 ? 'no curve here is of it' : exact ? note || 'the dot' : `${note ? note + '; ' : ''}the dot is on the first curve of the model, for these settings were not measured`;
  $('.follows').textContent = `${what}: ${where}.`;
}

// ---- the same figures as a table and as files ----------------------------------------------------------------------

/** What is shown: our curves, and the paper's where its table stands beside them. */
const shown = () => [...(group ? group.curves : []), ...(table ? table.curves.map(curve => ({...curve, source: table.source})) : [])];

/** One flat row a point, one for the floor of each of our curves. */
function rows() {
  return shown().flatMap(({title, file, source, record}) => {
    const {checkpoint, classifier, guide, features, p_uncond, rule, sampler, steps, samples, seed, real_baseline: floor, results} = record;
    const from = {curve: title, source: file ?? source, checkpoint: checkpoint?.hash, classifier: classifier?.hash, guide: guide?.hash, features, p_uncond, rule, sampler, steps, samples, seed};
    return [...results, ...(floor ? [{w: 'real', ...floor}] : [])].map(figures => ({...from, ...figures}));
  });
}

function csv() {
  const every = rows(), columns = [...new Set(every.flatMap(Object.keys))];
  const cell = value => /[",\n]/.test(value ?? '') ? `"${String(value).replaceAll('"', '""')}"` : value ?? '';
  return [columns, ...every.map(row => columns.map(name => row[name]))].map(line => line.map(cell).join()).join('\n') + '\n';
}

function save(content, type, ending) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], {type}));
  link.download = `guidance-lab-${[group?.name, table?.name].filter(Boolean).join('-')}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function list() {
  const grid = document.createElement('table'), head = document.createElement('tr');
  const metrics = Object.keys(found.metrics);
  head.append(...['curve', 'w', 's', ...metrics.map(metric => found.metrics[metric])].map(name => text('th', name)));
  head.querySelectorAll('th').forEach(cell => { cell.scope = 'col'; });
  const lines = rows().map(row => {
    const line = document.createElement('tr'), real = row.w === 'real';
    line.append(...[row.curve, real ? 'real pictures' : number(row.w), real ? '' : number(1 + row.w),
      ...metrics.map(metric => row[metric] === undefined ? '' : told(row, metric))].map(value => text('td', value)));
    return line;
  });
  const [top, body] = ['thead', 'tbody'].map(tag => document.createElement(tag));
  top.append(head);
  body.append(...lines);
  grid.append(text('caption', 'Figures, in brackets their 95 % intervals'), top, body);
  $('.figures div').replaceChildren(grid);
}

// ---- what is shown -------------------------------------------------------------------------------------------------

function show() {
  const curves = group?.curves ?? [];
  const findings = name => (group?.findings ?? []).filter(finding => finding.chart === name);
  const shows = name => `Each point is one w, from ${number(curves[0].record.results[0].w)} to ${number(curves[0].record.results.at(-1).w)}. ${SHOWS[name]}`;
  panels = [
    panel($('.fid'), group ? 'ours: IS against FID' : 'no curve to show', curves, IS, FID, findings('fid'), group ? shows('fid') : 'python -m cfg_core evaluate writes such curves.'),
    table
      ? panel($('.beside'), `the paper’s ${table.title}`, table.curves, IS, FID, [], `${table.says} ${table.source}; Inception features: shapes compare with ours, figures do not. The paper has no precision and recall.`)
      : panel($('.beside'), group ? 'ours: precision against recall' : '', curves, RECALL, PRECISION, findings('precision'), group ? shows('precision') : ''),
  ];
  const counts = [...new Set(curves.map(({record}) => `${record.samples.toLocaleString('en')} samples, seed ${record.seed}`))];
  $('.basis').replaceChildren(group ? `${group.basis} ${counts.join('; ')}. ` : '', Object.assign(text('span', ''), {className: 'follows'}));
  for (const button of lab.querySelectorAll('.downloads button')) button.disabled = !shown().length;
  list();
  inAddress({
    tradeoff_group: !group || group === found.groups[0] ? null : group.name,
    tradeoff_beside: table?.name ?? null,
  });
  if (window.explored) follow(window.explored);
}

/** A choice of one. */
function choices(node, name, options, chosen, pick) {
  node.append(...options.map(([value, title]) => {
    const label = document.createElement('label'), input = document.createElement('input');
    Object.assign(input, {type: 'radio', name, value, checked: value === chosen});
    input.addEventListener('change', () => { pick(value); show(); });
    label.append(input, text('span', title));
    return label;
  }));
}

async function begin() {
  found = await server.read({});
  for (const curve of found.groups.flatMap(each => each.curves)) curve.record.results.sort((a, b) => a.w - b.w);
  const asked = new URLSearchParams(location.search);
  const pick = (options, name) => options.find(each => each.name === asked.get(name));
  group = pick(found.groups, 'tradeoff_group') ?? found.groups[0] ?? null;
  table = pick(found.tables, 'tradeoff_beside') ?? (group ? null : found.tables[0]);
  choices($('.groups'), 'tradeoff_group', found.groups.map(each => [each.name, each.title]), group?.name, name => { group = found.groups.find(each => each.name === name); });
  const ours = group ? [['', 'precision and recall']] : [];
  choices($('.tables'), 'tradeoff_beside', [...ours, ...found.tables.map(each => [each.name, `paper’s ${each.title.split(':')[0]}`])], table?.name ?? '', name => { table = found.tables.find(each => each.name === name) ?? null; });
  $('.json').addEventListener('click', () => save(JSON.stringify({shown: group?.title, curves: shown()}, null, 2), 'application/json', 'json'));
  $('.csv').addEventListener('click', () => save(csv(), 'text/csv', 'csv'));
  say(found.problems);
  lab.dataset.state = 'open';
  show();
  whenExplored(follow);
}

function say(sentences) {
  $('.message').replaceChildren(...sentences.map(sentence => text('p', sentence)));
  $('.message').hidden = !sentences.length;
}

whenSeen(lab, () => begin().catch(error => say([`The curves could not be had: ${error.message}.`])));
