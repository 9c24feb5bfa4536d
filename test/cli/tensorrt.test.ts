/** `serve-opt tensorrt` and `bench --engine` as a user runs them, with a program that stands in for trtexec. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeTrtexec, fakeTrtexec, trtexecFixture } from '../helpers/fake-trtexec.js';

const ROOT = join(import.meta.dirname, '..', '..');
const PROGRAM = join(ROOT, 'bin', 'serve-opt.js');

let folder = '';
let bin = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-tensorrt-'));
  bin = mkdtempSync(join(tmpdir(), 'serve-opt-bin-'));
  copyFileSync(join(ROOT, 'fixtures', 'kws-dscnn', 'model.onnx'), join(folder, 'model.onnx'));
});
afterEach(() => {
  for (const each of [folder, bin]) rmSync(each, { recursive: true, force: true });
});

/** A bare environment, with the fake trtexec on PATH where there is one. */
const environment = (): NodeJS.ProcessEnv => ({ PATH: `${bin}:${process.env.PATH ?? ''}` });

function run(fake: FakeTrtexec, ...words: readonly string[]) {
  fakeTrtexec(bin, fake);
  return spawnSync(process.execPath, [PROGRAM, ...words], { cwd: folder, encoding: 'utf8', env: environment() });
}

const files = (): string[] => readdirSync(folder).sort();
const DIM = ['--dim', 'batch=1:8:32'];

describe('serve-opt tensorrt', () => {
  it('finds trtexec on PATH, builds, and names the engine and what to do next', () => {
    const { status, stdout, stderr } = run({}, 'tensorrt', 'model.onnx', ...DIM);
    expect(status).toBe(0);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('model.plan');
    expect(stderr).toContain('next: serve-opt bench --engine model.plan');
    expect(files()).toEqual(['model.onnx', 'model.plan', 'model.report.json', 'model.trtexec.log']);
  });

  it('prints commands alone to stdout on a dry run, and writes nothing', () => {
    const { status, stdout } = run(
      { version: '8601' },
      'tensorrt',
      'model.onnx',
      ...DIM,
      '--dry-run',
      '--precision',
      'fp16',
    );
    expect(status).toBe(0);
    expect(stdout.split('\n')).toHaveLength(2);
    expect(stdout).toContain(`--onnx=${join(folder, 'model.onnx')}`);
    expect(stdout).toContain(' --fp16 ');
    expect(files()).toEqual(['model.onnx']);
  });

  it('gives one document with --json, also of a failure', () => {
    const log = trtexecFixture('trt10.3-fail-oom.log');
    const failed = run({ log, verdict: 'none', exitCode: 1 }, 'tensorrt', 'model.onnx', ...DIM, '--json');
    expect(failed.status).toBe(1);
    const document = JSON.parse(failed.stdout) as { ok: boolean; error: { code: string } };
    expect(document).toMatchObject({ ok: false, error: { code: 'SO5206' } });
    const done = run({}, 'tensorrt', 'model.onnx', ...DIM, '--json');
    expect(JSON.parse(done.stdout)).toMatchObject({ ok: true, result: { command: 'tensorrt' } });
  });

  it('ends with 4 where a budget is missed, delivers nothing, and reports what was measured', () => {
    const words = ['tensorrt', 'model.onnx', ...DIM, '--budget', 'p99=0.1ms', '--junit', 'j.xml', '--report', 'r.html'];
    const { status, stdout, stderr } = run({}, ...words);
    expect(status).toBe(4);
    expect(stdout).toContain('p99 ≤ 0.1ms');
    expect(stderr).toContain('SO7001');
    expect(files()).toEqual(['j.xml', 'model.onnx', 'model.trtexec.log', 'r.html']);
    expect(readFileSync(join(folder, 'j.xml'), 'utf8')).toContain('<failure');
  });

  it('shows no table of times where trtexec printed none, and takes no workspace below 1 MiB', () => {
    expect(run({}, 'tensorrt', 'model.onnx', ...DIM).stdout).not.toContain('of one query');
    const tiny = run({}, 'tensorrt', 'model.onnx', ...DIM, '--workspace', '12');
    expect(tiny.status).toBe(2);
    expect(tiny.stderr).toContain('it must be at least 1 MiB');
  });

  it('refuses stdout', () => {
    const { status, stderr } = run({}, 'tensorrt', 'model.onnx', '-o', '-');
    expect(status).toBe(2);
    expect(stderr).toContain('An engine cannot be written to stdout');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('ends on %s with all that it started, and leaves nothing', async (signal, code) => {
    const [readyPath, childPath] = [join(bin, 'ready'), join(bin, 'child')];
    fakeTrtexec(bin, { hang: true, readyPath, child: childPath });
    const child: ChildProcess = spawn(process.execPath, [PROGRAM, 'tensorrt', 'model.onnx', ...DIM], {
      cwd: folder,
      env: environment(),
      stdio: 'ignore',
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (status) => resolve(status)));
    while (!existsSync(readyPath)) await wait(10);
    child.kill(signal);
    expect(await ended).toBe(code);
    expect(files()).toEqual(['model.onnx']);
    for (const path of [readyPath, childPath]) {
      const pid = readFileSync(path, 'utf8');
      while (isRunning(pid)) await wait(10);
    }
  });
});

function isRunning(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('serve-opt bench --engine', () => {
  it('measures, and ends with 4 where a budget is missed', () => {
    expect(run({}, 'tensorrt', 'model.onnx', ...DIM, '-q').status).toBe(0);
    const good = run({}, 'bench', '--engine', 'model.plan', '--dim', 'batch=16', '--budget', 'p99=5ms');
    expect(good.status).toBe(0);
    expect(good.stdout).toContain('batch 16');
    expect(run({}, 'bench', '--engine', 'model.plan', '--budget', 'p99=0.1ms').status).toBe(4);
    expect(run({}, 'bench', 'model.onnx', '--engine', 'model.plan').status).toBe(2);
    expect(run({}, 'bench', '--engine', 'model.plan', '--threads', '2').status).toBe(2);
    expect(run({}, 'bench', 'model.onnx', '--transfers').status).toBe(2);
  });
});

describe('serve-opt doctor', () => {
  it('shows the version of trtexec, or why there is none', () => {
    expect(run({ version: '101600' }, 'doctor').stdout).toMatch(/✓\s+trtexec\s+\S+trtexec \(TensorRT 10\.16\.0\)/);
  });
});
