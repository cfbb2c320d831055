// The 2-D lab's canvas. Gradio provides `element` and `server`, the component the constants. The markup waits in a
// template until the tab is first seen. `want` is the scene that the controls say; the pump asks for it, one request in
// flight, and a newer want replaces the next. `shown` is what came last. The way from noise (`film`) is fetched when
// somebody wants to see it, and then everything moves without the server.

const lab = element.querySelector('.plane');
const $ = selector => lab.querySelector(selector);
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const SECONDS = 4;    // that the way from noise takes
const TRAILS = 60;    // points whose way is drawn
const REST = 300;     // milliseconds without a change after which the way is fetched, so that it can play at once

let canvas, context;  // the plane
let want = null;      // the fields of a Scene
let shown = null;     // what the server drew last: {scene, points, exact, distance, floor, heat}
let film = null;      // the way of that: {scene, log_snrs, paths, heat, score}
let moment = 1;       // where the scrubber is, from noise (0) to clean (1)
let playing = null;   // {from, since} while it moves
let truth = false;    // whether exact draws are shown instead of the samples
let notice = '';      // what a person should still read, until they do something
let busy = false;     // a request is under way
let drawing = false;  // a frame of the display is asked for
let colours = {};     // of the style sheet
let resting = null;   // the timer of that
let heat = {};        // the offscreen canvas of the heat map, and what it shows

const fixed = (value, digits = 1) => value.toFixed(digits).replace('-', '−');
const same = (a, b) => a && b && JSON.stringify(a) === JSON.stringify(b);
const guided = scene => scene.w > 0;

// ---- drawing -------------------------------------------------------------------------------------------------------

/** From the plane to the canvas. */
const toCanvas = ([x, y]) => [(x + VIEW) / (2 * VIEW) * canvas.width, (VIEW - y) / (2 * VIEW) * canvas.height];

function readColours() {
  const style = getComputedStyle(lab);
  for (const name of ['page', 'ink', 'mute', 'unguided', 'guided', 'card']) colours[name] = style.getPropertyValue('--' + name).trim();
  heat = {};
}

/** The heat map of values (cells², 0 to 255, from below) over [−half, half]², tinted; kept until something changes. */
function heatMap(values, half, colour) {
  if (heat.values === values && heat.colour === colour) return heat;
  const cells = Math.round(Math.sqrt(values.length)), image = new ImageData(cells, cells);
  const tint = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
  for (let n = 0; n < values.length; n++) {
    const to = 4 * ((cells - 1 - Math.floor(n / cells)) * cells + n % cells);
    image.data.set(tint, to);
    image.data[to + 3] = 0.62 * values[n];
  }
  const picture = heat.picture || document.createElement('canvas');
  picture.width = picture.height = cells;
  picture.getContext('2d').putImageData(image, 0, 0);
  return heat = {values, colour, picture, half: half * cells / (cells - 1)};
}

function drawHeat(values, half) {
  const tint = {tilted: guided(shown.scene) ? 'guided' : 'unguided', class: 'unguided', all: 'mute'}[shown.scene.density];
  const {picture, half: reach} = heatMap(values, half, colours[tint]);
  const [left, top] = toCanvas([-reach, reach]), [right, bottom] = toCanvas([reach, -reach]);
  context.imageSmoothingQuality = 'high';
  context.drawImage(picture, left, top, right - left, bottom - top);
}

function dots(places, colour) {
  const radius = 2.3 * canvas.width / canvas.clientWidth;
  context.beginPath();
  for (let n = 0; n < places.length; n += 2) {
    const [x, y] = toCanvas([places[n], places[n + 1]]);
    context.moveTo(x + radius, y);
    context.arc(x, y, radius, 0, 7);
  }
  context.lineWidth = radius / 2;
  context.strokeStyle = colours.page;
  context.stroke();
  context.fillStyle = colour;
  context.fill();
}

/** Where all points are at a place between two moments of the film: on the line between both. */
function between(at) {
  const before = Math.floor(at), part = at - before, length = 2 * film.scene.points;
  const from = film.paths.subarray(before * length, (before + 1) * length);
  if (!part) return from.map(place => place);
  const to = film.paths.subarray((before + 1) * length, (before + 2) * length);
  return from.map((place, n) => place + part * (to[n] - place));
}

