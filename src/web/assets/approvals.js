// The approvals page: what is asked, and the answers to it.

import { $, act, addKeys, make, put, start } from '/assets/frame.js';
import { ask, clock } from '/assets/link.js';
import { decision, moment, plural, some, spoken } from '/assets/words.js';

let latest = null;
let shown = null;
let busy = false;

const percent = (part, whole) => (whole ? `${(Math.round((part / whole) * 1000) / 10).toLocaleString('en')} %` : '–');

/// The figures of a plan, and of one that it may become.
function figures(plan, next) {
  const rows = [
    ['Instances', (p) => p.total_instances.toLocaleString('en')],
    ['Batches', (p) => `${p.batch_count} of ${p.batch_pct === null ? 'up to ' : ''}${p.batch_size.toLocaleString('en')}${p.batch_pct === null ? '' : ` (${p.batch_pct} %)`}`],
    ['Health window', (p) => spoken(p.health_timeout_sec)],
    ['Estimate', (p) => spoken(p.estimated_total_seconds)],
    ...(plan.estimated_total_seconds_in_flight || next?.estimated_total_seconds_in_flight
      ? [['Estimate with max_in_flight', (p) => spoken(p.estimated_total_seconds_in_flight ?? p.estimated_total_seconds)]] : []),
    ...latest.board.rules.map((rule, i) => [`Rule ${i + 1}`, () => rule.says]),
    ...(plan.max_consecutive_failures === null && !next?.max_consecutive_failures ? [] : [
      ['Breaker trips at', (p) => (p.max_consecutive_failures === null ? 'none' : `${plural(p.max_consecutive_failures, 'failure')} in a row`)],
      ['Commanded before it trips, if every upgrade fails', (p) => `${p.exposed_if_all_fail.toLocaleString('en')} (${percent(p.exposed_if_all_fail, p.total_instances)})`],
    ]),
  ];
  if (plan.skipped_instances) rows.splice(1, 0, ['Skipped, they run the target already', (p) => p.skipped_instances.toLocaleString('en')]);
  const body = rows.map(([what, say]) => {
    const [now, then] = [say(plan), next && say(next)];
    return make('tr', {}, make('th', { scope: 'row' }, what), make('td', {}, now),
      next ? make('td', { class: now === then ? '' : 'changed' }, then) : null);
  });
  const columns = next ? [make('thead', {}, make('tr', {}, make('td'), make('th', { scope: 'col' }, 'now'), make('th', { scope: 'col' }, 'after the edit')))] : [];
  return make('table', { class: 'plan' }, make('caption', {}, 'The plan'), ...columns, make('tbody', {}, ...body));
}

async function decide(body) {
  if (!latest?.board.request) return;
  if (busy) return put($('problem'), 'Not done: the answer before is still on its way.');
  busy = true;
  const answer = await act('/api/decide', { request: shown, ...body });
  busy = false;
  return !answer.error;
}

/// What each answer does.
function consequence(name, { board, briefing, cells }) {
  const { plan, state } = board;
  const rest = cells.length - state.dispatched;
  switch (name) {
    case 'approve':
      return `The first batch of ${plan.batch_size.toLocaleString('en')} starts at the next tick of the reconciler.`;
    case 'edit':
      return 'Other batches, or another limit of the breaker. The plan is then asked for again.';
    case 'reject':
      return 'Nothing is changed, and the rollout is over.';
    case 'promote':
      return `Batch ${board.request.batch_index} begins at the next tick of the reconciler.`;
    case 'continue_anyway':
      return board.request.of_rollback
        ? 'Ignore the trip; the rollback goes on with the breaker at zero.'
        : `Ignore the trip: ${plural(rest, 'instance')} more ${rest === 1 ? 'follows' : 'follow'}, with the breaker at zero. For failures that pass by themselves.`;
    case 'rollback_completed_batches':
      return `Take all ${plural(state.dispatched, 'instance')} that ${state.dispatched === 1 ? 'was' : 'were'} commanded back to ${briefing.previous}. For a version with a fundamental flaw.`;
    case 'abort':
      return `Stop here: nothing more is changed, and ${plural(state.dispatched, 'instance')} ${state.dispatched === 1 ? 'stays' : 'stay'} as ${state.dispatched === 1 ? 'it is' : 'they are'}, to be looked at by hand.`;
    default:
      return '';
  }
}

function options(known) {
  const items = known.board.request.options.map((name, i) => {
    const take = name === 'edit' ? openEdit : () => decide({ decide: name });
    const button = make('button', { type: 'button', class: `option ${name}`, 'data-option': name, 'aria-describedby': `what-${name}`, onclick: take },
      make('kbd', { 'aria-hidden': 'true' }, i + 1), decision(name));
    return make('li', {}, button, make('span', { id: `what-${name}` }, consequence(name, known)));
  });
  return make('ul', { class: 'options' }, ...items);
}

