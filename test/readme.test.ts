/** What the README and the page on pruning show is run as it stands there: blocks whose fence says `runnable`. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BENCH_REPORT,
  benchText,
  maskSample,
  readmeSamples,
  runSample,
  sampleFolder,
} from '../scripts/readme-samples.js';
import { parseModelBytes } from '../src/ir/read-model.js';
import { sumsIn16BitsHere } from '../src/machine/dot-products.js';
import type { BenchReport } from '../src/report/bench-types.js';
import { skipWhere } from './helpers/skip-where.js';

const ROOT = join(import.meta.dirname, '..');
const FIXTURE = join(ROOT, 'fixtures', 'kws-dscnn');
const CACHE = join(ROOT, '.cache');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
const pruning = readFileSync(join(ROOT, 'docs/pruning.md'), 'utf8');

function runnable(language: string, page = readme): readonly string[] {
  return [...page.matchAll(/^```(\w+) runnable\n([\s\S]*?)^```$/gm)]
    .filter((match) => match[1] === language)
    .map((match) => match[2] ?? '');
}

// Inside of the repository, so that `import 'serve-opt'` finds this package.
let folder = '';
/** As strict as TypeScript gets. */
const STRICT = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noPropertyAccessFromIndexSignature: true,
  noImplicitOverride: true,
  skipLibCheck: false,
  skipDefaultLibCheck: true,
  target: 'es2022',
  lib: ['es2022', 'dom'],
  module: 'nodenext',
  types: [],
};
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

/** In a project of its own, where the package is installed and nothing else: no types of Node, declarations are checked too. */
function compileAndRun(code: string): ReturnType<typeof run> {
  freshFolder();
  writeFileSync(join(folder, 'example.ts'), code);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: STRICT, files: ['example.ts'] }));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'serve-opt'), 'junction');
  const compiled = run([join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.']);
  expect(compiled.stdout).toBe('');
  expect(compiled.status).toBe(0);
  return run(['example.js']);
}

describe('the page on pruning', () => {
  it('has a library example that compiles in a strict project, runs and cuts a model', () => {
    const [code, ...more] = runnable('ts', pruning);
    expect(more).toEqual([]);
    const { status, stdout, stderr } = compileAndRun(code ?? '');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('channels');
    expect(stdout).toMatch(/stays: .*graph output/);
    const size = (name: string): number => readFileSync(join(folder, name)).length;
    expect(size('model.half.onnx')).toBeLessThan(size('model.onnx') / 2);
  });
});

describe('the README', () => {
  it('has a library example that compiles in a strict project, runs and does what it says', () => {
    const [code, ...more] = runnable('ts');
    expect(more).toEqual([]);
    const { status, stdout, stderr } = compileAndRun(code ?? '');
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

  const SATURATES = sumsIn16BitsHere() === true;
  /** Whether weights were made smaller for a CPU without VNNI. */
  const guardsSums = (text: string): boolean => text.includes('so that 16-bit sums cannot overflow');

  describe('has samples of what the program prints today (node scripts/readme-samples.js writes them)', () => {
    const samples = readmeSamples();
    const isBench = ({ command }: { readonly command: string }): boolean => command.startsWith('bench ');
    let sampled = '';
    beforeAll(() => {
      sampled = sampleFolder();
    });
    afterAll(() => rmSync(sampled, { recursive: true, force: true }));

    for (const { command, text } of samples.filter((sample) => !isBench(sample))) {
      // What INT8 loses, and so which layers stay in FP32, differs where sums of 16 bits saturate.
      const isOfOthers = command.startsWith('quantize ') && guardsSums(text) !== SATURATES;
      skipWhere(isOfOthers, 'the sample was made on another kind of CPU').it(command, () =>
        expect(maskSample(runSample(command, sampled))).toBe(maskSample(text)),
      );
    }

    it.each(samples.filter(isBench))('$command', async ({ text }) => {
      const report: BenchReport = JSON.parse(readFileSync(BENCH_REPORT, 'utf8'));
      expect(text.replace(/^(✓ .*\n)+/, '')).toBe(await benchText(report));
    });

    it('of every command that measures or changes a model', () => {
      expect(samples.map(({ command }) => command.split(' ')[0])).toEqual(['quantize', 'optimize', 'bench']);
    });
  });

  it('names every command of the program', async () => {
    const { COMMANDS } = await import('../src/cli/commands.js');
    for (const { name } of COMMANDS) expect(readme).toContain(`| \`${name}\` |`);
  });
});