/** The moment from which a point's way is drawn: all of it, or where noise shakes it, only the last of it. */
function trailFrom(at) {
  const length = 2 * film.scene.points, last = film.log_snrs.length - 1;
  const gap = (n, a, b) => Math.hypot(film.paths[a * length + n] - film.paths[b * length + n], film.paths[a * length + n + 1] - film.paths[b * length + n + 1]);
  let way = 0, straight = 0;
  for (let n = 0; n < 2 * TRAILS; n += 2) {
    straight += gap(n, 0, last);
    for (let f = 0; f < last; f++) way += gap(n, f, f + 1);
  }
  return way > 3 * straight ? Math.max(0, at - 2) : 0;
}

function trails(at, places, colour) {
  const length = 2 * film.scene.points, first = trailFrom(at);
  context.beginPath();
  for (let n = 0; n < 2 * TRAILS; n += 2) {
    context.moveTo(...toCanvas([film.paths[first * length + n], film.paths[first * length + n + 1]]));
    for (let f = first + 1; f <= at; f++) context.lineTo(...toCanvas([film.paths[f * length + n], film.paths[f * length + n + 1]]));
    context.lineTo(...toCanvas([places[n], places[n + 1]]));
  }
  context.globalAlpha = 0.35;
  context.lineWidth = canvas.width / canvas.clientWidth;
  context.strokeStyle = colour;
  context.stroke();
  context.globalAlpha = 1;
}

/** A ring around each class, one standard deviation from its middle, where it is at the noise level shown. */
function rings(alpha, sigma) {
  const size = canvas.width / (2 * VIEW), radius = Math.hypot(alpha * SPREAD, sigma) * size;
  context.beginPath();
  for (const [x, y] of shown.scene.means) {
    const [left, top] = toCanvas([alpha * x, alpha * y]);
    context.moveTo(left + radius, top);
    context.arc(left, top, radius, 0, 7);
  }
  context.setLineDash([0.05 * size, 0.06 * size]);
  context.lineWidth = 1.2 * canvas.width / canvas.clientWidth;
  context.strokeStyle = colours.mute;
  context.stroke();
  context.setLineDash([]);
}

/** The guided score: its direction, and its length up to that of a cell. */
function arrows(at) {
  const cell = 2 * VIEW / ARROWS, score = film.score.subarray(at * 2 * ARROWS ** 2, (at + 1) * 2 * ARROWS ** 2);
  const size = canvas.width / (2 * VIEW);
  context.beginPath();
  for (let n = 0; n < score.length; n += 2) {
    const long = Math.hypot(score[n], score[n + 1]) / 127;
    if (long < 0.008) continue;
    const length = cell * (0.25 + 0.55 * Math.sqrt(long)), angle = Math.atan2(-score[n + 1], score[n]);
    const [x, y] = toCanvas([-VIEW + cell * (n / 2 % ARROWS + 0.5), -VIEW + cell * (Math.floor(n / 2 / ARROWS) + 0.5)]);
    const dx = Math.cos(angle) * length * size / 2, dy = Math.sin(angle) * length * size / 2;
    context.moveTo(x - dx, y - dy);
    context.lineTo(x + dx, y + dy);
    for (const turn of [2.6, -2.6]) {
      context.moveTo(x + dx, y + dy);
      context.lineTo(x + dx + Math.cos(angle + turn) * cell * size / 7, y + dy + Math.sin(angle + turn) * cell * size / 7);
    }
  }
  context.globalAlpha = 0.55;
  context.lineWidth = 1.1 * canvas.width / canvas.clientWidth;
  context.strokeStyle = colours.mute;
  context.stroke();
  context.globalAlpha = 1;
}

function paint(now) {
  drawing = false;
  if (playing) {
    playing.since ??= now;
    moment = Math.min(1, playing.from + (now - playing.since) / 1000 / SECONDS);
    if (moment === 1) stop();
    else redraw();
  }
  if (!shown) return;
  const pixels = Math.round(canvas.clientWidth * Math.min(2, devicePixelRatio));
  if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
  context.clearRect(0, 0, canvas.width, canvas.height);
  const colour = colours[guided(shown.scene) ? 'guided' : 'unguided'];
  const filmed = film && same(film.scene, shown.scene), last = filmed && film.log_snrs.length - 1;
  const at = filmed ? moment * last : 0, finished = !filmed || at === last;
  const level = finished ? last : Math.min(Math.round(at), last - 1);  // the last is the clean end, and no λ
  const cells = filmed && film.heat.length / (last + 1);
  if (finished) drawHeat(shown.heat, MEASURED);
  else drawHeat(heatAt(level, cells), VIEW);
  const lambda = finished ? Infinity : film.log_snrs[level];
  rings(Math.sqrt(1 / (1 + Math.exp(-lambda))), Math.sqrt(1 / (1 + Math.exp(lambda))));
  if (filmed && $('.arrows').checked) arrows(level);
  if (truth) dots(shown.exact, colours.ink);
  else if (finished) dots(shown.points, colour);
  else {
    const places = between(at);
    trails(Math.floor(at), places, colour);
    dots(places, colour);
  }
  describe(filmed, level, finished);
}

