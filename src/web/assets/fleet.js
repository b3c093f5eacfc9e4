// The fleet: batch by batch, each instance a cell that has a colour and a shape. A cell is drawn again only when it changes.

import { $, make, put } from '/assets/frame.js';
import { plural } from '/assets/words.js';

const SIZES = [[300, 22], [1500, 16], [8000, 13], [30000, 8], [Infinity, 5]];
const NARROW = 250;
const COLOURS = { '.': 'soft', u: 's1', h: 's3', f: 's2', t: 's4', l: 's2', w: 'muted', b: 's1', r: 's3', x: 's2', z: 's4' };

let known = null;
let size = 22;
let sprites = {};
let words = {};
let blocks = [];
let cursor = null;
let names = [];

/// A picture of a cell: filled and hollow, round, square, pointed and crossed tell them apart without any colour.
function draw(context, letter, s) {
  const style = getComputedStyle(document.documentElement);
  const colour = style.getPropertyValue(`--${COLOURS[letter]}`);
  const paper = style.getPropertyValue('--paper');
  const m = s / 2;
  const disc = (radius) => {
    context.beginPath();
    context.arc(m, m, radius, 0, 2 * Math.PI);
  };
  const line = (...points) => {
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(x * s, y * s) : context.moveTo(x * s, y * s)));
  };
  context.fillStyle = context.strokeStyle = colour;
  context.lineWidth = Math.max(1, s * 0.12);
  context.lineCap = 'round';
  switch (letter) {
    case '.':
      disc(s * 0.14);
      return context.fill();
    case 'u':
      disc(s * 0.32);
      context.stroke();
      disc(s * 0.12);
      return context.fill();
    case 'h':
      disc(s * 0.39);
      return context.fill();
    case 'r':
      context.lineWidth = Math.max(1.2, s * 0.17);
      disc(s * 0.3);
      return context.stroke();
    case 'w':
    case 'b':
      line([0.68, 0.2], [0.26, 0.5], [0.68, 0.8]);
      context.closePath();
      return letter === 'w' ? context.fill() : context.stroke();
    case 'l':
      // A full triangle on its point, with a hole: it was healthy and fell back.
      line([0.06, 0.12], [0.94, 0.12], [0.5, 0.94]);
      context.closePath();
      context.fill();
      context.fillStyle = paper;
      context.beginPath();
      context.arc(m, s * 0.38, s * 0.14, 0, 2 * Math.PI);
      return context.fill();
    case 'f':
    case 'x':
    case 't':
    case 'z':
      // A full square, or standing on its corner on the way back; a cross for a failure, an hourglass for silence.
      if (letter === 'f' || letter === 't') line([0.08, 0.08], [0.92, 0.08], [0.92, 0.92], [0.08, 0.92]);
      else line([0.5, 0], [1, 0.5], [0.5, 1], [0, 0.5]);
      context.closePath();
      context.fill();
      context.strokeStyle = context.fillStyle = paper;
      if (letter === 'f' || letter === 'x') {
        line([0.33, 0.33], [0.67, 0.67]);
        context.stroke();
        line([0.67, 0.33], [0.33, 0.67]);
        return context.stroke();
      }
      line([0.32, 0.28], [0.68, 0.28], [0.32, 0.72], [0.68, 0.72]);
      context.closePath();
      return context.fill();
  }
}

function picture(letter, s) {
  const ratio = window.devicePixelRatio || 1;
  const canvas = make('canvas', { width: Math.round(s * ratio), height: Math.round(s * ratio) });
  const context = canvas.getContext('2d');
  context.scale(ratio, ratio);
  draw(context, letter, s);
  return canvas;
}

/// How an instance is called, by its position in the plan.
function name(position) {
  for (const [first, count, before] of names) {
    if (position < before + count) {
      const digits = first.slice(2);
      return `i-${String(Number(digits) + position - before).padStart(digits.length, '0')}`;
    }
  }
  return `position ${position}`;
}

function prepare() {
  let before = 0;
  names = known.briefing.names.map(([first, count]) => {
    before += count;
    return [first, count, before - count];
  });
  size = SIZES.find(([most]) => known.cells.length <= most)[1];
  words = Object.fromEntries(known.briefing.cells.map((cell) => [cell.letter, cell.word]));
  restyle();
}

function restyle() {
  sprites = Object.fromEntries(known.briefing.cells.map(({ letter }) => [letter, picture(letter, size)]));
  $('legend').replaceChildren(...known.briefing.cells.map(({ letter, word }) => {
    const sample = picture(letter, 16);
    sample.className = 'sample';
    sample.setAttribute('aria-hidden', 'true');
    return make('li', {}, sample, word);
  }));
}

/// Lays the plan's batches out anew.
function lay() {
  const width = $('fleet').clientWidth || 600;
  const ratio = window.devicePixelRatio || 1;
  blocks = known.board.batches.filter((batch) => batch.rollout_id === 'r-1').map((batch) => {
    const most = Math.max(1, Math.floor(width / size));
    // Rows of the same length.
    const rows = Math.ceil(batch.instances / most);
    const columns = Math.ceil(batch.instances / rows);
    const canvas = make('canvas', { width: Math.round(columns * size * ratio), height: Math.round(rows * size * ratio), 'aria-hidden': 'true' });
    canvas.style.width = `${columns * size}px`;
    canvas.style.height = `${rows * size}px`;
    const says = make('span', { class: 'counts' });
    const phase = make('span', { class: 'phase' });
    const head = make('div', { class: 'head' }, make('b', {}, `Batch ${batch.index}`), phase, says);
    const element = make('div', { class: 'batch' }, head, canvas);
    return { batch, columns, canvas, context: canvas.getContext('2d'), says, phase, element };
  });
  // As many batches beside each other as there is room for.
  const least = Math.max(NARROW, ...blocks.map((block) => block.columns * size));
  // What is written over narrow ones has two lines from the beginning, so that nothing jumps when a batch begins.
  $('fleet').classList.toggle('narrow', least === NARROW);
  $('fleet').style.gridTemplateColumns = `repeat(auto-fill, minmax(min(100%, ${least}px), 1fr))`;
  $('fleet').replaceChildren(...blocks.map((block) => block.element), ring);
  blocks.forEach((block) => {
    for (let i = 0; i < block.batch.instances; i++) paint(block, block.batch.first + i);
  });
  place();
}

