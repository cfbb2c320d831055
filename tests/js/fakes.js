// A server, a description and frames that are made up, for the tests of the page's scripts.

export const MODEL = {
  hash: 'a1', classes: ['cat', 'dog'], size: 1, channels: 1, about: '', meters: true, remote: false, rail_pictures: true,
  rules: [
    {name: 'cfg', title: 'CFG', formula: ''},
    {name: 'interval', title: 'Interval', formula: '', parameters: [
      {name: 'log_snr_low', symbol: 'λ low', low: -20, high: 20, default: -3, step: 0.5, help: 'from where'},
    ]},
  ],
  samplers: [
    {name: 'ddim', title: 'DDIM', steps: 32, parameters: [
      {name: 'eta', symbol: 'η', low: 0, high: 1, default: 0, step: 0.1, help: 'noise'},
    ]},
    {name: 'dpmpp_2m', title: 'DPM', steps: 12, parameters: []},
  ],
  ladder: [0, 1, 2, 3, 4, 6, 8], below: [-1, -0.5], strip_pictures: 64, curve: null,
};

export const REQUEST = {
  model: 'a1', class: 0, w: 3, seed: 7, samples: 1, sampler: 'dpmpp_2m', steps: 12, rule: 'cfg', vs: {},
};

/** A frame as the server sends it; its pixel says which evaluation it is of. */
export function frame(serial, w, evaluations, fields = {}) {
  return {
    serial, w, classes: [0], samples: 1, seed: 7, evaluations, total: 12, done: evaluations === 12, seconds: 0.1,
    precomputed: false, error: null, meter: null, pixels: btoa(String.fromCharCode(evaluations)), ...fields,
  };
}

/** What a poll is answered: both grids after so many evaluations. */
export function answer(request, evaluations, fields = {}) {
  return {
    ok: true, frames: [frame(1, 0, evaluations), frame(2, request.w, evaluations)], strip: [], reference_strip: [], rungs: 0, missing: 0,
    ahead: 0, queue_position: 0, remote_calls: 0, request: {...request}, url: `?w=${request.w}`, ...fields,
  };
}

/** A promise and the functions that end it. */
export function deferred() {
  let resolve, reject;
  const promise = new Promise((yes, no) => { resolve = yes; reject = no; });
  return {promise, resolve, reject};
}

/** A server whose functions answer what a test says; what it was asked is kept. */
export function fakeServer(functions = {}) {
  const asked = [];
  const server = {asked, of: name => asked.filter(call => call[0] === name).map(call => call[1])};
  const defaults = {
    open_session: () => ({ok: true, token: 'again', model: MODEL, models: [], rail: '', request: REQUEST, notice: ''}),
    pause_session: () => ({ok: true, queue_position: 0}),
    close_session: () => ({ok: true}),
  };
  const names = ['open_session', 'describe_model', 'poll', 'rail', 'trajectory', 'pause_session', 'close_session', 'restore', 'draw'];
  for (const name of names) {
    server[name] = async ask => {
      asked.push([name, ask]);
      const answer = functions[name] ?? defaults[name];
      return answer ? answer(ask) : null;
    };
  }
  return server;
}

/** Let everything that is ready run. */
export const settled = async (turns = 50) => { for (let n = 0; n < turns; n++) await Promise.resolve(); };