const heats = new Map();  // subarrays of the film's heat, one object each, so that a tinted map is known again
function heatAt(level, cells) {
  if (!heats.has(level)) heats.set(level, film.heat.subarray(level * cells, (level + 1) * cells));
  return heats.get(level);
}

/** Draw before the next frame of the display. */
function redraw() {
  if (!drawing) requestAnimationFrame(paint);
  drawing = true;
}

// ---- words ---------------------------------------------------------------------------------------------------------

function describe(filmed, level, finished) {
  const {scene} = shown;
  const lambda = filmed && film.log_snrs[level];
  const where = finished ? 'clean samples' : `λ = ${fixed(lambda)}`;
  $('.moment').value = Math.round(1000 * (filmed ? moment : 1));
  $('.moment').setAttribute('aria-valuetext', where);
  $('footer output').textContent = where;
  const what = {tilted: 'p(x|c) p(c|x)ʷ', class: 'p(x|c)', all: 'p(x)'}[scene.density];
  const density = finished ? what : what.replaceAll('x', 'z');
  const who = truth ? `${scene.points} exact draws` : `${scene.points} samples`;
  $('figcaption').textContent = `${who} over ${density}${finished ? '' : ', both at ' + where}`;
  canvas.setAttribute('aria-label', `${who} of class ${CLASSES[scene.class]} at w = ${number(scene.w)}, over the density ${density}; ${where}`);
  Object.assign(canvas.dataset, {w: scene.w, class: scene.class, moment: finished ? 1 : moment, truth});
  $('.cost').textContent = `${SAMPLERS[scene.sampler]}, ${scene.steps} steps, ${shown.milliseconds} ms`;
}

function sentence({scene, distance, floor}) {
  const figures = `distance ${fixed(distance, 2)}, where ${scene.points} exact draws have ${fixed(floor, 2)}.`;
  const follows = distance < 2 * floor;
  if (!guided(scene)) {
    return follows ? [`No guidance, no miss: ${figures}`, 'At w = 0 the samples follow p(x|c), as they should. Now drag w.']
      : [`Too few steps: ${figures}`, 'At w = 0 the whole distance is the sampler’s; more steps take it away.'];
  }
  if (scene.langevin) {
    return [(follows ? 'Corrected, the samples follow the tilted density: ' : 'Corrected, the samples come closer: ') + figures,
      'Langevin steps at each λ go along the same guided score, and towards its density.'];
  }
  return follows ? [`The samples are near the density they are said to follow: ${figures}`, 'Drag w up, or move the classes together.']
    : [`The samples miss the density they are said to follow: ${figures}`,
      'Guidance gives the right score at each λ, but these densities are not one diffusion’s. More steps do not help; Langevin steps do.'];
}

function tell() {
  const {scene, distance, floor} = shown, [strong, rest] = sentence(shown);
  $('.mine b').textContent = fixed(distance, 2);
  $('.mine span').textContent = 'the samples’ distance';
  $('.exact b').textContent = fixed(floor, 2);
  $('.exact span').textContent = `of ${scene.points} exact draws`;
  $('.sentence strong').textContent = strong;
  $('.sentence span').textContent = rest;
  lab.classList.toggle('plain', !guided(scene));
  Object.assign(lab.dataset, {distance, floor});
}

function say(message) {
  $('.message').textContent = message || '';
  $('.message').hidden = !message;
}

// ---- the server ----------------------------------------------------------------------------------------------------

const floats = base64 => new Float32Array(bytes(base64).buffer);