function editForm({ board: { plan } }) {
  const number = (id, label, value, most, help) => make('div', { class: 'field' },
    make('label', { for: id }, label),
    make('input', { id, type: 'number', min: 1, max: most, step: 1, value: value ?? '', required: value !== null, inputmode: 'numeric', 'aria-describedby': `${id}-help`, oninput: preview }),
    make('span', { id: `${id}-help`, class: 'muted' }, help));
  return make('form', { id: 'edit', hidden: true, 'aria-label': 'Edit the plan', onsubmit: saveEdit },
    number('batch-pct', 'Batch size, percent of the fleet', plan.batch_pct, 100, '1 to 100; smaller for what must not break'),
    number('limit', 'Failures in a row that trip the breaker', plan.max_consecutive_failures, 1000000, '1 stops at the first failure'),
    make('p', { class: 'buttons' }, make('button', { type: 'submit', class: 'option approve' }, 'Save the edit'),
      make('button', { type: 'button', onclick: closeEdit }, 'Leave it')));
}

function edited() {
  const { plan } = latest.board;
  // An empty field, where nothing of its kind holds, leaves it so.
  const [pct, limit] = ['batch-pct', 'limit'].map((id) => ($(id).value === '' ? null : Number($(id).value)));
  return {
    ...(pct !== plan.batch_pct && { batch_pct: pct }),
    ...(limit !== plan.max_consecutive_failures && { max_consecutive_failures: limit }),
  };
}

let previews = 0;

/// Where the browser keeps nothing, a reload loses the draft.
const session = (() => {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
})();

/// A question's key is its request, and how many decisions went before.
const request = (key) => key.slice(0, key.lastIndexOf('.'));

/// What was typed into the edit of which request: a reload does not lose it.
const draft = {
  keep: () => session?.setItem('draft', JSON.stringify([shown, $('batch-pct').value, $('limit').value])),
  drop: () => session?.removeItem('draft'),
  restore() {
    const [key, pct, limit] = JSON.parse(session?.getItem('draft') ?? '[]');
    if (!key || request(key) !== request(shown) || !$('edit')) return;
    [$('batch-pct').value, $('limit').value] = [pct, limit];
    $('edit').hidden = false;
    const isAnother = key !== shown;
    preview();
    if (isAnother) put($('problem'), 'The plan was edited in another window meanwhile. What you typed is still here, and is held against the plan as it is now.');
  },
};

async function preview() {
  const mine = ++previews;
  draft.keep();
  const valid = $('edit').checkValidity();
  put($('problem'), valid ? '' : 'No preview: a batch is 1 to 100 percent of the fleet, and the limit 1 or more.');
  const body = valid ? edited() : {};
  const answer = Object.keys(body).length ? await ask('/api/preview', body) : null;
  // A later one may have been faster.
  if (mine !== previews || !$('edit') || $('edit').hidden) return;
  if (answer?.error) put($('problem'), `No preview: ${answer.error}.`);
  $('plan').replaceChildren(figures(latest.board.plan, answer?.plan));
}

async function saveEdit(event) {
  event.preventDefault();
  const body = edited();
  if (!Object.keys(body).length) {
    put($('problem'), 'Not done: the edit changes nothing.');
    return $('batch-pct').focus();
  }
  if (await decide({ decide: 'edit', ...body })) {
    draft.drop();
    $('request-heading').focus();
  }
}

function openEdit() {
  if (!$('edit')) return;
  $('edit').hidden = false;
  $('batch-pct').focus();
  $('batch-pct').select();
}

function closeEdit() {
  if (!$('edit') || $('edit').hidden) return;
  $('edit').reset();
  $('edit').hidden = true;
  draft.drop();
  previews++;
  $('plan').replaceChildren(figures(latest.board.plan));
  document.querySelector('[data-option=edit]')?.focus();
}

/// The batch that a request is about: that of a trip, or the one before the batch that waits for a promotion.
function asked({ board: { request, batches } }) {
  const own = batches.filter((batch) => batch.rollout_id === (request.of_rollback ? 'r-2' : 'r-1'));
  return own[isPromotion(request) ? request.batch_index - 1 : request.batch_index];
}

const isPromotion = (request) => request.type === 'rolling_upgrade_promotion';

/// What tripped, or which batch waits for a promotion; and how the batch stands.
function stopped(known) {
  const { request } = known.board;
  const names = request.failed_instance_ids.length ? `: ${some(request.failed_instance_ids, 12)}` : '';
  const found = request.reason ?? `${plural(request.failed_instance_ids.length, 'instance')} failed in a row`;
  const heading = isPromotion(request) ? [] : [
    make('p', { class: 'alarm-text' }, make('strong', {}, `⚡ ${found}`),
      ` in ${request.of_rollback ? 'rollback ' : ''}batch ${request.batch_index}${names}.`),
  ];
  return [
    ...heading,
    make('p', { id: 'trip-batch' }, standing(known)),
    make('div', { id: 'heard', 'data-at': known.board.heard?.at_ms }, ...heard(known)),
  ];
}

