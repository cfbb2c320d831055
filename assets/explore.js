// The Explore canvas. Runs once its markup is on the page; Gradio provides `element` and `server`.
//
// `want` is what the controls say. The pump asks the server for it and has one request in flight, for a moment two: a
// newer want is asked for at once, and the server ends the older request. What comes is held by its serial.
// Each frame of the display draws the best of what is held: dragging moves through the grids that have arrived, without
// the server; when the thumb rests, the exact w is wanted. Grids swap, they never blend, and what is drawn carries the
// w it was computed at, whatever the thumb says by then.

const lab = element.querySelector('.explore');
const $ = selector => lab.querySelector(selector);
const panes = ['unguided', 'guided'].map(name => {
  const figure = $('.pane.' + name);
  return {
    name, figure, canvas: figure.querySelector('canvas'), shown: figure.querySelector('.shown'),
    names: figure.querySelector('.names'), progress: figure.querySelector('progress'), mark: figure.querySelector('.mark'),
    meters: [...figure.querySelectorAll('meter')], frame: null, drawn: null, metered: null,
  };
});
const controls = {
  class: $('.class'), w: $('.w'), below: $('.below'), rule: $('.rule'), sampler: $('.sampler'), steps: $('.steps'),
  samples: $('.samples'), seed: $('.seed'), step: $('.step'), play: $('.play'), models: $('.models'),
};
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const SHOWN_RUNGS = [0, 0.5, 1, 2, 3, 4, 6, 8];
const STOPS = 8;       // names that are shown at once where there are too many classes for pictures
const REST = 150;     // milliseconds after which a thumb that does not move rests

let model = null;     // what is drawn with: {hash, classes, samplers, size, channels, ladder, …}
let token = null;     // who we are to the server
let want = null;      // the fields of a GridRequest
let asked = null;     // the last want that the server accepted
let thumb = 0;        // the w under the thumb; want.w is the rung next to it while it moves
let held = new Map(); // serial → frame: what has come of the wanted grids and of their strip
let looked = [];      // the serials of the unguided and the guided grid; at w = 0 both are one
let missing = 0;      // rungs of the strip that have not come
let ahead = 0;        // people who are served before our first picture
let rungs = 0;        // how many the strip has
let url = '';         // the link of what was asked last
let epoch = 0;        // counts the wishes, so that what was fetched for an older one is let go
let fetching = null;  // the request for the denoising that is under way
let films = null;     // the denoising of both grids, once somebody wants to see it
let step = null;      // the evaluation that is shown of it, or null for the finished picture
let playing = null;   // the timer that moves it
let sample = null;    // the one sample whose film strip over w is shown
let notice = '';      // what a person should still read, until they do something
let flights = 0;      // pulls under way: the newest, and at most one older, which the server ends
let newest = 0;       // counts them
let sent = null;      // the want of the newest
let resting = null;   // the timer that makes a resting thumb exact
let redrawing = false;
let onScreen = false; // whether this tab is the one that is seen
let swapping = false; // whether another model is on its way
let lent = '';        // the strip for which the GPU that draws elsewhere was asked last
let curve = null;     // the small chart, where the model has been measured

const fixed = w => (number(w).includes('.') ? number(w) : number(w) + '.0');
const className = label => label === 'all' ? 'all classes' : model.classes[label];

// ---- pictures ------------------------------------------------------------------------------------------------------

