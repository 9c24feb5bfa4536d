/** Runs a program that stands in for trtexec, in all the ways a real one may fail. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runTrtexec } from '../../../src/targets/tensorrt/run-trtexec.js';
import { type FakeTrtexec, fakeTrtexec, trtexecFixture } from '../../helpers/fake-trtexec.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-trtexec-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const logPath = (): string => join(folder, 'trtexec.log');

function run(fake: FakeTrtexec, more: Partial<Parameters<typeof runTrtexec>[0]> = {}) {
  return runTrtexec({ program: fakeTrtexec(folder, fake), argv: ['--onnx=m.onnx'], logPath: logPath(), ...more });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that nobody waits for has ended all the same.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(10);
}

describe('running trtexec', () => {
  it.each([
    ['trt8.4-pass-mnist', 'passed'],
    ['trt10.10-pass-summary', 'passed'],
    ['trt8.0-pass-excerpt', 'passed'],
  ] as const)('replays %s', async (name, verdict) => {
    const { log, exitCode, timedOut } = await run({
      log: trtexecFixture(`${name}.log`),
      verdict: 'none',
      noBanner: true,
    });
    expect({ verdict: log.verdict, exitCode, timedOut }).toEqual({ verdict, exitCode: 0, timedOut: false });
    expect(log.summary.queriesPerSecond).toBeGreaterThan(0);
  });

  it.each(['trt8.0-fail-plugin-not-found', 'trt8.6-fail-parse-qdq-scale', 'trt10.3-fail-oom', 'trt10.2-running-head'])(
    'replays %s',
    async (name) => {
      const { log, exitCode } = await run({
        log: trtexecFixture(`${name}.log`),
        verdict: 'none',
        noBanner: true,
        exitCode: 1,
      });
      expect(exitCode).toBe(1);
      expect(log.verdict).not.toBe('passed');
    },
  );

  it('keeps the log as it came', async () => {
    await run({});
    const text = readFileSync(logPath(), 'utf8');
    expect(text).toMatch(/^&&&& RUNNING /);
    expect(text).toMatch(/&&&& PASSED [^\n]*\n$/);
  });

  it('takes slow output, and tells of each stage as it begins', async () => {
    const stages: string[] = [];
    const { log } = await run({ delayMs: 15 }, { onStage: (stage) => stages.push(stage) });
    expect(log.verdict).toBe('passed');
    expect(stages).toEqual(['parse', 'build', 'warm-up', 'measure']);
  });

  it('takes a last line without an end', async () => {
    const { log } = await run({ noNewline: true });
    expect(log.verdict).toBe('passed');
  });

  it('tells of exit codes, of a signal, and of a verdict that never comes', async () => {
    expect(await run({ verdict: 'FAILED' })).toMatchObject({ exitCode: 1, log: { verdict: 'failed' } });
    expect(await run({ exitCode: 7 })).toMatchObject({ exitCode: 7, log: { verdict: 'passed' } });
    expect(await run({ killSelf: 'SIGSEGV' })).toMatchObject({ exitCode: undefined, endedBy: 'SIGSEGV' });
    const silent = await run({ verdict: 'none' });
    expect(silent.exitCode).toBe(0);
    expect(silent.log.verdict).toBeUndefined();
  });

  it('takes garbage', async () => {
    const { log, exitCode } = await run({ garbageBytes: 4_000_000 });
    expect(exitCode).toBe(0);
    expect(log.lines).toBeGreaterThan(1);
  });

  it('takes 200 MB of log in bounded memory, and keeps its beginning and its end', async () => {
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss);
    }, 20);
    const { log } = await run({ textBytes: 200_000_000 });
    clearInterval(watch);
    expect(log.verdict).toBe('passed');
    expect(log.lines).toBeGreaterThan(800_000);
    expect(most - before).toBeLessThan(150_000_000);
    const { size } = statSync(logPath());
    expect(size).toBeGreaterThan(30_000_000);
    expect(size).toBeLessThan(40_000_000);
    const text = readFileSync(logPath(), 'utf8');
    expect(text).toMatch(/^&&&& RUNNING /);
    expect(text).toMatch(/… \d+ bytes left out …/);
    expect(text).toMatch(/&&&& PASSED [^\n]*\n$/);
  });

  it('ends after the time allowed, with all that it started', async () => {
    const child = join(folder, 'child');
    const outcome = await run({ hang: true, child }, { timeoutMs: 400 });
    expect(outcome.timedOut).toBe(true);
    const pid = Number(readFileSync(child, 'utf8'));
    await until(() => !isAlive(pid));
  });

  it('ends when it is interrupted, with all that it started', async () => {
    const controller = new AbortController();
    const child = join(folder, 'child');
    const readyPath = join(folder, 'ready');
    const running = run({ hang: true, child, readyPath }, { signal: controller.signal });
    const refused = expect(running).rejects.toMatchObject({ code: 'SO8130' });
    await until(() => existsSync(readyPath) && existsSync(child));
    controller.abort();
    await refused;
    for (const path of [child, readyPath]) {
      const pid = Number(readFileSync(path, 'utf8'));
      await until(() => !isAlive(pid));
    }
  });

  it('ends what ignores signals', async () => {
    const controller = new AbortController();
    const readyPath = join(folder, 'ready');
    const running = run({ hang: true, ignoreSignals: true, readyPath }, { signal: controller.signal });
    const refused = expect(running).rejects.toMatchObject({ code: 'SO8130' });
    await until(() => existsSync(readyPath));
    controller.abort();
    await refused;
    const pid = Number(readFileSync(readyPath, 'utf8'));
    await until(() => !isAlive(pid));
  });

  it('does not wait for what the program left running with its output open', async () => {
    const child = join(folder, 'child');
    const { log } = await run({ child });
    expect(log.verdict).toBe('passed');
    const pid = Number(readFileSync(child, 'utf8'));
    await until(() => !isAlive(pid));
  });

  it('calls the other way to end it as well', async () => {
    let stopped = 0;
    const stop = async (): Promise<void> => {
      stopped++;
    };
    await run({ hang: true }, { timeoutMs: 300, stop });
    expect(stopped).toBe(1);
  });

  it('says why a program cannot be started', async () => {
    const broken = join(folder, 'broken');
    writeFileSync(broken, '#!/no/such/interpreter\n', { mode: 0o755 });
    for (const program of [join(folder, 'missing'), broken])
      await expect(runTrtexec({ program, argv: [] })).rejects.toMatchObject({ code: 'SO5201' });
  });

  it('does without a log that cannot be written', async () => {
    const outcome = await run({}, { logPath: join(folder, 'no', 'such', 'folder', 'trtexec.log') });
    expect(outcome.log.verdict).toBe('passed');
    expect(outcome.logFailure).toMatch(/ENOENT/);
  });

  it('starts nothing once it is interrupted', async () => {
    await expect(run({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'SO8130' });
    expect(existsSync(logPath())).toBe(false);
  });
});
