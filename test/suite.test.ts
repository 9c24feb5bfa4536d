/** Rules of the tests themselves, and of everything beside the product that is run by hand. */
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsByFile, readSourceTexts, testKinds } from './helpers/test-kinds.js';

const ROOT = dirname(import.meta.dirname);
const texts = readSourceTexts(ROOT);
const kinds = testKinds(texts);

describe('the projects of vitest', () => {
  it('have every test in the one that its imports call for', () => {
    // Put together here, since this file is looked at as well.
    const load = (name: string) => `import${`('${name}')`}`;
    const from = (names: string, target: string) => `import ${names} from${` '${target}';`}`;
    const files = new Map([
      ['src/a.ts', from('{ b }', './b.js')],
      ['src/b.ts', `export const b = () => ${load('./c.js')};`],
      ['src/c.ts', from('{ fork }', 'node:child_process')],
      ['src/d.ts', `${from('type { fork }', 'node:child_process')}\n/* ${load('onnxruntime-node')} */`],
      ['test/helpers/run.ts', `export const PROGRAM = '${'bin'}/serve-opt.js';`],
      ['test/far.test.ts', from('{\n  a,\n}', '../src/a.js')],
      ['test/native.test.ts', `const ort = await ${load('onnxruntime-node')};`],
      ['test/types.test.ts', from('{ d }', '../src/d.js')],
      ['test/alone.test.ts', 'export {};'],
      ['test/build.test.ts', `join(ROOT, '${'di'}st', 'index.js')`],
      ['test/run.test.ts', `${from('{ PROGRAM }', './helpers/run.js')}\n${from('{ c }', '../src/c.js')}`],
    ]);
    expect(Object.fromEntries(testKinds(files))).toEqual({
      'test/far.test.ts': 'runtime',
      'test/native.test.ts': 'runtime',
      'test/types.test.ts': 'unit',
      'test/alone.test.ts': 'unit',
      'test/build.test.ts': 'runtime',
      'test/run.test.ts': 'program',
    });
  });

  it('are not all one', () => {
    const kindOf = (path: string) => kinds.get(`test/${path}.test.ts`);
    expect(['tensor/float16', 'suite', 'architecture'].map(kindOf)).toEqual(['unit', 'unit', 'unit']);
    expect(['runtime/host', 'passes/cases', 'workflows/compare'].map(kindOf)).toEqual([
      'runtime',
      'runtime',
      'runtime',
    ]);
    expect(['cli/golden', 'workflows/faults', 'readme'].map(kindOf)).toEqual(['program', 'program', 'program']);
  });

  it('let no unit test start a process or load native code', () => {
    // Not by an import, which would make this file a test of another project.
    const { spawn, execFileSync, fork } = process.getBuiltinModule('node:child_process');
    for (const start of [spawn, execFileSync, fork]) {
      expect(() => start(process.execPath, ['-e', ''])).toThrow('a unit test must not start a process');
    }
    expect(() => process.dlopen({ exports: {} }, 'any.node')).toThrow('a unit test must not load native code');
  });
});

describe('packages', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
    readonly peerDependencies: Readonly<Record<string, string>>;
  };
  // Peers are optional: what needs one says how it is installed.
  const ours = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];
  const all = [...ours, ...Object.keys(manifest.devDependencies), 'serve-opt'];
  const imports = importsByFile(texts, { types: true });

  function undeclared(folders: RegExp, declared: readonly string[]): readonly string[] {
    return [...imports].flatMap(([path, targets]) =>
      targets
        .filter((target) => folders.test(path) && isPackage(target) && !declared.includes(nameOf(target)))
        .map((target) => `${path} imports ${target}`),
    );
  }

  const isPackage = (target: string) =>
    !target.includes('#') && !texts.has(target) && !/^(node:|\.|(src|test|scripts|benchmarks|dist)\/)/.test(target);
  const nameOf = (target: string) =>
    target
      .split('/')
      .slice(0, target.startsWith('@') ? 2 : 1)
      .join('/');

  it('that tests, scripts and benchmarks import are in package.json', () => {
    expect(undeclared(/^(test|scripts|benchmarks)\//, all)).toEqual([]);
  });

  it('that the product imports are installed with it', () => {
    expect(undeclared(/^src\//, ours)).toEqual([]);
    expect(undeclared(/^src\//, []).length, 'the rule looks at something').toBeGreaterThan(ours.length);
  });

  it('of Node are imported by their full name', () => {
    const bare = [...imports].flatMap(([path, targets]) =>
      targets.filter((target) => builtinModules.includes(target)).map((target) => `${path} imports ${target}`),
    );
    expect(bare).toEqual([]);
  });
});

describe('tests', () => {
  const tests = [...texts].filter(([path]) => path.startsWith('test/'));
  const saying = (form: RegExp, spared: readonly string[] = []) =>
    tests.filter(([path, text]) => !spared.includes(path) && form.test(text)).map(([path]) => path);

  it('are skipped by skipWhere only, which names the reason', () => {
    const form = /\b(it|test|describe)\.(skip|skipIf|runIf|todo|only|fails)\b|\b(context|ctx)\.skip\(/;
    expect(saying(form, ['test/helpers/skip-where.ts', 'test/suite.test.ts'])).toEqual([]);
  });

  it('compare no wall-clock time', () => {
    const form = /expect\([^;]*?(performance\.now\(|Date\.now\(|process\.hrtime)/;
    expect(saying(form, ['test/suite.test.ts'])).toEqual([]);
  });
});
