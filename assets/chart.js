// Curves over w as inline SVG, drawn at the size it has on the page: the charts of the trade-off tab, and the small one
// in Explore. It draws and finds; what a point does is up to whoever asked for the chart.

const DASHES = ['', '7 4', '2 3', '9 3 2 3', '4 2', '1 3 6 3'];
const MARKS = [  // around the origin: disc, square, triangle, diamond, hexagon, bow tie
  'M-4,0a4,4 0 1 0 8,0a4,4 0 1 0 -8,0', 'M-3.5,-3.5h7v7h-7z', 'M0,-4.6L4.4,3.4h-8.8z', 'M0,-5L5,0L0,5L-5,0z',
  'M-2.4,-4.2h4.8L4.8,0L2.4,4.2h-4.8L-4.8,0z', 'M-4,-4L4,4V-4L-4,4z',
];
const LINE = 17;  // pixels of a line of a label

function shape(tag, attributes = {}, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Round numbers from low to high, about five; on a logarithmic axis 1, 2 and 5 of each decade, of many decades 1 and 3. */
function ticks(low, high, log) {
  if (log) {
    const decades = Array.from({length: Math.floor(Math.log10(high)) - Math.floor(Math.log10(low)) + 1},
      (_, i) => Math.floor(Math.log10(low)) + i);
    const inside = decades.flatMap(d => (decades.length > 3 ? [1, 3] : [1, 2, 5]).map(digit => digit * 10 ** d));
    return inside.filter(value => value >= low && value <= high);
  }
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find(digit => digit * power >= rough) * power;
  return Array.from({length: Math.floor(high / step) - Math.ceil(low / step) + 1}, (_, i) => (Math.ceil(low / step) + i) * step);
}

/** From figures to pixels between two ends. Logarithmic where the figures, none of them 0, span more than a factor 10. */
function scale(figures, others, from, to) {
  const log = Math.min(...figures) > 0 && Math.max(...figures) > 10 * Math.min(...figures);
  const all = [...figures, ...others.filter(value => !log || value > 0)], f = log ? Math.log10 : value => value;
  const [low, high] = [f(Math.min(...all)), f(Math.max(...all))], room = (high - low || 1) * 0.07;
  const [first, last] = [low - room, high + room];
  const invert = log ? value => 10 ** value : value => value;
  return {
    log, low: invert(first), high: invert(last),
    at: value => from + (f(value) - first) / (last - first) * (to - from),
    ticks: ticks(invert(first), invert(last), log),
  };
}

/** Places for labels: each gets the first around its point that covers nothing, or that which covers least. */
function places(area) {
  const taken = [];
  const covered = box => taken.filter(other => box.left < other.right && box.right > other.left
    && box.top < other.bottom && box.bottom > other.top).length;
  const within = (from, length, low, high) => Math.max(low, Math.min(high - length, from));
  const around = (x, y, half) => ({left: x - half, right: x + half, top: y - half, bottom: y + half});
  return {
    take: (x, y, half) => { taken.push(around(x, y, half)); },
    label(x, y, width, height, keep = true) {
      let best = null;
      for (const far of [10, 20, 34, 50, 80, 120]) {
        for (const [dx, dy] of [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1]]) {
          const left = within(x + dx * (far + width / 2) - width / 2, width, area.left, area.right);
          const top = within(y + dy * (far + height / 2 - 4) - height / 2, height, area.top, area.bottom);
          const box = {left, right: left + width, top, bottom: top + height};
          const cost = covered(box);
          if (!best || cost < best.cost) best = {cost, box};
        }
        if (best.cost === 0) break;
      }
      if (keep) taken.push(best.box);
      return best.box;
    },
  };
}

/** On which side of the measured w, in ascending order, w lies; nothing where it lies among them. */
function beyond(measured, w) {
  if (w > measured.at(-1)) return `measured up to w = ${number(measured.at(-1))}`;
  return w < measured[0] ? `measured from w = ${number(measured[0])}` : '';
}

/** Fill an <svg> with curves.
 *
 * x, y: {name, title}, the metric and what the axis says. curves: [{title, main, points}], each point {w, name, name_low,
 * name_high, …}, by w. floor: a point of real pictures, or null. small: no ticks, no marks but the one at w = 0.
 * names: whether points are labelled by their w, and not lines by their title.
 * → {move(curve, w, note): the dot, or away with it where curve is null; nearest(event): [curve, point] under a pointer,
 * or null; point(curve, point): its element}
 */
