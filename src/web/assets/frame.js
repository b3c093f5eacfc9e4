// What every page has: names, clock and its controls, state, connection, failures, keys.

import { ask, clock, connect, onChange, onConnection } from '/assets/link.js';
import { event as eventWords, isolated, moment } from '/assets/words.js';

export const $ = (id) => document.getElementById(id);

/// An element with attributes and children.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/// Text that is written only where it differs, so that nothing is read out twice.
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

let current = null;
let live = true;

/// Does something at the server, and shows why where it could not be done.
export async function act(path, body) {
  put($('problem'), '');
  const answer = await ask(path, body);
  if (answer.error) put($('problem'), `Not done: ${answer.error}.`);
  return answer;
}

const control = (what, more = {}) => act('/api/control', { do: what, ...more });
/// What a button cannot do, its key does not try.
const enabled = (id) => current && !$(id).disabled;
const togglePause = () => enabled('pause') && control(current.clock.paused ? 'resume' : 'pause');

function step(direction) {
  if (!enabled('speed')) return;
  const steps = current.briefing.speeds;
  const speed = current.clock.speed;
  const next = direction > 0 ? steps.find((step) => step > speed) : steps.findLast((step) => step < speed);
  if (next) control('speed', { speed: next });
}

function showFrame(known, change) {
  current = known;
  const { briefing, board } = known;
  const over = board.state.code === 'finished';
  put($('title'), `${isolated(briefing.title)} · ${isolated(briefing.module)} ${isolated(briefing.previous)} → ${isolated(briefing.target)} · ${isolated(briefing.fleet)} of ${briefing.instances.toLocaleString('en')}`);
  put($('state'), over ? board.state.says : known.clock.paused ? `${board.state.says} · paused` : board.state.says);
  $('state').dataset.code = board.state.code;
  put($('pause'), known.clock.paused ? 'Go on' : 'Pause');
  $('waiting').hidden = !board.request;
  $('debrief-link').hidden = !board.state.debrief;
  const speeds = [...new Set([...briefing.speeds, known.clock.speed])].sort((a, b) => a - b);
  if ($('speed').options.length !== speeds.length) {
    $('speed').replaceChildren(...speeds.map((speed) => make('option', { value: speed }, speed === 1 ? 'real time' : `${speed} ×`)));
  }
  if (document.activeElement !== $('speed')) $('speed').value = known.clock.speed;
  for (const id of ['pause', 'speed', 'next-event']) $(id).disabled = over;
  $('next-decision').disabled = over || Boolean(board.request);
  document.title = document.title.replace(/^(\(1\) )?/, board.request ? '(1) ' : '');
  if (!change.all) announce(change.events ?? []);
}

/// Reads events out: a trip and the end at once, other steps when there is time.
function announce(events) {
  const said = events.map(eventWords);
  const loud = said.filter((event) => event.loud === 2).map((event) => event.text);
  const steps = said.filter((event) => event.loud === 1 && !event.bad).map((event) => event.text);
  const failures = said.filter((event) => event.loud === 1 && event.bad).length;
  if (failures) steps.push(failures === 1 ? said.find((event) => event.bad).text : `${failures} instances failed`);
  if (loud.length) put($('shouted'), loud.join('. '));
  if (steps.length) put($('said'), steps.join('. '));
}

function showConnection(state) {
  live = state === 'live';
  document.body.classList.toggle('lost', !live);
  const since = new Date().toLocaleTimeString('en-GB');
  const says = {
    live: '',
    lost: `Connection lost at ${since}. The drill goes on without this window; trying again…`,
    closed: 'The program was ended. This window shows how things stood then.',
    refused: 'This server does not know this window: the drill was started anew. Open the address that it printed.',
  };
  // The time is that of the loss, not of the latest attempt.
  if (state !== 'lost' || !$('connection').textContent.startsWith('Connection lost')) put($('connection'), says[state]);
}

const typing = (target) => /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) && target.type !== 'checkbox';

const KEYS = {
  p: togglePause,
  n: () => enabled('next-event') && control('next_event'),
  d: () => enabled('next-decision') && control('next_decision'),
  '+': () => step(1),
  '=': () => step(1),
  '-': () => step(-1),
  a: () => location.assign('/app/approvals'),
  o: () => location.assign('/app/system/operations'),
  '?': () => {
    $('keys').open = !$('keys').open;
    if ($('keys').open) $('keys').querySelector('summary').focus();
  },
};

/// Adds keys of a page.
export const addKeys = (keys) => Object.assign(KEYS, keys);

/// Begins: `show` is called with (known, change), at most once a frame.
export function start(show) {
  $('pause').addEventListener('click', togglePause);
  $('next-event').addEventListener('click', () => control('next_event'));
  $('next-decision').addEventListener('click', () => control('next_decision'));
  $('speed').addEventListener('change', () => control('speed', { speed: Number($('speed').value) }));
  try {
    $('keys-on').checked = localStorage.getItem('keys') !== 'off';
    $('keys-on').addEventListener('change', () => localStorage.setItem('keys', $('keys-on').checked ? 'on' : 'off'));
  } catch {
    // Not remembered then.
  }
  document.addEventListener('keydown', (event) => {
    if (!current || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target) || !$('keys-on').checked || !Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  onConnection(showConnection);

  let due = null;
  onChange((known, change) => {
    if (!due) requestAnimationFrame(() => {
      const changes = due;
      due = null;
      showFrame(known, changes);
      show(known, changes);
    });
    due = joined(due, change);
  });
  const tick = () => {
    if (current) put($('clock'), moment(clock()));
    requestAnimationFrame(tick);
  };
  tick();
  connect();
}

/// Two changes as one.
function joined(first, second) {
  if (!first || second.all) return { ...second, events: [...(second.events ?? [])], changedCells: [...(second.changedCells ?? [])] };
  first.events.push(...(second.events ?? []));
  first.changedCells.push(...(second.changedCells ?? []));
  return first;
}