/** Draw raw 8-bit pictures (picture, row, column, channel) with one pixel between them, exactly as they are. */
function draw(canvas, pixels, count, columns, size, channels) {
  const pitch = size + 1, rows = Math.ceil(count / columns);
  const image = new ImageData(columns * pitch - 1, rows * pitch - 1);
  for (let n = 0, from = 0; n < count; n++) {
    const left = (n % columns) * pitch, top = Math.floor(n / columns) * pitch;
    for (let y = 0; y < size; y++) {
      for (let x = 0, to = 4 * ((top + y) * image.width + left); x < size; x++, to += 4, from += channels) {
        for (let c = 0; c < 3; c++) image.data[to + c] = pixels[from + (channels === 3 ? c : 0)];
        image.data[to + 3] = 255;
      }
    }
  }
  if (canvas.width !== image.width || canvas.height !== image.height) {
    canvas.width = image.width;
    canvas.height = image.height;
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
}

/** (class, sample, …) to (sample, class, …), so that each class is a column. */
function transposed(pixels, classes, samples, length) {
  const result = new Uint8Array(pixels.length);
  for (let c = 0; c < classes; c++) {
    for (let s = 0; s < samples; s++) {
      const from = (c * samples + s) * length;
      result.set(pixels.subarray(from, from + length), (s * classes + c) * length);
    }
  }
  return result;
}

/** How a frame's pictures lie on a canvas: their pixels in reading order, their number, their columns. */
function layout(frame) {
  const {classes, samples} = frame, several = classes.length > 1;
  const length = model.size * model.size * model.channels;
  return {
    pixels: several ? transposed(frame.pixels, classes.length, samples, length) : frame.pixels,
    count: classes.length * samples, columns: several ? classes.length : Math.ceil(Math.sqrt(samples)), several, length,
  };
}

function drawFrame(canvas, frame) {
  const {pixels, count, columns} = layout(frame);
  draw(canvas, pixels, count, columns, model.size, model.channels);
}

/** One picture of a frame, the n-th in reading order. */
function drawSample(canvas, frame, n) {
  const {pixels, length} = layout(frame);
  draw(canvas, pixels.subarray(n * length, (n + 1) * length), 1, 1, model.size, model.channels);
}

function show(pane, frame) {
  pane.frame = frame;
  const current = step === null || !films ? frame : filmed(pane, step) || frame;
  if (!current.pixels || pane.drawn === current) return;
  pane.drawn = current;
  drawFrame(pane.canvas, current);
  const {classes, w, seed, evaluations: at, total, precomputed} = current, {several, columns, count} = layout(current);
  pane.names.replaceChildren(...(several ? classes.map(label => text('span', model.classes[label])) : []));
  pane.names.style.setProperty('--columns', columns);
  const what = several ? 'all classes' : className(classes[0]);
  pane.canvas.setAttribute('aria-label', `${count} ${pane.name} samples of ${what} at w = ${number(w)}`);
  Object.assign(pane.canvas.dataset, {w, classes: classes.join(), seed, evaluations: at, done: at === total, precomputed});
  pane.shown.textContent = (at === total ? '' : `step ${at} of ${total} · `) + (precomputed ? 'precomputed · ' : '') + `w = ${fixed(w)}`;
}

/** The meters of a pane's finished frame; those of an unfinished one are not known yet. */
function showMeters(pane) {
  const meter = pane.frame?.meter;
  if (pane.metered === pane.frame) return;
  pane.metered = pane.frame;
  const pictures = pane.frame ? layout(pane.frame).count : 1;
  const readings = meter ? [[meter.fidelity, meter.fidelity.toFixed(2)], [meter.diversity, `${meter.diversity.toFixed(1)} of ${pictures}`]] : [];
  pane.meters.forEach((bar, i) => {
    if (i) bar.max = Math.max(2, pictures);
    const [value, words] = readings[i] ?? [0, '\u2013'];
    bar.value = value;
    bar.nextElementSibling.textContent = words;
    bar.setAttribute('aria-valuetext', words);
  });
}

/** The finished frames that are held, those that were precomputed last. */
const finished = () => [...held.values()]
  .filter(frame => frame.done && frame.pixels && !frame.error)
  .sort((a, b) => a.precomputed - b.precomputed);

/** The finished frame whose w is nearest; the unguided pane shows no other w than 0. */
function nearest(pane) {
  const w = pane.name === 'guided' ? thumb : 0;
  const near = finished().reduce((a, b) => (a && Math.abs(a.w - w) <= Math.abs(b.w - w) ? a : b), null);
  return near && (pane.name === 'guided' || near.w === 0) ? near : null;
}

/** Draw what is best of what is held, once before the next frame of the display. */
function redraw() {
  if (redrawing) return;
  redrawing = true;
  requestAnimationFrame(() => {
    redrawing = false;
    panes.forEach((pane, i) => {
      const live = held.get(looked[i]), frame = nearest(pane) || live;
      pane.progress.value = live ? live.evaluations / live.total : 0;
      const waits = !frame?.pixels || (calm.matches && !frame.done);
      pane.figure.classList.toggle('stale', waits);
      if (!waits || (frame && !pane.drawn)) show(pane, frame);
      showMeters(pane);
    });
    drawStrip();
    describe();
    rest();
  });
}

// ---- the strip -----------------------------------------------------------------------------------------------------

const cells = SHOWN_RUNGS.map(w => {
  const button = document.createElement('button'), canvas = document.createElement('canvas');
  button.type = 'button';
  button.append(canvas, text('span', number(w)));
  button.addEventListener('click', () => settle(w));
  return {w, button, canvas, drawn: null};
});

/** The grids of the strip that have come; or one sample of each of them, large. */
function drawStrip() {
  $('.strip').hidden = !rungs;
  const frames = new Map(finished().reverse().map(frame => [frame.w, frame]));
  const near = cells.reduce((a, b) => (Math.abs(b.w - thumb) < Math.abs(a.w - thumb) ? b : a));
  for (const cell of cells) {
    const frame = frames.get(cell.w), key = frame ? `${frame.serial} ${sample}` : '';
    cell.button.classList.toggle('on', cell === near);
    if (cell.drawn === key) continue;
    cell.drawn = key;
    if (!frame) cell.canvas.width = cell.canvas.height = 1;
    else if (sample === null) drawFrame(cell.canvas, frame);
    else drawSample(cell.canvas, frame, sample);
    const what = sample === null ? 'the grid' : `sample ${sample + 1}`;
    const state = frame ? (frame.precomputed ? 'precomputed' : 'drawn here') : 'not drawn yet';
    cell.button.setAttribute('aria-label', `${what} at w = ${number(cell.w)}, ${state}`);
    cell.button.title = state;
    cell.button.classList.toggle('missing', !frame);
    cell.button.classList.toggle('precomputed', state === 'precomputed');
  }
}

/** Show one sample over all w, or the grids again. */
function pick(n) {
  if (sample === n) return;
  sample = n;
  for (const pane of panes) {
    pane.mark.hidden = n === null || !pane.drawn;
    if (pane.mark.hidden) continue;
    const {columns, count} = layout(pane.drawn), rows = Math.ceil(count / columns);
    const {mark} = pane;
    mark.style.width = 100 / columns + '%';
    mark.style.height = pane.canvas.clientHeight / rows + 'px';
    mark.style.left = 100 * (n % columns) / columns + '%';
    mark.style.top = pane.canvas.clientHeight * Math.floor(n / columns) / rows + 'px';
  }
  redraw();
}

/** The sample under the pointer, in reading order. */
function under(pane, event) {
  if (!pane.drawn) return null;
  const box = pane.canvas.getBoundingClientRect(), {columns, count} = layout(pane.drawn);
  const n = Math.floor((event.clientY - box.top) / box.height * Math.ceil(count / columns)) * columns
    + Math.floor((event.clientX - box.left) / box.width * columns);
  return n >= 0 && n < count ? n : null;
}

// ---- the denoising -------------------------------------------------------------------------------------------------

/** The frame of a pane's film at an evaluation, or the last one before it that was kept. */
function filmed(pane, evaluations) {
  const film = films[panes.indexOf(pane)], after = film.findIndex(frame => frame.evaluations > evaluations);
  return after === -1 ? film.at(-1) : film[Math.max(0, after - 1)];
}

/** Have the denoising of the grids that are looked at, asked for once; whether it is here. */
function fetchFilms() {
  fetching ??= askForFilms().finally(() => { fetching = null; });
  return fetching;
}

async function askForFilms() {
  if (films) return true;
  if (lab.dataset.state !== 'resting') return false;
  const of = epoch;
  let reply = await server.film({token}).catch(() => null);
  if (reply?.unknown && await enter({model: model.hash}).catch(() => null)) {  // they looked for long; have the grids again, and then ask
    want = {...want};
    await pump();
    reply = await server.film({token}).catch(() => null);
  }
  const whole = reply?.ok && reply.films.every(film => film.at(-1)?.done && !film.at(-1).error);
  if (!whole || of !== epoch) return false;
  films = reply.films.map(film => film.map(frame => ({...frame, pixels: bytes(frame.pixels)})));
  return true;
}

/** Show an evaluation of the denoising; the last one is the finished picture. */
async function scrub(to) {
  if (await fetchFilms()) step = to < films[1].at(-1).total ? to : null;
  redraw();
}

async function play() {
  if (playing) return stop();
  if (!await fetchFilms() || playing) return;
  const total = films[1].at(-1).total;
  if (calm.matches) {  // nothing moves by itself: one evaluation at a time
    scrub((step ?? 0) % total + 1);
    return;
  }
  let at = step ?? 0;
  lab.classList.add('playing');
  playing = setInterval(() => { at += 1; scrub(at); if (at >= total) stop(); }, Math.max(40, Math.min(150, 3000 / total)));
}

function stop() {
  clearInterval(playing);
  playing = null;
  lab.classList.remove('playing');
}

// ---- the server ----------------------------------------------------------------------------------------------------

/** Pixels come once for each grid and evaluation; a frame without them repeats what is held. */
function keep(reply) {
  for (const frame of [...reply.frames, ...reply.strip]) {
    const before = held.get(frame.serial);
    if (before?.evaluations === frame.evaluations && before.done === frame.done) continue;
    held.set(frame.serial, {...frame, pixels: frame.pixels ? bytes(frame.pixels) : before?.pixels});
  }
}

function receive(reply) {
  looked = reply.frames.map(frame => frame.serial);
  missing = reply.missing;
  rungs = reply.rungs;
  lab.dataset.missing = missing;
  ahead = reply.ahead;
  for (const [serial, frame] of held) {  // what is not finished and no longer wanted will never be
    if (!frame.done && !looked.includes(serial)) held.delete(serial);
  }
  redraw();
}

/** Become known to the server; a query restores the state of a link. */
async function enter(query) {
  const reply = await server.enter({query});
  if (!reply) throw new Error('the server did not answer');
  if (!reply.ok) throw new Error(reply.error);
  if (model && query.model === model.hash && reply.model.hash !== model.hash) location.reload();  // no longer served
  token = reply.token;
  lent = '';
  return reply;
}

/** Whether both pictures are those that are wanted, finished. */
const satisfied = () => want === asked && looked.length === 2 && looked.every(serial => held.get(serial)?.done);

/** Tell the server that nobody looks any more, in a request that outlives the page. */
function leave() {
  const {components, root, api_prefix: prefix} = window.gradio_config;
  const id = components.find(each => each.props?.elem_id === 'explore')?.id;
  fetch(`${root}${prefix}/component_server`, {
    method: 'POST', keepalive: true, headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({component_id: id, fn_name: 'leave', session_hash: '', data: {token}}),
  }).catch(() => null);
}

/** Pull until what is wanted is here. A newer want starts a pull of its own, and the server ends the older one. */
async function pump() {
  if (!onScreen || swapping || flights > 1 || (flights && want === sent)) return;
  flights += 1;
  const mine = newest += 1;
  try {
    while (mine === newest && onScreen && !swapping && (!satisfied() || (missing && !document.hidden))) {
      const ask = sent = want, into = held;
      const drawing = scene(ask) + (ask.w < 0);
      if (model.elsewhere && lent !== drawing) {
        lent = drawing;
        trigger('submit', {token, want: ask});
      }
      const seen = Object.fromEntries([...held].map(([serial, {evaluations}]) => [serial, evaluations]));
      const reply = await server.pull({token, want: ask, seen, ahead}).catch(() => null);
      if (!onScreen || swapping) break;
      let problem = null;
      if (!reply || (reply.unknown && !await enter({model: model.hash}).catch(error => { problem = error.message; }))) {
        say(reply && problem ? problem : 'The server does not answer; trying again.');
        await new Promise(resume => setTimeout(resume, 1000));
        continue;
      }
      if (reply.unknown || reply.superseded || held !== into) continue;
      if (reply.frames) keep(reply);
      if (mine !== newest) break;
      if (!reply.ok) {
        if (want !== ask) continue;
        notice = reply.error;
        say(notice);
        if (!asked || ask === asked) break;
        want = asked;
        thumb = want.w;
        reflect();
        controls.steps.value = want.steps;
        controls.seed.value = want.seed;
        continue;
      }
      if (reply.door) {
        say(`The lab is full; you are ${place(reply.door)} in line.`);
        await new Promise(resume => setTimeout(resume, 500));
        continue;
      }
      if (want === ask) {
        want = asked = sent = reply.want;
        url = reply.url;
      }
      receive(reply);
      const failed = reply.frames.find(frame => frame.error);
      say(failed ? failed.error : notice);
    }
  } finally {
    flights -= 1;
    if (mine !== newest || want !== sent) pump();  // what was wanted while two were under way
    else if (satisfied()) redraw();
    else if (onScreen && !swapping) lab.dataset.state = 'resting';  // it gave up, and has said why
  }
}

/** While another tab is open nothing is drawn for this one. */
function watch() {
  new IntersectionObserver(entries => {
    const before = onScreen;
    onScreen = entries.at(-1).isIntersecting;
    if (onScreen) pump();
    else if (before) leave();
  }).observe(lab);
}

/** Both pictures are finished and drawn, the thumb is where they were asked for: let the link and the reader know. */
function rest() {
  if (!satisfied() || thumb !== want.w || lab.dataset.state === 'resting') return;
  lab.dataset.state = 'resting';
  inAddress(Object.fromEntries(new URLSearchParams(url)));
  speak();
}

/** Everything about a want but its w: what a strip is a strip of. */
const scene = ({w, ...fields}) => JSON.stringify(fields);

const ordinals = new Intl.PluralRules('en', {type: 'ordinal'});
const place = n => n + {one: 'st', two: 'nd', few: 'rd', other: 'th'}[ordinals.select(n)];

function say(message) {
  $('.message').textContent = message || '';
  $('.message').hidden = !message;
}

// ---- state and controls --------------------------------------------------------------------------------------------

/** Ask for something else; whatever is missing stays as it is. */
function change(fields) {
  if (fields.model && fields.model !== model.hash) {
    swap({...want, ...fields});
    return;
  }
  const before = want && scene(want);
  want = {...want, ...fields};
  thumb = want.w;
  if (scene(want) !== before) {
    held = new Map();
    looked = [];
    missing = ahead = 0;
    delete lab.dataset.missing;
    pick(null);
  }
  began();
}

function began() {
  notice = '';
  films = step = null;
  epoch += 1;
  stop();
  lab.dataset.state = 'drawing';
  reflect();
  redraw();
  pump();
}

function rungAt(w) {
  const ladder = controls.below.checked ? [...model.below, ...model.ladder] : model.ladder;
  return ladder.reduce((a, b) => (Math.abs(b - w) < Math.abs(a - w) ? b : a));
}

/** The thumb moves: show what is nearest, and let the strip be filled from there. */
function move(w) {
  thumb = w;
  const rung = rungAt(w);
  const pictures = want.samples * (want.class === 'all' ? model.classes.length : 1);
  const next = pictures <= model.strip_pictures ? rung : w;
  if (next !== want.w) want = {...want, w: next};
  clearTimeout(resting);
  resting = setTimeout(() => settle(w), REST);
  began();
}

/** The thumb rests at this w; what is drawn elsewhere, a strip at a time, has the rungs of the strip only. */
function settle(exact) {
  clearTimeout(resting);
  const w = model.elsewhere ? rungAt(exact) : exact;
  if (w !== want.w || w !== thumb || lab.dataset.state !== 'resting') change({w});
}

/** Make the controls say what is wanted, but leave alone what a person is typing. */
function reflect() {
  const all = want.class === 'all', label = all ? model.classes.length : want.class;
  controls.class.value = label;
  controls.class.setAttribute('aria-valuetext', className(want.class));
  if (!mark() && !$('.find').hidden) {
    $('.find input').value = '';
    find();
  }
  if (thumb < 0) controls.below.checked = true;
  const low = controls.below.checked ? -1 : 0;
  controls.w.min = low;
  controls.w.value = thumb;
  controls.w.setAttribute('aria-valuetext', `w = ${number(thumb)}, scale s = ${number(1 + thumb)}`);
  $('.track').style.setProperty('--low', low);
  $('.track').style.setProperty('--at', (thumb - low) / (8 - low));
  $('.track ol').replaceChildren(...Array.from({length: 9 - low}, (_, i) => text('li', number(i + low))));
  $('.strength output b').textContent = `w = ${fixed(thumb)}`;
  $('.strength output small').textContent = `scale s = 1 + w = ${fixed(1 + thumb)}`;
  controls.rule.value = want.rule;
  $('.strength label small').replaceChildren(...formula(model.rules.find(({name}) => name === want.rule).formula));
  controls.sampler.value = want.sampler;
  if (document.activeElement !== controls.steps) controls.steps.value = want.steps;
  if (document.activeElement !== controls.seed) controls.seed.value = want.seed;
  if (![...controls.samples.options].some(option => +option.value === want.samples)) {
    controls.samples.append(new Option(want.samples, want.samples));
  }
  controls.samples.value = want.samples;
  $('.each').textContent = all ? 'of each class' : '';
  const [strong, rest] = sentence(thumb, all ? 'picture' : className(want.class).toLowerCase().replace('-', '\u2011'), want.samples);
  $('.sentence strong').textContent = strong;
  $('.sentence span').textContent = rest;
  curve?.move(0, thumb, beyond(model.curve.map(point => point.w), thumb));
  $('aside .chart').setAttribute('aria-label', `FID against Inception Score over w, at w = ${number(thumb)}`);
  tellExplored({...want, w: thumb});
}

function sentence(w, thing, samples) {
  const noises = samples === 1 ? 'the same noise' : `the same ${samples} noises`;
  if (w === -1) return ['No class at all.', 'At w = −1 only the unconditional model speaks: the right grid does not know what it should be.'];
  if (w < 0) return ['On the way to the class.', `Between unconditional (w = −1) and conditional (w = 0), from ${noises}.`];
  if (w === 0) return ['No guidance.', 'At w = 0 both grids are the conditional model as it was trained: the same pictures twice.'];
  if (w < 1) return ['A light touch.', `From ${noises}: stray samples are pulled towards the class, the others hardly move. The paper finds its best FID here.`];
  if (w < 4) return ['More guidance, more alike.', `From ${noises}: each ${thing} becomes clearer, and they become more similar.`];
  return ['Far beyond the data.', `From ${noises}: contrast saturates and variety is gone; every ${thing} is pushed away from what the other classes look like.`];
}

/** What is on screen, and what it cost. */
function describe() {
  const guided = panes[1].frame, here = guided?.done && guided.w === thumb && held.get(guided.serial) === guided;
  $('.cost').textContent = here ? cost(guided) : ahead ? `${ahead} ${ahead === 1 ? 'person' : 'people'} before you` : 'computing';
  if (!guided) return;
  const at = step ?? (guided.done ? guided.total : guided.evaluations);
  controls.step.max = guided.total;
  controls.step.value = at;
  controls.step.setAttribute('aria-valuetext', `evaluation ${at} of ${guided.total}`);
  $('.denoising output').textContent = `${at} / ${guided.total}`;
  const [sampler, rule] = ['sampler', 'rule'].map(kind => model[kind + 's'].find(each => each.name === want[kind]));
  $('.settings').textContent = `${rule === model.rules[0] ? '' : rule.title + ', '}${sampler.title}, ${want.steps} steps`;
}

/** What a finished frame took, from when it was first wanted. */
function cost({precomputed, evaluations, seconds}) {
  const time = seconds < 1 ? `${Math.round(1000 * seconds)} ms` : `${seconds.toFixed(1)} s`;
  return precomputed ? 'precomputed' : `${evaluations} evaluations, ${time}`;
}

/** Tell a screen reader once a picture is finished. */
function speak() {
  const guided = held.get(looked[1]);
  if (!guided?.done || guided.error) return;
  const pictures = guided.classes.length * guided.samples;
  $('.spoken').textContent = `${className(want.class)}, w = ${number(guided.w)}: ${pictures} samples drawn.`;
}

function choose(label) {
  const all = label === model.classes.length;
  const fields = {class: all ? 'all' : label};
  if (all !== (want.class === 'all')) fields.samples = all ? 4 : 16;
  if (fields.class !== want.class) change(fields);
}

/** A stop of the rail; 'all' is the label after the last. */
function stopOf(name, label, pixels, count) {
  const item = document.createElement('li');
  item.dataset.label = label;
  if (pixels) {
    const canvas = document.createElement('canvas');
    draw(canvas, pixels, count, Math.ceil(Math.sqrt(count)), model.size, model.channels);
    item.append(canvas);
  }
  item.append(text('span', name));
  return item;
}

/** The rail: a picture of each class, or, where there are too many, names to be searched. */
function buildRail(pictures) {
  const {classes, size, channels} = model, length = size * size * channels, raw = bytes(pictures);
  $('.find').hidden = raw.length > 0;
  $('.find input').value = '';
  controls.class.max = classes.length - (raw.length && classes.length > 1 ? 0 : 1);
  if (!raw.length) return find();
  const stops = classes.map((name, i) => stopOf(name, i, raw.subarray(i * length, (i + 1) * length), 1));
  if (classes.length > 1) stops.push(stopOf('All', classes.length, raw, Math.min(classes.length, 9)));
  setStops(stops);
}

function setStops(stops) {
  $('.rail ol').replaceChildren(...stops);
  $('.rail').style.setProperty('--stops', stops.length);
}

/** The classes whose names hold what is looked for; where nothing is, those around the chosen one. */
function find() {
  const sought = $('.find input').value.trim().toLowerCase();
  const labels = [...model.classes.keys()].filter(label => model.classes[label].toLowerCase().includes(sought));
  const from = sought ? 0 : Math.max(0, Math.min(+controls.class.value - 3, labels.length - STOPS));
  const stops = labels.slice(from, from + STOPS).map(label => stopOf(model.classes[label], label));
  setStops(stops);
  mark();
}

/** Show which stop is chosen. */
function mark() {
  const stops = [...lab.querySelectorAll('.rail li')];
  stops.forEach(stop => stop.classList.toggle('on', stop.dataset.label === controls.class.value));
  return stops.some(stop => stop.classList.contains('on'));
}

function listen() {
  const rail = $('.rail');
  const stopUnder = event => [...rail.querySelectorAll('li')].find(stop => {
    const box = stop.getBoundingClientRect();
    return event.clientX >= box.left && event.clientX < box.right && event.clientY >= box.top && event.clientY < box.bottom;
  });
  const drag = event => { const stop = stopUnder(event); if (stop) choose(+stop.dataset.label); };
  const press = event => {
    event.preventDefault();
    controls.class.focus({preventScroll: true});
    drag(event);
  };
  let touch = null;  // where a finger came down; it may become a scroll of the page, so wait for its end or a move aside
  rail.addEventListener('pointerdown', event => {
    touch = event.pointerType === 'touch' ? {x: event.clientX, y: event.clientY} : null;
    if (touch) return;
    rail.setPointerCapture(event.pointerId);
    press(event);
  });
  rail.addEventListener('pointermove', event => {
    const aside = !touch || Math.abs(event.clientX - touch.x) > 4 + Math.abs(event.clientY - touch.y);
    if (event.buttons && aside) drag(event);
  });
  rail.addEventListener('pointerup', event => { if (event.pointerType === 'touch') press(event); });
  controls.class.addEventListener('input', () => choose(+controls.class.value));
  $('.find input').addEventListener('input', find);
  $('.find input').addEventListener('change', () => {
    const first = rail.querySelector('li');
    if (first && $('.find input').value) choose(+first.dataset.label);
  });

  const atThumb = () => Math.round(controls.w.value * 10) / 10;
  controls.w.addEventListener('input', () => move(atThumb()));
  controls.w.addEventListener('change', () => settle(atThumb()));
  controls.below.addEventListener('change', () => change(controls.below.checked ? {} : {w: Math.max(0, thumb)}));
  controls.models.addEventListener('change', () => change({model: controls.models.value}));
  controls.rule.addEventListener('change', () => change({rule: controls.rule.value}));
  controls.sampler.addEventListener('change', () => {
    change({sampler: controls.sampler.value, steps: model.samplers.find(s => s.name === controls.sampler.value).steps});
  });
  controls.steps.addEventListener('change', () => change({steps: controls.steps.value}));
  controls.samples.addEventListener('change', () => change({samples: +controls.samples.value}));
  controls.seed.addEventListener('change', () => change({seed: controls.seed.value}));
  $('.dice').addEventListener('click', () => {
    controls.seed.blur();
    change({seed: Math.floor(Math.random() * 10000)});
  });
  for (const pane of panes) {
    pane.canvas.addEventListener('pointermove', event => pick(under(pane, event)));
    pane.canvas.addEventListener('pointerdown', event => pick(under(pane, event)));
    pane.canvas.addEventListener('pointerleave', event => { if (event.pointerType !== 'touch') pick(null); });
    pane.canvas.addEventListener('focus', () => { if (pane.drawn && pane.canvas.matches(':focus-visible')) pick(sample ?? 0); });
    pane.canvas.addEventListener('blur', () => pick(null));
    pane.canvas.addEventListener('keydown', event => {
      if (!pane.drawn) return;
      const {columns, count} = layout(pane.drawn);
      const by = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -count, End: count}[event.key];
      if (event.key === 'Escape') pick(null);
      if (!by) return;
      event.preventDefault();
      const to = Math.min(count - 1, Math.max(0, (sample ?? 0) + by));
      pick(to);
      $('.spoken').textContent = `sample ${to + 1} of ${count}, shown over all w`;
    });
  }
  controls.step.addEventListener('input', () => { stop(); scrub(+controls.step.value); });
  controls.play.addEventListener('click', play);
  lab.addEventListener('keydown', event => {
    if (event.key !== ' ' || event.repeat || event.target.closest('button, select, summary, input:not([type="range"])')) return;
    event.preventDefault();
    play();
  });
  document.addEventListener('visibilitychange', () => { if (!document.hidden && want) pump(); });
  addEventListener('pagehide', leave);
  addEventListener('lab:explore', event => change(event.detail));
  $('.strip').replaceChildren(...cells.map(cell => cell.button));
  $('.link').addEventListener('click', async () => {
    const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
    $('.link').textContent = copied ? 'link copied' : 'the link is in the address bar';
    setTimeout(() => { $('.link').textContent = 'copy link'; }, 2000);
  });
}