function chart(node, {x, y, curves, floor, small, names}) {
  let area, scales, elements, spots, labels;
  let dot = null;

  const spot = point => [scales.x.at(point[x.name]), scales.y.at(point[y.name])];
  const tone = c => curves[c].main ? 'main' : `other-${c % DASHES.length}`;
  const look = (list, c) => list[curves[c].main ? 0 : c % list.length];
  const stroke = (c, d) => shape('path', {class: 'line', d, 'stroke-dasharray': look(DASHES, c)});
  const sign = (c, px, py) => shape('path', {class: 'mark', d: look(MARKS, c), transform: `translate(${px} ${py})`});
  const written = (lines, box, name) => shape('text', {class: name, x: (box.left + box.right) / 2, y: box.top + 13},
    ...lines.map((line, i) => shape('tspan', {x: (box.left + box.right) / 2, dy: i && LINE}, line)));
  const label = (lines, [px, py], name, keep) =>
    written(lines, labels.label(px, py, 7 * Math.max(...lines.map(line => line.length)) + 4, LINE * lines.length, keep), name);

  function draw() {
    const width = node.clientWidth, height = node.clientHeight;
    if (!width || !height) return;
    const points = curves.flatMap(curve => curve.points), extra = floor ? [floor] : [];
    area = small ? {left: 24, right: width - 6, top: 8, bottom: height - 24} : {left: 52, right: width - 12, top: 12, bottom: height - 46};
    const over = (axis, from, to) => scale(points.map(p => p[axis.name]), extra.map(p => p[axis.name]), from, to);
    scales = {x: over(x, area.left, area.right), y: over(y, area.bottom, area.top)};
    labels = places({...area, left: area.left + 6});
    spots = curves.map(curve => curve.points.map(spot));
    for (const way of spots) {
      way.forEach(([px, py], i) => {
        const [nx, ny] = way[i + 1] ?? [px, py], pieces = Math.ceil(Math.hypot(nx - px, ny - py) / 6) || 1;
        for (let n = 0; n < pieces; n++) labels.take(px + (nx - px) * n / pieces, py + (ny - py) * n / pieces, 5);
      });
    }
    node.replaceChildren(...axes(), ...(floor ? real() : []));
    elements = curves.map((curve, c) => {
      const group = shape('g', {class: `curve ${tone(c)}`}, stroke(c, 'M' + spots[c].map(([px, py]) => `${px},${py}`).join('L')));
      const marks = curve.points.map((_, p) => mark(c, p));
      group.append(...(small ? marks.filter((_, p) => curve.points[p].w === 0) : marks));
      node.append(group);
      return marks;
    });
    if (names) {
      curves.forEach((curve, c) => named(c).forEach(p => node.append(label([`w = ${number(curve.points[p].w)}`], spots[c][p], 'value'))));
    } else node.append(...titles());
    node.append(shape('g', {class: 'now'}));
    Object.assign(node.dataset, Object.fromEntries(['x', 'y'].flatMap(axis => Object.entries({
      low: scales[axis].low, high: scales[axis].high, log: scales[axis].log,
    }).map(([name, value]) => [axis + name[0].toUpperCase() + name.slice(1), value]))), {area: Object.values(area).join()});
    move(...(dot ?? [null]));
  }

  /** The points that are labelled: the ends and the lowest; then others by w while there is room between them. */
  function named(c) {
    const {points} = curves[c], lowest = points.reduce((a, b, i) => (b[y.name] < points[a][y.name] ? i : a), 0);
    const zero = points.findIndex(point => point.w === 0);
    if (small) return [zero].filter(p => p >= 0);
    const chosen = [];
    for (const p of new Set([0, points.length - 1, lowest, ...points.keys()])) {
      const [px, py] = spots[c][p];
      if (chosen.every(q => Math.hypot(px - spots[c][q][0], py - spots[c][q][1]) > 56)) chosen.push(p);
    }
    return chosen;
  }

  /** The lines' titles, one under the other where there is room near their ends, each with its dash and its mark. */
  function titles() {
    const ends = spots.map((way, c) => ({c, at: way.at(-1)})).sort((a, b) => a.at[1] - b.at[1]);
    const middle = [0, 1].map(axis => ends.reduce((sum, {at}) => sum + at[axis], 0) / ends.length);
    const width = 44 + 7.6 * Math.max(...curves.map(curve => curve.title.length));
    const box = labels.label(...middle, width + 8, LINE * ends.length);
    box.left += 8;
    return ends.map(({c, at: [px, py]}, row) => {
      const y = box.top + LINE * (row + 0.5), end = box.left + 42 + 7.6 * curves[c].title.length;
      const from = px < box.left ? [box.left, y] : px > end ? [end, y] : [px, py < box.top ? box.top : box.bottom];
      return shape('g', {class: `title ${tone(c)}`}, shape('path', {class: 'leader', d: `M${from}L${px},${py}`}),
        stroke(c, `M${box.left},${y}h30`), sign(c, box.left + 15, y), shape('text', {x: box.left + 38, y: y + 4.5}, curves[c].title));
    });
  }

  function mark(c, p) {
    const point = curves[c].points[p], [px, py] = spots[c][p];
    const [horizontal, vertical] = [x, y].map(axis => [`${axis.name}_low`, `${axis.name}_high`]);
    const cross = point[horizontal[0]] === undefined ? [] : [shape('path', {
      class: 'interval',
      d: `M${clip('x', point[horizontal[0]])},${py}H${clip('x', point[horizontal[1]])}M${px},${clip('y', point[vertical[0]])}V${clip('y', point[vertical[1]])}`,
    })];
    const ring = shape('circle', {class: 'ring', cx: px, cy: py, r: 9});
    return shape('g', {
      class: point.w === 0 ? 'point zero' : 'point', 'data-curve': c, 'data-point': p, 'data-w': point.w,
      'data-x': point[x.name], 'data-y': point[y.name], 'data-px': px, 'data-py': py,
    }, ...cross, sign(c, px, py), ring);
  }

  /** In pixels, but within the axes. */
  function clip(axis, value) {
    const {at, low, high} = scales[axis];
    return at(Math.min(high, Math.max(low, value)));
  }

  function axes() {
    const {left, right, top, bottom} = area, parts = [shape('path', {class: 'axis', d: `M${left},${top}V${bottom}H${right}`})];
    if (!small) {
      for (const value of scales.x.ticks) {
        const at = scales.x.at(value);
        parts.push(shape('path', {class: 'tick', d: `M${at},${bottom}v5`}), shape('text', {class: 'tick-x', x: at, y: bottom + 19}, number(value)));
      }
      for (const value of scales.y.ticks) {
        const at = scales.y.at(value);
        parts.push(shape('path', {class: 'grid', d: `M${left},${at}H${right}`}), shape('text', {class: 'tick-y', x: left - 8, y: at + 4}, number(value)));
      }
    }
    const title = (axis, {log}) => `${axis.title}${log ? small ? ' (log)' : ' (log scale)' : ''} →`;
    parts.push(shape('text', {class: 'axis-x', x: right, y: node.clientHeight - 6}, title(x, scales.x)));
    parts.push(shape('text', {class: 'axis-y', transform: `translate(13 ${top}) rotate(-90)`}, title(y, scales.y)));
    return parts;
  }

  function real() {
    const [px, py] = [clip('x', floor[x.name]), clip('y', floor[y.name])];
    labels.take(px, py, 7);
    return [
      shape('path', {class: 'floor', d: 'M-6,0H6M0,-6V6', transform: `translate(${px} ${py})`, 'data-x': floor[x.name], 'data-y': floor[y.name]}),
      label(['real', 'pictures'], [px, py], 'floor-name'),
    ];
  }

  /** Between two measured points the dot lies on the line between them; beyond them, at the end. */
  function move(c, w, note = '') {
    dot = c === null ? null : [c, w, note];
    const layer = node.querySelector('.now');
    if (!layer) return;
    if (!dot) return layer.replaceChildren();
    const {points} = curves[c], after = points.findIndex(point => point.w >= w);
    const to = after === -1 ? points.length - 1 : after, from = points[to].w <= w ? to : Math.max(0, to - 1);
    const share = from === to ? 0 : (w - points[from].w) / (points[to].w - points[from].w);
    const [px, py] = [0, 1].map(axis => spots[c][from][axis] + share * (spots[c][to][axis] - spots[c][from][axis]));
    const disc = shape('circle', {class: w === 0 ? 'dot zero' : 'dot', cx: px, cy: py, r: small ? 6.5 : 8, 'data-w': w});
    layer.replaceChildren(disc, label([`w = ${number(w)}`, ...(note ? [note] : [])], [px, py], 'dot-name', false));
  }

  function nearest(event) {
    const box = node.getBoundingClientRect();
    let best = null, far = 26;
    spots?.forEach((way, c) => way.forEach(([px, py], p) => {
      const distance = Math.hypot(event.clientX - box.left - px, event.clientY - box.top - py);
      if (distance < far) [best, far] = [[c, p], distance];
    }));
    return best;
  }

  new ResizeObserver(draw).observe(node);
  draw();
  return {move, nearest, point: (c, p) => elements?.[c][p]};
}
