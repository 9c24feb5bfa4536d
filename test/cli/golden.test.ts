/**
 * Runs the compiled program and compares what it says with `golden/*.txt`. `UPDATE_GOLDEN=1 npx vitest run test/cli`
 * writes them anew; read the difference before committing it.
 *
 * A golden file: `$ serve-opt <words>`, optional `env NAME=value` lines, then `exit`, `stdout` and `stderr` sections.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maskText } from './mask.js';

const ROOT = dirname(dirname(import.meta.dirname));
const GOLDEN = join(import.meta.dirname, 'golden');
const update = process.env.UPDATE_GOLDEN === '1';

interface Case {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly head: string;
}

/** The command of a golden file. Words are split at spaces; 'single quotes' keep them together. */
function readCase(text: string): Case {
  const head = text.split('\n--- ')[0] ?? '';
  const [command = '', ...settings] = head.trimEnd().split('\n');
  const words = [...command.replace(/^\$ serve-opt ?/, '').matchAll(/'([^']*)'|(\S+)/g)];
  const environment = settings
    .map((line) => /^env (\w+)=(.*)$/.exec(line))
    .flatMap((match) => (match ? [[match[1] ?? '', match[2] ?? ''] as const] : []));
  return {
    words: words.map((match) => match[1] ?? match[2] ?? ''),
    environment: Object.fromEntries(environment),
    head: head.trimEnd(),
  };
}

describe('what the program says', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'serve-opt-golden-'));
    writeFileSync(join(folder, 'empty.onnx'), '');
    writeFileSync(join(folder, 'text.onnx'), 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const name of readdirSync(GOLDEN)
    .filter((file) => file.endsWith('.txt'))
    .sort()) {
    it(`matches golden/${name}`, () => {
      const path = join(GOLDEN, name);
      const expected = readFileSync(path, 'utf8');
      const { words, environment, head } = readCase(expected);
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [join(ROOT, 'bin/serve-opt.js'), ...words],
        // A bare environment: the developer's colours and CI variables must not show.
        { cwd: folder, encoding: 'utf8', env: { PATH: process.env.PATH ?? '', ...environment } },
      );
      const actual = `${head}\n--- exit\n${status}\n--- stdout\n${maskText(stdout)}--- stderr\n${maskText(stderr)}`;
      if (update) writeFileSync(path, actual);
      else expect(actual).toBe(expected);
    });
  }
});
