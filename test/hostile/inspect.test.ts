/** What `serve-opt inspect` says of every kind of hostile or rare input. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { scaled } from '../helpers/limits.js';
import type { HostileKind } from './kind.js';
import { KINDS } from './kinds/all.js';
import { type Answer, run, UNSAFE } from './run.js';

const LIMIT_MS = 5000;
const LIMIT_MIB = 512;
const ROOT = dirname(dirname(import.meta.dirname));

function expectClean(kind: HostileKind, answer: Answer): void {
  expect(answer.exitCode).toBe(kind.expect === 'error' ? 3 : 0);
  expect(answer.cpuMs).toBeLessThan(scaled(LIMIT_MS));
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
    expect(cpuMs).toBeLessThan(scaled(LIMIT_MS));
  });
});
