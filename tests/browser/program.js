// The program whose pages are looked at, and a way to cut its connections.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const program = process.env.DRYROLL ?? path.resolve(root, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/dryroll');

const running = new Set();

/// Ends what a step that failed left running.
export function endAll() {
  for (const child of running) child.kill('SIGKILL');
}

/// Starts a drill; `url` opens it, `interrupt` ends it and answers its exit code.
export async function drill(scenario, ...more) {
  const child = spawn(program, ['drill', path.join(root, 'scenarios', `${scenario}.toml`), '--web', ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  child.on('exit', () => running.delete(child));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url) {
      const { host } = new URL(url);
      const ended = once(child, 'exit');
      return {
        url, host,
        interrupt: async () => {
          child.kill('SIGINT');
          return (await ended)[0];
        },
      };
    }
  }
  throw new Error('the program printed no address');
}

/// Stands between browser and program under another port, until it is cut; `mend` lets it go on.
export async function between({ host, url }) {
  const sockets = new Set();
  let cut = false;
  const server = http.createServer((request, response) => {
    const headers = { ...request.headers, host };
    if (headers.origin) headers.origin = `http://${host}`;
    const onward = http.request(`http://${host}${request.url}`, { method: request.method, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  });
  server.on('connection', (socket) => {
    if (cut) return socket.destroy();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: url.replace(host, `127.0.0.1:${server.address().port}`),
    cut: () => {
      cut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend: () => (cut = false),
    close: () => server.close(),
  };
}