async function pump() {
  if (busy) return;
  busy = true;
  while (want && !same(want, shown?.scene)) {
    const ask = want, since = performance.now(), reply = await server.draw(ask).catch(() => null);
    if (!reply) {
      say('The server does not answer; trying again.');
      await new Promise(resume => setTimeout(resume, 1000));
      continue;
    }
    if (!reply.ok) {
      notice = reply.error;
      if (ask === want) want = shown.scene;
      reflect(true);
      continue;
    }
    const {points, exact, heat: values, ...figures} = reply;
    shown = {...figures, points: floats(points), exact: floats(exact), heat: bytes(values), milliseconds: Math.round(performance.now() - since)};
    if (ask === want) want = shown.scene;
    tell();
    redraw();
  }
  busy = false;
  say(notice);
  if (moment < 1 && !await fetchFilm()) return;
  lab.dataset.state = 'resting';
  address();
  clearTimeout(resting);
  resting = setTimeout(() => { if (!busy) fetchFilm(); }, REST);
  $('.spoken').textContent = $('.sentence strong').textContent;
}

/** Have the way of what is shown; whether it is here. */
async function fetchFilm() {
  if (film && same(film.scene, shown.scene)) return true;
  const reply = await server.film(shown.scene).catch(() => null);
  if (!reply?.ok) {
    say(reply ? reply.error : 'The server does not answer; try again.');
    return false;
  }
  if (!same(reply.scene, shown.scene)) return false;
  film = {
    scene: reply.scene, log_snrs: reply.log_snrs, heat: bytes(reply.heat), score: new Int8Array(bytes(reply.score).buffer),
    paths: Float32Array.from(new Int16Array(bytes(reply.paths).buffer), place => place * PATH_UNIT),
  };
  heats.clear();
  redraw();
  return true;
}

/** The scene's fields that are not the default's stand in the address bar. */
function address() {
  inAddress(Object.fromEntries(Object.entries(shown.scene).map(([name, value]) => [
    'plane_' + name, same(value, DEFAULT[name]) ? null : String(value),
  ])));
}

/** The scene's fields in a link: numbers where they are numbers, means as three points. */
function linked() {
  const read = raw => { try { return JSON.parse(raw); } catch { return raw; } };
  const given = [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith('plane_'));
  const fields = Object.fromEntries(given.map(([name, value]) => [name.slice(6), read(value)]));
  if (typeof fields.means === 'string') {
    const all = read(`[${fields.means}]`);
    if (Array.isArray(all)) fields.means = all.reduce((pairs, value, n) => (n % 2 ? pairs.at(-1).push(value) : pairs.push([value]), pairs), []);
  }
  return fields;
}

// ---- state and controls --------------------------------------------------------------------------------------------

function change(fields) {
  want = {...want, ...fields};
  notice = '';
  truth = false;
  lab.dataset.state = 'drawing';
  reflect();
  pump();
}

async function scrub(to) {
  stop();
  truth = false;
  if (to < 1 && !await fetchFilm()) return;
  moment = to;
  press();
  redraw();
}

async function play() {
  if (playing) return stop();
  truth = false;
  press();
  if (!await fetchFilm() || playing) return;
  if (calm.matches) return scrub(moment >= 1 ? 0 : Math.min(1, moment + 0.1));  // nothing moves by itself
  playing = {from: moment >= 1 ? 0 : moment, since: null};
  lab.classList.add('playing');
  $('.play').textContent = '❚❚';
  redraw();
}

function stop() {
  playing = null;
  lab.classList.remove('playing');
  $('.play').textContent = '▶';
}

function press() {
  $('.mine').setAttribute('aria-pressed', !truth);
  $('.exact').setAttribute('aria-pressed', truth);
}

/** Make the controls say what is wanted, but leave alone what a person is typing; ``all``: that too. */
function reflect(all = false) {
  const {w, means} = want;
  $('.w').value = w;
  $('.w').setAttribute('aria-valuetext', `w = ${number(w)}, scale s = ${number(1 + w)}`);
  $('.strength output b').textContent = `w = ${fixed(w)}`;
  $('.strength output small').textContent = `scale s = 1 + w = ${fixed(1 + w)}`;
  for (const name of ['density', 'sampler', 'rule', 'langevin']) $('.' + name).value = want[name];
  $('.strength label small').replaceChildren(...formula(FORMULAS[want.rule]));
  for (const name of ['steps', 'seed']) if (all || document.activeElement !== $('.' + name)) $('.' + name).value = want[name];
  lab.querySelectorAll('.classes button').forEach((button, label) => {
    button.setAttribute('aria-checked', label === want.class);
    button.tabIndex = label === want.class ? 0 : -1;
  });
  lab.querySelectorAll('.handles button').forEach((handle, label) => {
    const [x, y] = means[label];
    handle.style.left = 50 + 50 * x / VIEW + '%';
    handle.style.top = 50 - 50 * y / VIEW + '%';
    handle.classList.toggle('on', label === want.class);
    handle.setAttribute('aria-label', `class ${CLASSES[label]} at ${number(x)}, ${number(y)}; arrow keys move it`);
  });
  press();
}

