/** What `serve-opt bench` makes of every kind of hostile input, and of a sample of the rare ones, which it has to run. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { scaled } from '../helpers/limits.js';
import type { HostileKind } from './kind.js';
import { KINDS } from './kinds/all.js';
import { run, UNSAFE } from './run.js';

/** Of this process, as for `inspect`. */
const LIMIT_MS = 5000;
/** Models run in each group that loads: every run costs a second. */
const SAMPLE = 2;

/** Minutes of ONNX Runtime, or of reading zeros: their refusal by others is tested there, their measuring is only slow. */
const SLOW: ReadonlySet<string> = new Set(['a value with 20,000 uses', '3 GiB as an unknown field']);

/** Spread over the group, so that neighbours, which are alike, do not crowd others out. */
function sampled(kinds: readonly HostileKind[]): HostileKind[] {
  return [...new Set(kinds.map(({ group }) => group))].flatMap((group) => {
    const all = kinds.filter((kind) => kind.group === group && !SLOW.has(kind.name));
    const step = Math.max(1, Math.ceil(all.length / SAMPLE));
    return all.filter((_, index) => index % step === 0);
  });
}

describe('serve-opt bench', () => {
  let root = '';
  let folder = '';
  let count = 0;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'serve-opt-hostile-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  async function answerOf(kind: HostileKind): Promise<number> {
    folder = join(root, String(count++));
    mkdirSync(folder);
    const path = kind.make(folder);
    const before = readdirSync(folder);
    const { exitCode, stdout, stderr, cpuMs } = await run('bench', path, '--duration', '10ms', '--processes', '1');
    const text = stdout + stderr;
    expect(cpuMs).toBeLessThan(scaled(LIMIT_MS));
    expect(text).not.toMatch(UNSAFE);
    expect(text).not.toMatch(/^\s+at .*:\d+:\d+/m);
    if (kind.secret) expect(text).not.toContain(kind.secret);
    expect(readdirSync(folder)).toEqual(before);
    return exitCode;
  }

  for (const kind of KINDS.filter((each) => each.expect === 'error')) {
    it(`${kind.group}: ${kind.name} is refused`, async () => {
      expect(await answerOf(kind)).toBe(3);
    });
  }

  for (const kind of sampled(KINDS.filter((each) => each.expect === 'loads'))) {
    // Whether ONNX Runtime takes it is its own affair; that it is measured or refused in order is ours.
    it(`${kind.group}: ${kind.name} is measured, or refused in order`, async () => {
      expect([0, 1, 3]).toContain(await answerOf(kind));
    });
  }
});