const ring = make('div', { class: 'ring', hidden: true });

/// Batches need not be of one size: the last that begins at or before the position holds it.
const blockOf = (position) => {
  let [low, high] = [0, blocks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (blocks[middle].batch.first <= position) low = middle + 1;
    else high = middle;
  }
  return blocks[low - 1];
};

function paint(block, position) {
  const ratio = window.devicePixelRatio || 1;
  const i = position - block.batch.first;
  const [x, y] = [(i % block.columns) * size * ratio, Math.floor(i / block.columns) * size * ratio];
  const sprite = sprites[known.cells[position]];
  block.context.clearRect(x, y, size * ratio, size * ratio);
  if (sprite) block.context.drawImage(sprite, x, y);
}

function describe(position) {
  const block = blockOf(position);
  return `${name(position)} · batch ${block.batch.index} · ${words[known.cells[position]] ?? 'unknown'}`;
}

/// Puts the cursor's ring round its cell, and says what the cell is.
function place() {
  const block = cursor === null ? undefined : blockOf(cursor);
  ring.hidden = !block || document.activeElement !== $('fleet');
  if (ring.hidden) return;
  const i = cursor - block.batch.first;
  const [x, y] = [(i % block.columns) * size, Math.floor(i / block.columns) * size];
  Object.assign(ring.style, {
    left: `${block.canvas.offsetLeft + x - 2}px`, top: `${block.canvas.offsetTop + y - 2}px`,
    width: `${size + 4}px`, height: `${size + 4}px`,
  });
  ring.scrollIntoView({ block: 'nearest' });
  put($('inspector'), describe(cursor));
}

function move(event) {
  const last = known.cells.length - 1;
  if (last < 0) return;
  const at = cursor ?? 0;
  const block = blockOf(at);
  const steps = {
    ArrowRight: 1, ArrowLeft: -1, ArrowDown: block.columns, ArrowUp: -block.columns,
    PageDown: block.batch.instances, PageUp: -block.batch.instances, Home: -at, End: last - at,
  };
  if (!(event.key in steps)) return;
  event.preventDefault();
  cursor = cursor === null ? 0 : Math.min(last, Math.max(0, at + steps[event.key]));
  place();
}

function point(event) {
  const block = blocks.find((block) => block.canvas === event.target);
  if (!block) return;
  const i = Math.floor(event.offsetY / size) * block.columns + Math.min(block.columns - 1, Math.floor(event.offsetX / size));
  if (i < 0 || i >= block.batch.instances) return;
  put($('inspector'), describe(block.batch.first + i));
  if (event.type === 'click') {
    cursor = block.batch.first + i;
    place();
  }
}

const PHASES = {
  pending: 'waits', running: 'running', completed: 'complete', tripped: 'tripped', going_back: 'going back', rolled_back: 'rolled back',
};

/// How a batch stands, in words. Of a rollout that is over none waits any more.
export const phase = (batch, board) => (batch.phase === 'pending' && board.state.outcome ? 'never began' : PHASES[batch.phase]);

function head(block, batch) {
  block.batch = batch;
  put(block.phase, phase(batch, known.board));
  block.phase.dataset.phase = batch.phase;
  const counts = batch.started_at_ms === null ? plural(batch.instances, 'instance') : `${batch.healthy} healthy, ${batch.failed} failed of ${batch.instances}`;
  put(block.says, counts);
}

/// Shows what changed.
export function showFleet(now, change) {
  const first = known === null;
  known = now;
  if (first || change.all) prepare();
  const batches = known.board.batches.filter((batch) => batch.rollout_id === 'r-1');
  const same = blocks.length === batches.length && blocks.every((block, i) => block.batch.instances === batches[i].instances);
  if (first || change.all || !same) lay();
  else for (const position of new Set(change.changedCells)) paint(blockOf(position), position);
  blocks.forEach((block, i) => head(block, batches[i]));
  // A cell that is pointed at may have changed.
  if (cursor !== null && change.changedCells?.includes(cursor)) place();
}

/// Begins.
export function startFleet() {
  const fleet = $('fleet');
  fleet.addEventListener('keydown', move);
  fleet.addEventListener('focus', () => {
    cursor ??= 0;
    if (known?.cells.length) place();
  });
  fleet.addEventListener('blur', () => (ring.hidden = true));
  fleet.addEventListener('mousemove', point);
  fleet.addEventListener('click', point);
  const again = () => {
    if (!known) return;
    restyle();
    lay();
    showFleet(known, { changedCells: [] });
    // The heads may have moved the cells.
    place();
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
  let width = 0;
  new ResizeObserver(() => {
    if (known && fleet.clientWidth !== width) {
      width = fleet.clientWidth;
      again();
    }
  }).observe(fleet);
}
