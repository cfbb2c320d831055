// The Explore canvas. Runs once its markup is on the page; Gradio provides `element` and `server`.
//
// `want` is what the controls say. The pump asks the server for it, one request in flight at a time; the next request
// always carries the newest want, so an older one is simply never asked for again. What is drawn carries the w it was
// computed at, whatever the thumb says by then.

const lab = element.querySelector('.lab');
const $ = selector => lab.querySelector(selector);
const panes = ['unguided', 'guided'].map(name => {
  const figure = $('.pane.' + name);
  return {
    name, figure, canvas: figure.querySelector('canvas'), shown: figure.querySelector('.shown'),
    names: figure.querySelector('.names'), progress: figure.querySelector('progress'), frame: null,
  };
});
const controls = {
  class: $('.class'), w: $('.w'), below: $('.below'), sampler: $('.sampler'), steps: $('.steps'),
  samples: $('.samples'), seed: $('.seed'),
};

let model = null;     // what the server runs: {classes, samplers, size, channels, …}
let token = null;     // who we are to the server
let want = null;      // the fields of a GridRequest
let asked = null;     // the last want that the server accepted
const held = new Map();  // serial → {evaluations, pixels}: what has come of the wanted grids; at w = 0 both are one
let notice = '';      // what a person should still read, until they do something
let pumping = false;

const number = w => String(+w.toFixed(6)).replace('-', '−');
const fixed = w => (number(w).includes('.') ? number(w) : number(w) + '.0');
const className = label => label === 'all' ? 'all classes' : model.classes[label];

// ---- pictures ------------------------------------------------------------------------------------------------------

const bytes = base64 => Uint8Array.from(atob(base64), c => c.charCodeAt(0));

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

function show(pane, frame) {
  const {classes, samples, w, evaluations, total} = frame;
  if (frame.pixels) {
    const raw = bytes(frame.pixels), several = classes.length > 1;
    const length = model.size * model.size * model.channels;
    const pixels = several ? transposed(raw, classes.length, samples, length) : raw;
    const columns = several ? classes.length : Math.ceil(Math.sqrt(samples));
    draw(pane.canvas, pixels, classes.length * samples, columns, model.size, model.channels);
    pane.names.replaceChildren(...(several ? classes.map(label => text('span', model.classes[label])) : []));
    pane.names.style.setProperty('--columns', columns);
    const what = several ? 'all classes' : className(classes[0]);
    pane.canvas.setAttribute('aria-label', `${classes.length * samples} ${pane.name} samples of ${what} at w = ${number(w)}`);
    Object.assign(pane.canvas.dataset, {w, classes: classes.join(), seed: frame.seed, evaluations, done: frame.done});
    const step = frame.done ? '' : `step ${evaluations} of ${total} · `;
    pane.shown.textContent = `${step}w = ${fixed(w)}`;
  }
  pane.progress.value = evaluations / total;
  pane.frame = {serial: frame.serial, evaluations, total, done: frame.done, seconds: frame.seconds, w, pictures: classes.length * samples};
}

// ---- the server ----------------------------------------------------------------------------------------------------

/** Pixels come once for each grid and evaluation; a frame without them repeats what is held. */
function receive(frames) {
  for (const {serial, evaluations, pixels} of frames) {
    if (pixels || !held.has(serial)) held.set(serial, {evaluations, pixels});
  }
  for (const serial of held.keys()) {
    if (!frames.some(frame => frame.serial === serial)) held.delete(serial);
  }
  frames.forEach((frame, i) => show(panes[i], {...frame, pixels: held.get(frame.serial).pixels}));
}

/** Become known to the server; a query restores the state of a link. */
async function enter(query) {
  const reply = await server.enter({query});
  if (!reply) throw new Error('the server did not answer');
  token = reply.token;
  return reply;
}

async function pump() {
  if (pumping) return;
  pumping = true;
  try {
    while (want !== asked || panes.some(pane => !pane.frame?.done)) {
      const ask = want;
      const seen = Object.fromEntries([...held].map(([serial, {evaluations}]) => [serial, evaluations]));
      const reply = await server.pull({token, want: ask, seen}).catch(() => null);
      if (!reply || (reply.unknown && !await enter({}).catch(() => null))) {
        say('The server does not answer; trying again.');
        await new Promise(resume => setTimeout(resume, 1000));
        continue;
      }
      if (reply.unknown || want !== ask) continue;
      if (!reply.ok) {
        notice = reply.error;
        say(notice);
        if (!asked) break;
        want = asked;
        reflect();
        controls.steps.value = want.steps;
        controls.seed.value = want.seed;
        continue;
      }
      want = asked = reply.want;
      receive(reply.frames);
      const failed = reply.frames.find(frame => frame.error);
      say(failed ? failed.error : notice);
      remember(reply.url);
      describe();
    }
  } finally {
    pumping = false;
    lab.dataset.state = 'resting';
    speak();
  }
}

function say(message) {
  $('.message').textContent = message || '';
  $('.message').hidden = !message;
}

// ---- state and controls --------------------------------------------------------------------------------------------

/** Ask for something else; whatever is missing stays as it is. */
function change(fields) {
  want = {...want, ...fields};
  notice = '';
  lab.dataset.state = 'drawing';
  reflect();
  pump();
}

