// The operations page: how the rollout advances.

import { $, addKeys, make, put, start } from '/assets/frame.js';
import { phase, showFleet, startFleet } from '/assets/fleet.js';
import { showEvents } from '/assets/feed.js';
import { decision, moment, plural, spoken } from '/assets/words.js';

let latest = null;

function showHeadline({ board, cells }) {
  const sum = (what) => own.reduce((sum, batch) => sum + batch[what], 0).toLocaleString('en');
  const own = board.batches.filter((batch) => batch.rollout_id === 'r-1');
  const done = own.filter((batch) => batch.started_at_ms !== null).length;
  const figures = [
    ['Batches begun', `${done} of ${own.length}`],
    ['Commanded', `${board.state.dispatched.toLocaleString('en')} of ${cells.length.toLocaleString('en')}`],
    ['Await a verdict', board.state.in_flight.toLocaleString('en')],
    ['Healthy verdicts', sum('healthy')],
    ['Failed verdicts', sum('failed')],
  ];
  if (board.batches.some((batch) => batch.rollout_id === 'r-2')) {
    figures.push(['Restored', cells.filter((cell) => cell === 'r').length.toLocaleString('en')]);
  }
  const list = $('headline');
  if (list.children.length !== figures.length) {
    list.replaceChildren(...figures.map(([what]) => make('div', {}, make('dt', {}, what), make('dd'))));
  }
  figures.forEach(([, value], i) => put(list.children[i].querySelector('dd'), value));
}

function showBreaker({ board: { breaker, rules, state } }) {
  const { count, limit } = breaker ?? { count: 0, limit: 0 };
  const trips = state.code === 'tripped' ? ': tripped' : '';
  const says = `${breaker ? `${count} of ${limit} failed in a row` : rules.length ? plural(rules.length, 'rule') : 'none'}${trips}`;
  $('breaker').setAttribute('aria-label', `Breaker: ${says}`);
  $('breaker').dataset.code = state.code === 'tripped' ? 'tripped' : count ? 'counting' : 'calm';
  put($('breaker-says'), says);
  const lamps = limit <= 12 ? '■'.repeat(Math.min(count, limit)) + '□'.repeat(Math.max(0, limit - count)) : '';
  put($('lamps'), lamps);
  const lines = rules.map((rule, i) => `rule ${i + 1}: ${rule.says}${rule.count === null ? '' : `; counts ${rule.count}`}`);
  if (state.unwell !== undefined) lines.push(`unwell and not in flight: ${plural(state.unwell, 'instance')}`);
  if (state.bake_ends_at_ms !== undefined) lines.push(`${state.says} until ${moment(state.bake_ends_at_ms)}`);
  const list = $('rules');
  list.hidden = lines.length === 0;
  while (list.children.length > lines.length) list.lastChild.remove();
  while (list.children.length < lines.length) list.append(make('li'));
  lines.forEach((line, i) => put(list.children[i], line));
}

function showCall({ board }) {
  const { request, state } = board;
  const key = request ? request.key : `${state.outcome} ${state.debrief}`;
  const call = $('call');
  if (call.dataset.key === key) return;
  call.dataset.key = key;
  call.hidden = !request && !state.outcome;
  const asks = {
    rolling_upgrade: 'The plan waits for your approval. ',
    rolling_upgrade_promotion: `Batch ${request?.batch_index} waits for your promotion. `,
  }[request?.type];
  call.className = `call ${request ? (asks ? 'asks' : 'alarm') : 'over'}`;
  if (request) {
    call.replaceChildren(
      make('p', {}, make('strong', {}, asks ?? '⚡ The breaker tripped. '),
        `${request.id} asks: ${request.options.map(decision).join(', ')}.`),
      make('a', { class: 'button', href: '/app/approvals' }, 'Decide'));
  } else if (state.outcome) {
    call.replaceChildren(
      make('p', {}, make('strong', {}, `${state.says}.`), state.debrief ? '' : ' The debrief is being worked out…'),
      ...(state.debrief ? [make('a', { class: 'button', href: '/app/debrief' }, 'Read the debrief')] : []));
  }
}

function showTable({ board }) {
  if (!$('table').open) return;
  const rows = $('batch-rows');
  while (rows.children.length > board.batches.length) rows.lastChild.remove();
  while (rows.children.length < board.batches.length) {
    rows.append(make('tr', {}, make('th', { scope: 'row' }), make('td'), ...Array.from({ length: 5 }, () => make('td', { class: 'n' }))));
  }
  board.batches.forEach((batch, i) => {
    const took = batch.completed_at_ms === null ? '–' : spoken((batch.completed_at_ms - batch.started_at_ms) / 1000);
    const began = batch.started_at_ms === null ? '–' : moment(batch.started_at_ms);
    const values = [`${batch.rollout_id === 'r-2' ? 'rollback ' : ''}${batch.index}`, phase(batch, board), batch.instances, batch.healthy, batch.failed, began, took];
    values.forEach((value, column) => put(rows.children[i].children[column], String(value)));
  });
}

function show(known, change) {
  latest = known;
  put($('heading'), known.board.state.outcome ? 'The rolling upgrade is over' : 'Active rolling upgrades');
  showHeadline(known);
  showBreaker(known);
  showCall(known);
  showFleet(known, change);
  showTable(known);
  showEvents(known, change);
}

const option = () => $('call').querySelector('a')?.focus();
addKeys({ f: () => $('fleet').focus(), 1: option });
$('table').addEventListener('toggle', () => latest && showTable(latest));
$('all-events').addEventListener('change', () => latest && showEvents(latest, { all: true }));
startFleet();
start(show);