/** Move the middle of a class, no further than it may be. */
function place(label, x, y) {
  const bound = value => Math.round(100 * Math.max(-REACH, Math.min(REACH, value))) / 100;
  change({means: want.means.map((mean, n) => (n === label ? [bound(x), bound(y)] : mean))});
}

function handle(label) {
  const button = text('button', CLASSES[label]);
  button.type = 'button';
  button.addEventListener('pointerdown', event => { button.setPointerCapture(event.pointerId); });
  button.addEventListener('pointermove', event => {
    if (!button.hasPointerCapture(event.pointerId)) return;
    const box = canvas.getBoundingClientRect();
    place(label, ((event.clientX - box.left) / box.width * 2 - 1) * VIEW, (1 - (event.clientY - box.top) / box.height * 2) * VIEW);
  });
  button.addEventListener('keydown', event => {
    const by = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]}[event.key];
    if (!by) return;
    event.preventDefault();
    const [x, y] = want.means[label], step = event.shiftKey ? 0.5 : 0.1;
    place(label, x + step * by[0], y + step * by[1]);
  });
  return button;
}

function choice(name, label) {
  const button = text('button', name);
  Object.assign(button, {type: 'button'});
  button.setAttribute('role', 'radio');
  button.setAttribute('aria-label', `class ${name}`);
  button.addEventListener('click', () => change({class: label}));
  button.addEventListener('keydown', event => {
    const by = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1}[event.key];
    if (!by) return;
    event.preventDefault();
    const to = (label + by + CLASSES.length) % CLASSES.length;
    $('.classes').children[to].focus();
    change({class: to});
  });
  return button;
}

function build() {
  $('.handles').replaceChildren(...CLASSES.map((_, label) => handle(label)));
  $('.classes').replaceChildren(...CLASSES.map(choice));
  $('.sampler').replaceChildren(...Object.entries(SAMPLERS).map(([name, title]) => new Option(title, name)));
  $('.rule').replaceChildren(...Object.entries(RULES).map(([name, title]) => new Option(title, name)));
  $('.ruled').hidden = Object.keys(RULES).length < 2;
  $('.langevin').replaceChildren(new Option('none', 0), ...[1, 2, 4, 8].map(count => new Option(count, count)));
  $('.track ol').replaceChildren(...Array.from({length: 9}, (_, w) => text('li', w)));
}

function listen() {
  $('.w').addEventListener('input', () => change({w: Math.round(10 * $('.w').value) / 10}));
  for (const name of ['density', 'sampler', 'rule']) $('.' + name).addEventListener('change', () => change({[name]: $('.' + name).value}));
  $('.langevin').addEventListener('change', () => change({langevin: +$('.langevin').value}));
  for (const name of ['steps', 'seed']) {
    $('.' + name).addEventListener('change', ({target: {value}}) => change({[name]: value.trim() && isFinite(value) ? +value : value}));
  }
  $('.moment').addEventListener('input', () => scrub($('.moment').value / 1000));
  $('.play').addEventListener('click', play);
  $('.arrows').addEventListener('change', redraw);
  $('.mine').addEventListener('click', () => { truth = false; press(); redraw(); });
  $('.exact').addEventListener('click', () => { stop(); moment = 1; truth = true; press(); redraw(); });
  lab.addEventListener('keydown', event => {
    if (event.key !== ' ' || event.repeat || event.target.closest('button, select, input:not([type="range"])')) return;
    event.preventDefault();
    play();
  });
  document.addEventListener('visibilitychange', () => { if (document.hidden) stop(); });
  new ResizeObserver(redraw).observe(canvas);
  const recoloured = () => { readColours(); redraw(); };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recoloured);
  new MutationObserver(recoloured).observe(document.body, {attributeFilter: ['class']});
  $('.link').addEventListener('click', async () => {
    const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
    $('.link').textContent = copied ? 'link copied' : 'the link is in the address bar';
    setTimeout(() => { $('.link').textContent = 'copy link'; }, 2000);
  });
}

async function open() {
  lab.append($('template').content);
  canvas = $('canvas');
  context = canvas.getContext('2d');
  const reply = await server.restore(linked());
  readColours();
  build();
  listen();
  change(reply.scene);
  notice = reply.notice;
}

whenSeen(lab, () => open().catch(error => say(`The 2-D lab could not start: ${error.message}.`)));
