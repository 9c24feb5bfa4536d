/** Real servers as child processes: started on free ports, waited for, and ended whatever happens. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RunningServer {
  /** What it wrote, the last part. */
  readonly log: () => string;
  /** How many characters before that part are lost. */
  readonly dropped: () => number;
  readonly hasEnded: () => boolean;
  stop(): Promise<void>;
}

const READY_LIMIT_MS = 600_000;
const LOG_KEPT = 100_000;

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Starts a command in a process group of its own and waits until `isReady` says so. @throws with its log when it does not come up */
export async function startServer(
  command: string,
  parameters: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  isReady: () => Promise<boolean>,
): Promise<RunningServer> {
  const child = spawn(command, parameters, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let log = '';
  let dropped = 0;
  const keep = (piece: Buffer): void => {
    log += piece.toString();
    dropped += Math.max(0, log.length - LOG_KEPT);
    log = log.slice(-LOG_KEPT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(error.message)));
  const running: RunningServer = {
    log: () => log,
    dropped: () => dropped,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    stop: () => stop(child),
  };
  const limit = Date.now() + READY_LIMIT_MS;
  while (Date.now() < limit) {
    if (child.exitCode !== null) throw new Error(`it ended: ${log.slice(-2000)}`);
    if (await isReady().catch(() => false)) return running;
    await sleep(200);
  }
  await running.stop();
  throw new Error(`it did not come up: ${log.slice(-2000)}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group is gone.
    }
    if (child.exitCode === null && child.signalCode === null) await Promise.race([ended, sleep(5000)]);
  }
}

/** True when a GET responses with 200. */
export async function responds(url: string): Promise<boolean> {
  return (await fetch(url)).status === 200;
}
