/** What `serve-opt inspect` says of every kind of hostile or rare input. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CliContext } from '../../src/cli/context.js';
import { main } from '../../src/cli/main.js';
import type { HostileKind } from './kind.js';
import { KINDS } from './kinds/all.js';

const LIMIT_MS = 5000;
const LIMIT_MIB = 512;
const ROOT = dirname(dirname(import.meta.dirname));

/** Anything a terminal or log could act on. Line ends and tabs are the program's own. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters must not come through.
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly cpuMs: number;
}

async function run(...argv: string[]): Promise<Answer> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const texts = ['', ''];
  [stdout, stderr].forEach((stream, i) => {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      texts[i] += piece;
    });
  });
  const context: CliContext = {
    stdout,
    stderr,
    env: {},
    cwd: tmpdir(),
    signal: new AbortController().signal,
    versions: { serveOpt: '0', node: '0', platform: 'test' },
  };
  const start = process.cpuUsage();
  const exitCode = await main(argv, context);
  const { user, system } = process.cpuUsage(start);
  await new Promise((resolve) => setImmediate(resolve));
  return { exitCode, stdout: texts[0] ?? '', stderr: texts[1] ?? '', cpuMs: (user + system) / 1000 };
}

function expectClean(kind: HostileKind, answer: Answer): void {
  expect(answer.exitCode).toBe(kind.expect === 'error' ? 3 : 0);
  expect(answer.cpuMs).toBeLessThan(LIMIT_MS);
  expect(answer.stdout).not.toMatch(UNSAFE);
  expect(answer.stderr).not.toMatch(UNSAFE);
  expect(answer.stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
  if (kind.secret) expect(answer.stdout + answer.stderr).not.toContain(kind.secret);
}

describe('serve-opt inspect', () => {
  let root = '';
  let folder = '';
  let count = 0;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'serve-opt-inspect-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  function make(kind: HostileKind): string {
    folder = join(root, String(count++));
    mkdirSync(folder);
    return kind.make(folder);
  }

  for (const kind of KINDS) {
    it(`answers ${kind.group}: ${kind.name}`, async () => {
      const path = make(kind);
      const before = readdirSync(folder);
      const json = await run('inspect', path, '--json');
      expectClean(kind, json);
      const document = JSON.parse(json.stdout) as { ok: boolean; error?: { code: string } };
      expect(document.ok).toBe(kind.expect === 'loads');
      if (kind.codes) expect(kind.codes).toContain(document.error?.code);
      const text = await run('inspect', path);
      expectClean(kind, text);
      expect(kind.expect === 'error' ? text.stderr : text.stdout).not.toBe('');
      if (kind.expect === 'loads') expectClean(kind, await run('inspect', path, '--dump'));
      expect(readdirSync(folder)).toEqual(before);
    });
  }

  /** Kinds that would take memory from a careless reader; each in a process of its own. */
  const heavy = KINDS.filter((kind) => /GiB|bomb|000|2\^|160 GB|1 MB|INT64/.test(kind.name));
  const report = `data:text/javascript,${encodeURIComponent(
    "import fs from 'node:fs'; process.on('exit', () => fs.writeSync(3, JSON.stringify([process.resourceUsage().maxRSS / 1024, process.cpuUsage().user / 1000])));",
  )}`;

  it.each(heavy.map((kind) => [`${kind.group}: ${kind.name}`, kind] as const))('stays small on %s', (_, kind) => {
    const program = join(ROOT, 'bin/serve-opt.js');
    const child = spawnSync(process.execPath, [`--import=${report}`, program, 'inspect', make(kind), '--json'], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(child.status).toBe(kind.expect === 'error' ? 3 : 0);
    const [peakMib = 0, cpuMs = 0] = JSON.parse(child.output[3] ?? '[]') as number[];
    expect(peakMib).toBeLessThan(LIMIT_MIB);
    expect(cpuMs).toBeLessThan(LIMIT_MS);
  });
});
