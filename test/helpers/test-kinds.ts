/**
 * What a test file needs, read from what it imports: the vitest projects `unit`, `runtime` and `program` are made of this.
 * Quick, since every run of vitest looks at it: imports are found by their text, at the start of a line or in `import()`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';

export const TEST_KINDS = ['unit', 'runtime', 'program'] as const;

/**
 * `unit` starts no process and loads no ONNX Runtime; `runtime` may do both, or reads the build; `program` runs the program (or
 * a browser) as a process.
 */
export type TestKind = (typeof TEST_KINDS)[number];

/** Files with code, by their path inside the repository, with slashes. */
export type SourceTexts = ReadonlyMap<string, string>;

/** What a file reaches that makes it a test of its kind. */
const PROGRAM = ['test/helpers/chromium.ts'];
const PROGRAM_TEXT = /\bbin\/serve-opt\.js\b|'bin', 'serve-opt\.js'/;
const RUNTIME = ['node:child_process', 'execa', 'onnxruntime-node'];
const BUILD_TEXT = /['"/]dist['"/]/;
/** Native code that sources load only when it is needed: what counts is that a test uses it. */
const NATIVE_TEXT = /\bfrom 'sharp'/;

/** Test files with their kinds, by their path inside the repository. */
export function testKinds(texts: SourceTexts): ReadonlyMap<string, TestKind> {
  const imports = importsByFile(texts);
  const tests = [...texts.keys()].filter((path) => path.endsWith('.test.ts')).sort();
  return new Map(tests.map((path) => [path, kindOf(reachedFrom(path, imports), texts)]));
}

function kindOf(reached: ReadonlySet<string>, texts: SourceTexts): TestKind {
  const own = [...reached].filter((path) => /^(test|scripts)\//.test(path));
  const says = (form: RegExp) => own.some((path) => form.test(texts.get(path) ?? ''));
  if (PROGRAM.some((path) => reached.has(path)) || says(PROGRAM_TEXT)) return 'program';
  return RUNTIME.some((path) => reached.has(path)) || says(BUILD_TEXT) || says(NATIVE_TEXT) ? 'runtime' : 'unit';
}

export interface ImportOptions {
  /** Imports of types, too. */
  readonly types?: boolean;
}

/** What each file loads, at once or when it is needed: paths inside the repository, and packages. */
export function importsByFile(texts: SourceTexts, options: ImportOptions = {}): ReadonlyMap<string, readonly string[]> {
  const loads = options.types
    ? /^(?:import|export)\s+(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm
    : /^(?:import|export)\s+(?!type\s)(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
  const later = options.types
    ? /\b(?:import|require)\(\s*['"]([^'"]+)['"]/g
    : /(?<!typeof )\b(?:import|require)\(\s*['"]([^'"]+)['"]/g;
  return new Map(
    [...texts].map(([path, text]) => {
      const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '');
      const found = [...code.matchAll(loads), ...code.matchAll(later)].map((match) => match[1] ?? '');
      return [path, found.map((target) => resolveImport(path, target, texts))];
    }),
  );
}

/** A path inside the repository for a relative import; the specifier itself for a package. */
function resolveImport(from: string, specifier: string, texts: SourceTexts): string {
  if (!specifier.startsWith('.')) return specifier;
  const path = posix.join(posix.dirname(from), specifier);
  return texts.has(path) ? path : path.replace(/\.js$/, '.ts');
}

function reachedFrom(start: string, imports: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const reached = new Set([start]);
  for (const path of reached) for (const target of imports.get(path) ?? []) reached.add(target);
  return reached;
}

const FOLDERS = ['src', 'test', 'scripts', 'benchmarks'];

/** Every file with code of the repository. */
export function readSourceTexts(root: string): SourceTexts {
  const paths = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /(?<!\.d)\.(ts|js|cjs)$/.test(name))
      .map((name) => posix.join(folder, name.split(sep).join('/'))),
  );
  return new Map(paths.sort().map((path) => [path, readFileSync(join(root, path), 'utf8')]));
}
