/** The program as real processes: what they answer, take, and leave behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hold } from './context.js';
import { hasProc, type ProcessRow, processesWith } from './processes.js';
import { type Look, sendSignal } from './watch.js';

/** A folder to work in and one for temporary files, both empty at first. */
export interface Place {
  readonly base: string;
  readonly folder: string;
  readonly temporary: string;
}

export interface RunOptions {
  /** Beside those of this process; `undefined` takes a variable away. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Before the machine's factor, in milliseconds; a minute by default. */
  readonly limitMs?: number;
  /** Resident memory of all processes together, in bytes, at which the run is stopped. */
  readonly stopAtBytes?: number;
  readonly look?: Look;
}

export interface Outcome {
  readonly what: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
  /** Most resident memory of all processes together that was seen, in bytes; 0 without /proc. */
  readonly peakBytes: number;
  /** Why the suite ended the run itself. */
  readonly stopped: 'time' | 'memory' | undefined;
  /** Command lines of processes that outlived the program for longer than they may; they are killed. */
  readonly survivors: readonly string[];
  /** Names in the temporary folder after the end. */
  readonly temporaries: readonly string[];
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
}

/** How long processes may outlive the program, before the machine's factor, in milliseconds. */
const SURVIVE_MS = 3000;
const LIMIT_MS = 60_000;
const STOP_AT_BYTES = 4 * 1024 ** 3;
/** Marks every process of one run, those whose parent is gone included. */
const MARK = 'SERVE_OPT_HOLD_RUN';

export function makePlace(hold: Hold): Place {
  const base = mkdtempSync(join(hold.scratch, 'place-'));
  const place = { base, folder: join(base, 'work'), temporary: join(base, 'tmp') };
  mkdirSync(place.folder);
  mkdirSync(place.temporary);
  return place;
}

export function removePlace(place: Place): void {
  rmSync(place.base, { recursive: true, force: true });
}

/** Names in a folder, hidden ones included, in order. */
export function listing(folder: string): string[] {
  return readdirSync(folder).sort();
}

/** Runs the program with these words. */
export function run(hold: Hold, place: Place, words: readonly string[], options?: RunOptions): Promise<Outcome> {
  return start(hold, place, words, options).ended;
}

export function start(hold: Hold, place: Place, words: readonly string[], options: RunOptions = {}): Running {
  const what = `serve-opt ${words.join(' ')}`;
  return launch(hold, place, what, process.execPath, [hold.program, ...words], options);
}

/** Runs a line of bash in which `$PROGRAM` is the program. */
export function shell(hold: Hold, place: Place, line: string, options: RunOptions = {}): Promise<Outcome> {
  const text = line.replaceAll('$PROGRAM', `'${process.execPath}' '${hold.program}'`);
  return launch(hold, place, line.replaceAll('$PROGRAM', 'serve-opt'), 'bash', ['-c', text], options).ended;
}

function launch(
  hold: Hold,
  place: Place,
  what: string,
  command: string,
  args: readonly string[],
  options: RunOptions,
): Running {
  const mark = `${MARK}=${randomBytes(8).toString('hex')}`;
  const startedAt = performance.now();
  const child = spawn(command, args, {
    cwd: place.folder,
    env: environmentOf(place, mark, options.environment),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { pid } = child;
  let peakBytes = 0;
  let stopped: Outcome['stopped'];
  const stop = (why: Outcome['stopped']): void => {
    stopped ??= why;
    if (pid !== undefined) hold.watch.kill(pid, 'SIGKILL');
  };
  const look = (tree: readonly ProcessRow[]): void => {
    const bytes = tree.reduce((sum, row) => sum + row.residentBytes, 0);
    peakBytes = Math.max(peakBytes, bytes);
    if (bytes > (options.stopAtBytes ?? STOP_AT_BYTES)) stop('memory');
    options.look?.(tree);
  };
  if (pid !== undefined && hasProc()) hold.watch.add(pid, look);
  const timer = setTimeout(() => stop('time'), (options.limitMs ?? LIMIT_MS) * hold.factor);
  const ended = async (): Promise<Outcome> => {
    try {
      const { code, signal, stdout, stderr } = await output(child);
      const wallMs = performance.now() - startedAt;
      const survivors = await survivorsOf(mark, SURVIVE_MS * hold.factor);
      const temporaries = listing(place.temporary);
      return {
        what: what.replaceAll(`${hold.scratch}/`, ''),
        code,
        signal,
        stdout,
        stderr,
        wallMs,
        peakBytes,
        stopped,
        survivors,
        temporaries,
      };
    } finally {
      clearTimeout(timer);
      if (pid !== undefined) hold.watch.remove(pid);
    }
  };
  return { child, ended: ended() };
}

function environmentOf(place: Place, mark: string, changes: RunOptions['environment'] = {}): NodeJS.ProcessEnv {
  const [name = '', value] = mark.split('=');
  const environment: NodeJS.ProcessEnv = { ...process.env, TMPDIR: place.temporary, [name]: value, ...changes };
  for (const [key, text] of Object.entries(environment)) if (text === undefined) delete environment[key];
  return environment;
}

interface Output {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The end of the process itself: a survivor may hold the pipes open for ever. */
function output(child: ChildProcess): Promise<Output> {
  return new Promise((resolve, reject) => {
    const texts: Buffer[][] = [[], []];
    [child.stdout, child.stderr].forEach((stream, index) => {
      stream?.on('data', (piece: Buffer) => texts[index]?.push(piece));
    });
    const closed = new Promise<void>((done) => child.once('close', () => done()));
    child.once('error', reject);
    child.once('exit', async (code, signal) => {
      await Promise.race([closed, sleep(SURVIVE_MS, undefined, { ref: false })]);
      const [stdout = '', stderr = ''] = texts.map((pieces) => Buffer.concat(pieces).toString('utf8'));
      resolve({ code, signal, stdout, stderr });
    });
  });
}

/** What is still there after the time that it may take to end. */
async function survivorsOf(mark: string, limitMs: number): Promise<string[]> {
  if (!hasProc()) return [];
  const endAt = performance.now() + limitMs;
  let left = processesWith(mark);
  while (left.length > 0 && performance.now() < endAt) {
    await sleep(100);
    left = processesWith(mark);
  }
  for (const { pid } of left) sendSignal(pid, 'SIGKILL');
  return left.map(({ command }) => command);
}
