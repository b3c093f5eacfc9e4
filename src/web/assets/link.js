// What a window knows of the drill: how everything stands, kept up with the server's log entry by entry. None is skipped, and
// none is taken twice.

import { listen } from '/assets/stream.js';

const RECENT = 500;
let known = null;
let highest = 0;
let filling = false;
let lost = false;
const watchers = { change: [], connection: [] };

/// Calls back with (known, change) after every change; `change.all` where everything may be another.
export const onChange = (watcher) => watchers.change.push(watcher);
/// Calls back with 'live', 'lost', 'closed' or 'refused'.
export const onConnection = (watcher) => watchers.connection.push(watcher);

/// What the simulated clock shows now.
export function clock() {
  if (!known) return 0;
  const { clock_ms, speed, paused } = known.clock;
  return paused || lost ? clock_ms : clock_ms + (performance.now() - known.clockAt) * speed;
}

function setClock(clock) {
  known.clock = clock;
  known.clockAt = performance.now();
}

function takeSnapshot(snapshot) {
  if (known && snapshot.seq < known.seq) return;
  known = { ...snapshot, cells: [...snapshot.cells] };
  setClock(snapshot.clock);
  highest = Math.max(highest, snapshot.seq);
  tell({ all: true, events: snapshot.events });
}

function takeUpdate(update) {
  const board = known.board;
  known.seq = update.seq;
  setClock(update.clock);
  for (const key of ['state', 'breaker', 'rules', 'plan', 'request', 'decisions', 'heard']) {
    if (update[key] !== undefined) board[key] = update[key];
  }
  if (update.batch_count !== undefined) board.batches.length = update.batch_count;
  for (const [place, batch] of update.batches ?? []) board.batches[place] = batch;
  const cells = [];
  for (const [first, letters] of update.cells ?? []) {
    for (let i = 0; i < letters.length; i++) {
      known.cells[first + i] = letters[i];
      cells.push(first + i);
    }
  }
  known.events.push(...update.events);
  if (known.events.length > RECENT) known.events.splice(0, known.events.length - RECENT);
  tell({ ...update, changedCells: cells });
}

function tell(change) {
  for (const watcher of watchers.change) watcher(known, change);
}

/// Fetches what was missed.
async function fill() {
  if (filling) return;
  filling = true;
  try {
    while (known.seq < highest) {
      const answer = await fetch(`/api/log?after=${known.seq}`);
      if (!answer.ok) break;
      for (const update of await answer.json()) if (update.seq === known.seq + 1) takeUpdate(update);
    }
  } catch {
    // The stream says that the connection is lost, and what is missed is asked for again with the next entry.
  }
  filling = false;
}

function connection(state) {
  lost = state !== 'live';
  for (const watcher of watchers.connection) watcher(state);
}

function take({ kind, text }) {
  if (kind === 'lost' || kind === 'closed' || kind === 'refused') {
    if (known && !lost) setClock({ ...known.clock, clock_ms: clock() });
    connection(kind);
    return;
  }
  if (lost) connection('live');
  const message = JSON.parse(text);
  if (kind === 'snapshot') {
    takeSnapshot(message);
  } else if (kind === 'clock') {
    if (known) setClock(message);
    if (known && known.seq < highest) fill();
  } else {
    highest = Math.max(highest, message.seq);
    if (!known) return;
    if (message.seq === known.seq + 1 && !filling) takeUpdate(message);
    else if (message.seq > known.seq) fill();
  }
}

/// A server that answers at all answers sooner.
const PATIENCE = 4000;

/// Asks the server to do something; answers {error} where it does not.
export async function ask(path, body) {
  if (lost) return { error: 'the connection is lost, so nothing was sent; try again when it is back' };
  try {
    const answer = await fetch(path, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE),
    });
    const value = await answer.json();
    return answer.ok ? value : { error: value.error ?? `the server answers ${answer.status}`, status: answer.status };
  } catch (error) {
    if (error.name === 'TimeoutError') return { error: 'the server does not answer; what it took shows when the connection is back' };
    return { error: 'the server cannot be reached; nothing was done' };
  }
}

/// Connects.
export async function connect() {
  if (window.SharedWorker) {
    const worker = new SharedWorker('/assets/stream.js', { type: 'module', name: 'dryroll' });
    worker.port.onmessage = ({ data }) => take(data);
    worker.onerror = () => listen(take);
  } else {
    listen(take);
  }
  while (!known) {
    try {
      const answer = await fetch('/api/state');
      if (answer.ok) takeSnapshot(await answer.json());
      else if (answer.status === 401) return connection('refused');
    } catch {
      // Told by the stream.
    }
    if (!known) await new Promise((again) => setTimeout(again, 1000));
  }
  if (known.seq < highest) fill();
}
