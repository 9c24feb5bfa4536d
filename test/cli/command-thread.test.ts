/** The thread of a command: whatever it does, the process answers, hears signals and leaves nothing behind. */
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listing, makePlace, type Outcome, outcomeOf, type Place, ROOT, start } from '../workflows/program.js';

const FIXTURE = join(ROOT, 'fixtures', 'digits-mlp', 'model.onnx');

let parent = '';
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'serve-opt-thread-'));
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

/** Code that runs first in the thread of the command, and nowhere else. */
function inThread(name: string, code: string): NodeJS.ProcessEnv {
  const path = join(parent, `${name}.cjs`);
  writeFileSync(
    path,
    `const threads = require('node:worker_threads');
     if (!threads.isMainThread && threads.workerData?.command !== undefined) {
       const fs = require('node:fs');
       ${code}
       require('node:module').syncBuiltinESMExports();
     }`,
  );
  return { ...process.env, NODE_OPTIONS: `--require ${path}` };
}

/** Never returns from the call of `fs` that is named. */
const stuckIn = (call: string): string => `fs.${call} = () => { fs.writeSync(2, 'stuck'); for (;;); };`;

/** Starts it, sends the signal once it is stuck, and gives what came of it. */
async function signalWhenStuck(
  place: Place,
  words: readonly string[],
  environment: NodeJS.ProcessEnv,
  signal: NodeJS.Signals,
): Promise<Outcome> {
  const child = start(place, words, environment);
  const ended = outcomeOf(child);
  child.stderr?.on('data', (chunk) => {
    if (String(chunk).includes('stuck')) child.kill(signal);
  });
  return ended;
}

describe('a command that does not let go', () => {
  it.each([
    ['SIGINT', 130, 'Interrupted'],
    ['SIGTERM', 143, 'Terminated'],
  ] as const)('%s ends it where it reads', async (signal, code, word) => {
    const place = makePlace(parent, FIXTURE);
    const environment = inThread('reading', stuckIn('readSync'));
    const outcome = await signalWhenStuck(place, ['inspect', 'model.onnx'], environment, signal);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toContain(word);
    expect(outcome.stdout).toBe('');
  });

  it('leaves neither files nor processes where it was about to finish', async () => {
    const place = makePlace(parent, FIXTURE);
    const words = ['optimize', 'model.onnx', '-o', 'out.onnx', '--no-speed-gate'];
    const environment = inThread('finishing', ['renameSync', 'linkSync'].map(stuckIn).join('\n'));
    const outcome = await signalWhenStuck(place, words, environment, 'SIGINT');
    expect(outcome.stderr).toContain('Interrupted');
    expect(outcome.code).toBe(130);
    expect(listing(place.folder)).toEqual(['model.onnx']);
    expect(listing(place.temporary)).toEqual([]);
  });

  it('answers in JSON where that was asked for', async () => {
    const place = makePlace(parent, FIXTURE);
    const environment = inThread('json', stuckIn('readSync'));
    const outcome = await signalWhenStuck(place, ['inspect', 'model.onnx', '--json'], environment, 'SIGTERM');
    expect(JSON.parse(outcome.stdout)).toMatchObject({ command: 'inspect', ok: false, error: { code: 'SO8143' } });
  });
});

describe('a command that ends without an answer', () => {
  it('is a bug, in words', async () => {
    const place = makePlace(parent, FIXTURE);
    const mute = `const { parentPort } = threads;
      const post = parentPort.postMessage.bind(parentPort);
      parentPort.postMessage = (message) => (message.kind === 'done' ? undefined : post(message));`;
    const outcome = await outcomeOf(start(place, ['inspect', 'model.onnx'], inThread('mute', mute)));
    expect(outcome.code).toBe(70);
    expect(outcome.stderr).toContain('SO9001 the command ended without a result');
  });
});

describe('what a killed run left', () => {
  it('is gone after the next one', async () => {
    const place = makePlace(parent, FIXTURE);
    const words = ['optimize', 'model.onnx', '-o', 'out.onnx', '--no-speed-gate'];
    const environment = inThread('killed', ['renameSync', 'linkSync'].map(stuckIn).join('\n'));
    const { signal } = await signalWhenStuck(place, words, environment, 'SIGKILL');
    expect(signal).toBe('SIGKILL');
    expect(readdirSync(place.folder).length).toBeGreaterThan(1);
    copyFileSync(FIXTURE, join(place.folder, 'model.onnx'));
    const next = await outcomeOf(start(place, words));
    expect(next.code).toBe(0);
    expect(listing(place.folder)).toEqual(['model.onnx', 'out.onnx', 'out.report.json']);
    expect(listing(place.temporary)).toEqual([]);
  });
});
