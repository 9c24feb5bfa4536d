import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServeOptError } from '../errors.js';
import { holdLeftover, type Leftover, releaseLeftover } from '../leftovers.js';
import { serverText } from './server-error.js';

export interface LocalServerOptions {
  /** Name for messages. */
  readonly name: string;
  /** Path of the program. */
  readonly program: string;
  readonly parameters: readonly string[];
  /** Working folder of the program. */
  readonly folder: string;
  /** Added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How long it may take to end by itself, in ms; then it is killed with everything it started. Default 5 s. */
  readonly graceMs?: number;
}

/** How much of the server's output is kept, in characters. */
const OUTPUT_KEPT = 64 * 1024;
const GRACE_MS = 5000;
/** How long to wait for the end of killed processes. */
const KILLED_LIMIT_MS = 5000;

/**
 * Starts the server, passes SIGTERM on to it, and kills the whole process group once standard input ends: when this process
 * says so, and also when it is gone. The server may have started others (workers, stubs), which end with the group.
 */
const SUPERVISOR = `exec 3<&0
"$@" 3<&- </dev/null &
server=$!
trap 'kill -TERM "$server" 2>/dev/null' TERM INT HUP
{ cat <&3; kill -KILL 0; } >/dev/null 2>&1 &
exec 3<&-
while :; do
  wait "$server"
  code=$?
  kill -0 "$server" 2>/dev/null || break
done
exit "$code"`;

/** An inference server that this process started for itself. */
export class LocalServer {
  readonly #options: LocalServerOptions;
  readonly #child: ChildProcess;
  readonly #leftover: Leftover | undefined;
  readonly #exited: Promise<void>;
  readonly #closed: Promise<void>;
  #output = '';
  #exit: string | undefined;
  #stopping: Promise<void> | undefined;

  /** Starts it; that it came up is for the caller to find out. */
  constructor(options: LocalServerOptions) {
    this.#options = options;
    const variables = Object.entries(options.environment ?? {}).map(([name, value]) => `${name}=${value}`);
    const command = ['env', ...variables, options.program, ...options.parameters];
    this.#child = spawn('/bin/sh', ['-c', SUPERVISOR, 'sh', ...command], {
      cwd: options.folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      // A group of its own: it is killed whole, and the terminal's Ctrl-C does not reach it before we do.
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-OUTPUT_KEPT);
      });
    }
    this.#child.stdin?.on('error', () => {
      // The supervisor is gone: so is its group.
    });
    const { pid } = this.#child;
    // Minus the process id stands for the group.
    this.#leftover = pid === undefined ? undefined : { kind: 'process', pid: -pid };
    if (this.#leftover) holdLeftover(this.#leftover);
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#exit ??= signal === null ? `with exit code ${code}` : `by signal ${signal}`;
        resolve();
      });
      this.#child.once('error', ({ message }) => {
        this.#exit ??= `before it started: ${message}`;
        resolve();
      });
    });
    this.#closed = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', () => resolve());
    });
  }

  /** What it wrote last. */
  get output(): string {
    return this.#output;
  }

  /** How it ended, for example `with exit code 1`; undefined while it runs. */
  get ended(): string | undefined {
    return this.#exit;
  }

  /**
   * Waits until `isUp` says so, asking again every so often.
   * @throws SO5106 when it ends or is not up in time, SO8130 when aborted
   */
  async waitUntilUp(isUp: () => Promise<boolean>, limitMs: number, signal?: AbortSignal): Promise<void> {
    const limit = Date.now() + limitMs;
    for (;;) {
      if (signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
      if (this.#exit !== undefined) throw this.failure(`${this.#options.name} ended ${this.#exit} before it was ready`);
      if (await isUp()) return;
      if (Date.now() > limit) {
        throw this.failure(`${this.#options.name} was not ready within ${Math.round(limitMs / 1000)} s`);
      }
      await Promise.race([sleep(100), this.#exited]);
    }
  }

  /** An error with the last lines of the server's output. */
  failure(message: string): ServeOptError {
    const lines = this.#output
      .trimEnd()
      .split('\n')
      .slice(-6)
      .map((line) => serverText(line.trim()));
    const why = lines.filter((line) => line !== '').join('; ');
    return new ServeOptError('SO5106', message, why === '' ? {} : { why });
  }

  /** Ends it with everything it started, and waits for that. May be called more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#exit === undefined) this.#child.kill('SIGTERM');
    await within(this.#exited, this.#options.graceMs ?? GRACE_MS);
    // The supervisor's watcher kills what is left of the group.
    this.#child.stdin?.destroy();
    await within(this.#closed, KILLED_LIMIT_MS);
    // One that is stopped, or a supervisor that is: killed directly.
    if (this.#exit === undefined) this.#child.kill('SIGKILL');
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.destroy();
    if (this.#leftover) releaseLeftover(this.#leftover);
  }
}

async function within(event: Promise<void>, limitMs: number): Promise<void> {
  const timer = new AbortController();
  const limit = sleep(limitMs, undefined, { signal: timer.signal }).catch((error: unknown) => {
    if (!timer.signal.aborted) throw error;
  });
  await Promise.race([event, limit]);
  timer.abort();
}

/** Ports of this machine that are free now, each another one. Another program may take one before a server does. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  try {
    return await Promise.all(
      servers.map(
        (server) =>
          new Promise<number>((resolve, reject) => {
            server.once('error', reject);
            server.listen(0, '127.0.0.1', () => {
              const address = server.address();
              if (address === null || typeof address === 'string') reject(new Error('no port'));
              else resolve(address.port);
            });
          }),
      ),
    );
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}
