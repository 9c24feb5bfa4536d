/** What the README shows is run as it stands there: blocks whose fence says `runnable`. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseModelBytes } from '../src/ir/read-model.js';

const ROOT = join(import.meta.dirname, '..');
const FIXTURE = join(ROOT, 'fixtures', 'kws-dscnn');
const CACHE = join(ROOT, '.cache');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

function runnable(language: string): readonly string[] {
  return [...readme.matchAll(/^```(\w+) runnable\n([\s\S]*?)^```$/gm)]
    .filter((match) => match[1] === language)
    .map((match) => match[2] ?? '');
}

// Inside of the repository, so that `import 'serve-opt'` finds this package.
let folder = '';
const run = (args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return { status, stdout, stderr };
};

beforeAll(() => {
  mkdirSync(CACHE, { recursive: true });
  folder = mkdtempSync(join(CACHE, 'readme-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function freshFolder(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const name of readdirSync(FIXTURE)) copyFileSync(join(FIXTURE, name), join(folder, name));
}

describe('the README', () => {
  it('has a library example that runs and does what it says', () => {
    const [code, ...more] = runnable('js');
    expect(more).toEqual([]);
    freshFolder();
    writeFileSync(join(folder, 'example.mjs'), code ?? '');
    const { status, stdout, stderr } = run(['example.mjs']);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('it is excluded');
    expect(stdout).toContain('top-1 accuracy');
    const written = parseModelBytes(readFileSync(join(folder, 'model.int8.onnx')));
    expect(written.metadata.get('owner')).toBe('speech-team');
    expect([...written.graph.nodes].some((node) => node.is('QuantizeLinear'))).toBe(true);
  });

  it('shows commands that work, in the order in which they stand', () => {
    freshFolder();
    const lines = runnable('sh').flatMap((block) => block.trim().split('\n'));
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      const [npx, program, ...words] = line.split(' ');
      expect([npx, program], line).toEqual(['npx', 'serve-opt']);
      const { status, stderr } = run([join(ROOT, 'bin', 'serve-opt.js'), ...words]);
      expect(status, `${line}\n${stderr}`).toBe(0);
    }
    expect(readdirSync(folder)).toContain('model.int8.report.json');
  });

  it('names every command of the program', async () => {
    const { COMMANDS } = await import('../src/cli/commands.js');
    for (const { name } of COMMANDS) expect(readme).toContain(`| \`${name}\` |`);
  });
});