function standing(known) {
  const { state, request } = known.board;
  const batch = asked(known);
  if (!batch) return '';
  const open = state.in_flight ? `; ${plural(state.in_flight, 'instance')} still ${state.in_flight === 1 ? 'awaits its verdict' : 'await their verdicts'}` : '';
  if (isPromotion(request)) {
    const baked = request.baked_ms ? ` It baked for ${spoken(request.baked_ms / 1000)}.` : '';
    const unwell = state.unwell === undefined ? '' : ` Unwell: ${plural(state.unwell, 'instance')}.`;
    return `Of the ${batch.instances} of batch ${batch.index}, ${batch.healthy} are healthy and ${batch.failed} failed${open}.${baked}${unwell}`;
  }
  return `So far ${batch.healthy} of its ${batch.instances} are healthy and ${batch.failed} failed${open}. Nothing more is commanded until you decide.`;
}

/// Who is heard of, as of a moment: a heading and a line a zone.
function heard({ board: { heard } }) {
  const [heading, ...lines] = heard?.lines ?? [];
  if (!heading) return [];
  return [make('p', { class: 'muted' }, heading), make('ul', {}, ...lines.map((line) => make('li', {}, line)))];
}

/// Builds the request anew when it is another one.
function showRequest(known) {
  const { request, state } = known.board;
  const key = request?.key ?? state.code + state.debrief;
  if (key === shown) {
    if (request && request.type !== 'rolling_upgrade') {
      put($('trip-batch'), standing(known));
      const at = String(known.board.heard?.at_ms);
      if ($('heard').dataset.at !== at) {
        $('heard').dataset.at = at;
        $('heard').replaceChildren(...heard(known));
      }
    }
    return;
  }
  const had = $('request').contains(document.activeElement);
  const isFirst = shown === null;
  shown = key;
  const body = $('request-body');
  $('request').className = request ? (request.type === 'rolling_upgrade' || isPromotion(request) ? 'asks' : 'alarm') : 'calm';
  if (!request) {
    put($('request-heading'), state.outcome ? state.says : 'Nothing waits for you');
    const link = state.debrief ? make('a', { class: 'button', href: '/app/debrief' }, 'Read the debrief') : make('a', { href: '/app/system/operations' }, 'Watch the rollout');
    body.replaceChildren(make('p', {}, state.outcome ? '' : `${state.says}.`), make('p', {}, link));
  } else if (request.type === 'rolling_upgrade') {
    const { briefing } = known;
    put($('request-heading'), `${request.id}: may this start?`);
    body.replaceChildren(
      make('p', {}, `${briefing.module} ${briefing.previous} → ${briefing.target}, on ${briefing.fleet}.`),
      make('p', { class: 'muted', id: 'waited' }),
      make('div', { id: 'plan' }, figures(known.board.plan)), options(known), editForm(known));
    draft.restore();
  } else {
    put($('request-heading'), isPromotion(request)
      ? `${request.id}: may batch ${request.batch_index} begin?`
      : `${request.id}: ${request.of_rollback ? 'the rollback tripped' : 'the breaker tripped'}; how to go on?`);
    body.replaceChildren(...stopped(known), make('p', { class: 'muted', id: 'waited' }), options(known));
  }
  // Whoever was at the last request is led to this one.
  if (had || (!isFirst && request && document.activeElement === document.body)) $('request-heading').focus();
}

function showDecisions({ board: { decisions } }) {
  $('decided-none').hidden = decisions.length > 0;
  const list = $('decided');
  while (list.children.length < decisions.length) {
    const made = decisions[list.children.length];
    const changes = [
      made.batch_pct === null ? '' : `batches of ${made.batch_pct} %`,
      made.max_consecutive_failures === null ? '' : `trips at ${made.max_consecutive_failures} in a row`,
    ].filter(Boolean).join(', ');
    list.append(make('li', {}, make('time', {}, moment(made.at_ms)), ` ${made.request}: `, make('strong', {}, decision(made.decide)),
      `${changes ? ` to ${changes}` : ''}, after ${spoken((made.at_ms - made.asked_at_ms) / 1000)}`));
  }
}

function show(known) {
  latest = known;
  showRequest(known);
  showDecisions(known);
  showWait();
}

function showWait() {
  const request = latest?.board.request;
  if (!request || !$('waited')) return;
  const expires = request.expires_at_ms === null ? '' : `; it expires at ${moment(request.expires_at_ms)}`;
  put($('waited'), `Asked at ${moment(request.asked_at_ms)}, ${spoken(Math.max(0, seconds(clock()) - seconds(request.asked_at_ms)))} ago${expires}.`);
}

/// Whole seconds, as the clock shows them.
const seconds = (ms) => Math.floor(ms / 1000);

const waiting = () => {
  showWait();
  requestAnimationFrame(waiting);
};
waiting();

const option = (place) => () => document.querySelectorAll('[data-option]')[place]?.focus();
addKeys({ 1: option(0), 2: option(1), 3: option(2), e: openEdit });
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') closeEdit();
});
start(show);
