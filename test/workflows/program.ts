/** The program as a user runs it, on files of a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const ROOT = join(import.meta.dirname, '..', '..');
export const PROGRAM = join(ROOT, 'bin', 'serve-opt.js');

/** Makes the file that SERVE_OPT_TEST_READY names. */
const TELL_READY = join(ROOT, 'test', 'helpers', 'tell-ready.cjs');

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with `model.onnx` in it, and one beside it for temporary files of the program. */
export interface Place {
  readonly folder: string;
  readonly temporary: string;
  readonly model: string;
}

export function makePlace(parent: string, modelFile: string): Place {
  const base = mkdtempSync(join(parent, 'place-'));
  const [folder, temporary] = [join(base, 'models'), join(base, 'tmp')];
  mkdirSync(folder);
  mkdirSync(temporary);
  copyFileSync(modelFile, join(folder, 'model.onnx'));
  return { folder, temporary, model: join(folder, 'model.onnx') };
}

export function makeParent(): string {
  return mkdtempSync(join(tmpdir(), 'serve-opt-robust-'));
}

/** Files of a folder, hidden ones included; empty when there is no such folder. */
export function listing(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

export function start(
  place: Place,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...words], {
    cwd: place.folder,
    env: { ...environment, TMPDIR: place.temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** As `start`; `listens` resolves as soon as the program handles signals, before which they end it as any process. */
export function startToldWhenReady(
  place: Place,
  words: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): { readonly child: ChildProcess; readonly listens: Promise<void> } {
  const ready = join(mkdtempSync(join(place.folder, '..', 'ready-')), 'ready');
  const child = start(place, words, {
    ...environment,
    NODE_OPTIONS: `${environment.NODE_OPTIONS ?? ''} --require "${TELL_READY}"`.trim(),
    SERVE_OPT_TEST_READY: ready,
  });
  const wait = async (): Promise<void> => {
    while (!existsSync(ready)) await sleep(20);
  };
  return { child, listens: wait() };
}

export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', ''];
    child.stdout?.on('data', (chunk) => {
      stdout += String(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      stderr += String(chunk);
    });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

export function run(place: Place, words: readonly string[], environment?: NodeJS.ProcessEnv): Promise<Outcome> {
  return outcomeOf(start(place, words, environment));
}

/** A shell line in the place; `$PROGRAM` runs the program. */
export function shell(place: Place, line: string): Promise<Outcome> {
  const program = `'${process.execPath}' '${PROGRAM}'`;
  const child = spawn('bash', ['-c', line.replaceAll('$PROGRAM', program)], {
    cwd: place.folder,
    env: { ...process.env, TMPDIR: place.temporary },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return outcomeOf(child);
}
