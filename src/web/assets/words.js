// How things are said.

const two = (number) => String(number).padStart(2, '0');

/// A moment of the simulated clock.
export function moment(ms) {
  const seconds = Math.floor(ms / 1000);
  const [days, hours, minutes] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (days > 0) return `${days} d ${two(hours)}:${two(minutes)}:${two(seconds % 60)}`;
  if (hours > 0) return `${hours}:${two(minutes)}:${two(seconds % 60)}`;
  return `${two(minutes)}:${two(seconds % 60)}`;
}

/// A length of time.
export function spoken(seconds) {
  seconds = Math.round(seconds);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min${seconds % 60 ? ` ${two(seconds % 60)} s` : ''}`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min`;
  return `${Math.floor(seconds / 86400)} days ${Math.floor(seconds / 3600) % 24} h`;
}

/// A count with its noun.
export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/// A name, which may be of any script: its direction does not reach what stands beside it.
export const isolated = (name) => `\u2068${name}\u2069`;

/// A decision.
export function decision(name) {
  return name.replaceAll('_', ' ');
}

/// Names, and how many more.
export function some(names, most = 8) {
  const more = names.length - most;
  return names.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/// What tripped: failures in a row, or what a rule found.
export function tripped({ reason, failed_instance_ids: failed }) {
  return reason?.startsWith('rule ') ? reason : `${failed.length} failed in a row`;
}

const found = (event) => [tripped(event), some(event.failed_instance_ids)].filter(Boolean).join(', ');

/// An event: its text, a mark, and how loud it is: 0 a detail, 1 a step, 2 a trip.
export function event(event) {
  const batch = event.rollout_id === 'r-2' ? `Rollback batch ${event.batch_index}` : `Batch ${event.batch_index}`;
  switch (event.kind.replace('module.upgrade.', '')) {
    case 'planned':
      return { loud: 1, mark: '≡', text: `Plan: ${plural(event.total_instances, 'instance')}, ${plural(event.batch_count, 'batch', 'batches')} of ${event.batch_size}` };
    case 'approval_requested':
      return { loud: 1, mark: '?', text: `${event.approval_request_id} asks: ${event.options.map(decision).join(', ')}` };
    case 'approval_decided': {
      const changes = [
        event.batch_pct === undefined ? '' : `batches of ${event.batch_pct} %`,
        event.max_consecutive_failures === undefined ? '' : `trips at ${event.max_consecutive_failures} in a row`,
      ].filter(Boolean).join(', ');
      return { loud: 1, mark: '✓', text: `${event.approval_request_id} decided: ${decision(event.decision)}${changes ? ` to ${changes}` : ''}` };
    }
    case 'batch_started':
      return { loud: 1, mark: '▸', text: `${batch} begins: ${plural(event.instance_count, 'instance')}` };
    case 'instance_started':
      return { loud: 0, mark: '→', text: `${event.instance_id} is commanded to ${event.target_version}` };
    case 'instance_health_check':
      return event.healthy
        ? { loud: 0, mark: '●', text: `${event.instance_id} is healthy` }
        : { loud: 1, bad: true, mark: '✗', text: `${event.instance_id} failed: ${decision(event.reason)}` };
    case 'circuit_breaker_tripped':
      return { loud: 2, bad: true, mark: '⚡', text: `The breaker tripped: ${found(event)}` };
    case 'breaker_noted':
      return { loud: 1, mark: '!', text: `Noted in batch ${event.batch_index}: ${found(event)}` };
    case 'instance_retried':
      return { loud: 1, bad: true, mark: '↻', text: `${event.instance_id} failed: ${decision(event.reason)}; it is commanded again, retry ${event.attempt}` };
    case 'instance_relapsed':
      return { loud: 1, bad: true, mark: '↓', text: `${event.instance_id} relapses: it is ${event.reason}` };
    case 'batch_completed':
      return { loud: 1, mark: '■', text: `${batch} is complete: ${event.healthy_count} healthy, ${event.failed_count} failed` };
    case 'operator_notified':
      return { loud: 1, mark: 'i', text: 'The operator is notified; no answer is needed' };
    case 'rollback_started':
      return { loud: 1, mark: '↶', text: `${plural(event.instance_count, 'instance')} ${event.instance_count === 1 ? 'goes' : 'go'} back to ${event.target_version}` };
    case 'rollback_failed':
      return { loud: 2, bad: true, mark: '✗', text: `The rollback failed: ${event.reason}` };
    case 'finished':
      return { loud: 2, mark: '▪', text: `Over: ${decision(event.outcome)}` };
    default:
      return { loud: 1, mark: '·', text: event.kind };
  }
}