/** Make the controls say what is wanted, but leave alone what a person is typing. */
function reflect() {
  const all = want.class === 'all', label = all ? model.classes.length : want.class;
  controls.class.value = label;
  controls.class.setAttribute('aria-valuetext', className(want.class));
  lab.querySelectorAll('.rail li').forEach((stop, i) => stop.classList.toggle('on', i === label));
  if (want.w < 0) controls.below.checked = true;
  const low = controls.below.checked ? -1 : 0;
  controls.w.min = low;
  controls.w.value = want.w;
  controls.w.setAttribute('aria-valuetext', `w = ${number(want.w)}, scale s = ${number(1 + want.w)}`);
  $('.track').style.setProperty('--low', low);
  $('.track').style.setProperty('--at', (want.w - low) / (8 - low));
  $('.track ol').replaceChildren(...Array.from({length: 9 - low}, (_, i) => text('li', number(i + low))));
  $('.strength output b').textContent = `w = ${fixed(want.w)}`;
  $('.strength output small').textContent = `scale s = 1 + w = ${fixed(1 + want.w)}`;
  controls.sampler.value = want.sampler;
  if (document.activeElement !== controls.steps) controls.steps.value = want.steps;
  if (document.activeElement !== controls.seed) controls.seed.value = want.seed;
  if (![...controls.samples.options].some(option => +option.value === want.samples)) {
    controls.samples.append(new Option(want.samples, want.samples));
  }
  controls.samples.value = want.samples;
  $('.each').textContent = all ? 'of each class' : '';
  const [strong, rest] = sentence(want.w, all ? 'picture' : className(want.class).toLowerCase().replace('-', '\u2011'), want.samples);
  $('.sentence strong').textContent = strong;
  $('.sentence span').textContent = rest;
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
  const frames = panes.map(pane => pane.frame), guided = frames[1];
  $('.denoising').textContent = `denoising ${guided.evaluations} / ${guided.total}`;
  const sampler = model.samplers.find(each => each.name === want.sampler);
  $('.settings').textContent = `${sampler.title}, ${want.steps} steps`;
  const seconds = Math.max(...frames.map(frame => frame.seconds));
  $('.cost').textContent = frames.every(frame => frame.done) ? `computed here in ${seconds.toFixed(1)} s` : 'computing';
}

/** Tell a screen reader once a picture is finished. */
function speak() {
  const guided = panes[1].frame;
  if (guided?.done) $('.spoken').textContent = `${className(want.class)}, w = ${number(guided.w)}: ${guided.pictures} samples drawn.`;
}

function remember(url) {
  const mine = new URLSearchParams(url), kept = new URLSearchParams(location.search);
  for (const [name, value] of mine) kept.set(name, value);
  history.replaceState(history.state, '', '?' + kept.toString().replaceAll('%2C', ','));
}

function text(tag, content) {
  const node = document.createElement(tag);
  node.textContent = content;
  return node;
}

function choose(label) {
  const all = label === model.classes.length;
  const fields = {class: all ? 'all' : label};
  if (all !== (want.class === 'all')) fields.samples = all ? 4 : 16;
  if (fields.class !== want.class) change(fields);
}

function buildRail(pictures) {
  const {classes, size, channels} = model, length = size * size * channels, raw = bytes(pictures);
  const stop = (name, pixels, count) => {
    const item = document.createElement('li'), canvas = document.createElement('canvas');
    draw(canvas, pixels, count, Math.ceil(Math.sqrt(count)), size, channels);
    item.append(canvas, text('span', name));
    return item;
  };
  const stops = classes.map((name, i) => stop(name, raw.subarray(i * length, (i + 1) * length), 1));
  if (classes.length > 1) stops.push(stop('All', raw, Math.min(classes.length, 9)));
  $('.rail ol').replaceChildren(...stops);
  $('.rail').style.setProperty('--stops', stops.length);
  controls.class.max = stops.length - 1;
}

function listen() {
  const rail = $('.rail'), stops = [...rail.querySelectorAll('li')];
  const under = event => stops.findIndex(stop => {
    const box = stop.getBoundingClientRect();
    return event.clientX >= box.left && event.clientX < box.right && event.clientY >= box.top && event.clientY < box.bottom;
  });
  const drag = event => { const stop = under(event); if (stop >= 0) choose(stop); };
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

  controls.w.addEventListener('input', () => change({w: Math.round(controls.w.value * 10) / 10}));
  controls.below.addEventListener('change', () => change(controls.below.checked ? {} : {w: Math.max(0, want.w)}));
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
  $('.link').addEventListener('click', async () => {
    const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
    $('.link').textContent = copied ? 'link copied' : 'the link is in the address bar';
    setTimeout(() => { $('.link').textContent = 'copy link'; }, 2000);
  });
}

async function open() {
  const reply = await enter(Object.fromEntries(new URLSearchParams(location.search)));
  model = reply.model;
  controls.sampler.replaceChildren(...model.samplers.map(each => new Option(each.title, each.name)));
  controls.samples.replaceChildren(...[1, 4, 9, 16, 25, 36, 64].map(n => new Option(n, n)));
  $('.model').textContent = model.about;
  buildRail(reply.rail);
  listen();
  change(reply.want);
  notice = reply.notice;
}

open().catch(error => say(`The page could not start: ${error.message}.`));
