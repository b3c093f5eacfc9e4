// The list of events, newest first.

import { $, make } from '/assets/frame.js';
import { event as words, moment } from '/assets/words.js';

const MOST = 400;

/// Shows events that are new, or all that are known.
export function showEvents(known, change) {
  const list = $('events');
  const details = $('all-events').checked;
  if (change.all) list.replaceChildren();
  const items = [];
  for (const event of change.all ? known.events : change.events) {
    const said = words(event);
    if (said.loud === 0 && !details) continue;
    const mark = make('span', { class: 'mark', 'aria-hidden': 'true' }, said.mark);
    const time = make('time', {}, moment(event.at_ms));
    items.push(make('li', { class: `loud-${said.loud}${said.bad ? ' bad' : ''}` }, time, mark, make('span', {}, said.text)));
  }
  // Whoever reads further down stays where they are.
  const reading = list.scrollTop > 4 ? list.scrollHeight - list.scrollTop : null;
  list.prepend(...items.reverse().slice(0, MOST));
  while (list.children.length > MOST) list.lastChild.remove();
  if (reading !== null) list.scrollTop = list.scrollHeight - reading;
}
