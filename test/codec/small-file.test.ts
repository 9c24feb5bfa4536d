import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseBoundedJson } from '../../src/codec/bounded-json.js';
import { readSmallTextFile } from '../../src/codec/small-file.js';
import { run } from '../hostile/run.js';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Paths that name no small regular file. */
const WRONG: readonly (readonly [string, (path: string) => void, string])[] = [
  ['a FIFO', (path) => execFileSync('mkfifo', [path]), 'SO2002'],
  [
    'a link to a FIFO',
    (path) => {
      execFileSync('mkfifo', [`${path}.fifo`]);
      symlinkSync(`${path}.fifo`, path);
    },
    'SO2002',
  ],
  ['a link to /dev/zero', (path) => symlinkSync('/dev/zero', path), 'SO2002'],
  ['a folder', (path) => mkdirSync(path), 'SO2002'],
  ['nothing', () => undefined, 'SO2001'],
  ['a large file', (path) => writeFileSync(path, Buffer.alloc(70 * 1024 * 1024, ' ')), 'SO2104'],
];

describe('readSmallTextFile', () => {
  it('reads text without its mark of byte order', () => {
    const path = join(folder(), 'a.json');
    writeFileSync(path, '\ufeff{"é":1}');
    expect(readSmallTextFile(path, 100)).toBe('{"é":1}');
  });

  it.each(WRONG)('refuses %s, and so do --recipe and --baseline', async (_, make, code) => {
    const path = join(folder(), 'a.json');
    make(path);
    expect(() => readSmallTextFile(path, 1024)).toThrow(expect.objectContaining({ code, exitCode: 3 }));
    const model = join(import.meta.dirname, '../../fixtures/none.onnx');
    const recipe = await run('optimize', model, '--recipe', path, '--json');
    expect([recipe.exitCode, JSON.parse(recipe.stdout).error.code]).toEqual([3, code]);
    const baseline = await run('bench', model, '--baseline', path, '--json');
    expect(baseline.exitCode).toBe(3);
  });

  it('refuses bytes that are not UTF-8', () => {
    const path = join(folder(), 'a.json');
    writeFileSync(path, Uint8Array.of(0x22, 0xff, 0x22));
    expect(() => readSmallTextFile(path, 100)).toThrow(expect.objectContaining({ code: 'SO2002' }));
  });
});

describe('parseBoundedJson', () => {
  const parse = (text: string): unknown =>
    parseBoundedJson(Buffer.from(text), { depth: 3, containers: 5, keys: 3, values: 6 });

  it('parses what is within its limits', () => {
    expect(parse('{"a":[1,"[[[[{{\\"[",{}]}')).toEqual({ a: [1, '[[[[{{"[', {}] });
    expect(parse('"\\\\"')).toBe('\\');
  });

  it.each(['[[[[]]]]', '[[],[],[],[],[]]', '{"a":1,"b":2,"c":3,"d":4}', '[1,2,3,4,5,6,7,8]', '{', '"\\', '"', '\xff'])(
    'refuses %s',
    (text) => {
      expect(() => parse(text)).toThrow(expect.objectContaining({ name: 'JsonRefusal' }));
    },
  );
});