/** The trade-off curve of the model, on which the slider is a dot. */
function drawCurve() {
  const before = $('aside .chart'), node = before.cloneNode();  // without the observer of the chart before
  before.replaceWith(node);
  curve = null;
  node.toggleAttribute('hidden', model.curve.length < 3);
  if (model.curve.length < 3) return;
  const axes = {x: {name: 'inception', title: 'Inception Score'}, y: {name: 'fid', title: 'FID'}};
  curve = chart(node, {...axes, curves: [{main: true, points: model.curve}], floor: null, small: true, names: true});
}

/** Draw with this model from now on. */
function adopt({model: chosen, models, rail, want: first}) {
  model = chosen;
  controls.models.replaceChildren(...models.map(({title, hash}) => new Option(title, hash)));
  controls.models.value = model.hash;
  $('.model label').hidden = models.length < 2;
  asked = null;
  controls.sampler.replaceChildren(...model.samplers.map(each => new Option(each.title, each.name)));
  controls.rule.replaceChildren(...model.rules.map(each => new Option(each.title, each.name)));
  $('.rules').hidden = model.rules.length < 2;
  lab.querySelectorAll('.meters, .judged').forEach(part => { part.hidden = !model.meters; });
  $('.model span').textContent = model.about;
  buildRail(rail);
  drawCurve();
  change(first);
}

/** Another model, and of the rest what it can do. */
async function swap(fields) {
  if (swapping) return;
  swapping = true;
  lab.dataset.state = 'drawing';
  leave();
  let problem = '';
  const reply = await enter(fields).catch(error => { problem = `The model could not be had: ${error.message}`; });
  swapping = false;
  if (reply) adopt(reply);
  else change({});  // go on with the one before
  controls.models.value = model.hash;
  if (model.hash !== fields.model) notice = problem || reply.notice;
}

async function open() {
  const reply = await enter(Object.fromEntries(new URLSearchParams(location.search)));
  controls.samples.replaceChildren(...[1, 4, 9, 16, 25, 36, 64].map(n => new Option(n, n)));
  listen();
  adopt(reply);
  notice = reply.notice;
  watch();
}

open().catch(error => say(`The page could not start: ${error.message}.`));
