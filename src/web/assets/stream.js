// The stream of events from the server. It runs once for all windows of a browser, in a shared worker, because a browser opens
// only a few connections to one server; where there are no shared workers each window runs it for itself.

// The server says something at least every two seconds.
const SILENCE = 6000;
const AGAIN = 1000;

/// Listens from now on, and delivers {kind, text} messages: snapshot, update, clock, closed, lost, refused.
export function listen(deliver) {
  let source = null;
  let last = null;
  let heard = Date.now();
  let over = false;

  const take = (kind) => (event) => {
    heard = Date.now();
    if (event.lastEventId) last = Number(event.lastEventId);
    if (kind === 'closed') {
      over = true;
      source.close();
    }
    deliver({ kind, text: event.data });
  };
  const connect = () => {
    if (source) source.close();
    heard = Date.now();
    source = new EventSource(last === null ? '/api/events' : `/api/events?after=${last}`);
    for (const kind of ['snapshot', 'update', 'clock', 'closed']) source.addEventListener(kind, take(kind));
    source.onerror = async () => {
      if (over) return;
      deliver({ kind: 'lost' });
      // The browser tries again by itself, unless it was turned away.
      if (source.readyState !== EventSource.CLOSED) return;
      const answer = await fetch('/api/log?after=999999999').catch(() => null);
      if (answer && (answer.status === 401 || answer.status === 421)) {
        over = true;
        deliver({ kind: 'refused' });
      } else {
        setTimeout(connect, AGAIN);
      }
    };
  };
  setInterval(() => {
    if (!over && Date.now() - heard > SILENCE) {
      deliver({ kind: 'lost' });
      connect();
    }
  }, 1000);
  connect();
}

if ('onconnect' in self) {
  const ports = [];
  let began = false;
  let last = null;
  self.onconnect = ({ ports: [port] }) => {
    ports.push(port);
    port.start();
    if (last) port.postMessage(last);
    if (began) return;
    began = true;
    listen((message) => {
      // A window that opens later is told that the connection is lost, or that all is over.
      last = ['lost', 'refused', 'closed'].includes(message.kind) ? message : null;
      for (const port of ports) port.postMessage(message);
    });
  };
}
