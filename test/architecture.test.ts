/** The rules of docs/architecture.md, checked on the sources. Every message names the rule and how to mend the break. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix, sep } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = dirname(import.meta.dirname);
const SOURCE = join(ROOT, 'src');

/** Layers and what each may import; `types` may be imported with `import type` only. '*' is everything but cli. */
const BASE = [
  'errors.ts',
  'error-table.ts',
  'exit-codes.ts',
  'error-data.ts',
  'leftovers.ts',
  'suggest.ts',
  'json-object.ts',
];
const LAYERS: Readonly<Record<string, { readonly imports: readonly string[]; readonly types?: readonly string[] }>> = {
  'exit-codes.ts': { imports: [] },
  'error-table.ts': { imports: ['exit-codes.ts'] },
  'errors.ts': { imports: ['error-table.ts', 'exit-codes.ts'] },
  'error-data.ts': { imports: ['errors.ts'] },
  'leftovers.ts': { imports: [] },
  'suggest.ts': { imports: [] },
  'json-object.ts': { imports: [] },
  'version.ts': { imports: [] },
  'index.ts': { imports: ['*'] },
  tensor: { imports: BASE },
  proto: { imports: BASE },
  bench: { imports: [...BASE, 'tensor'] },
  machine: { imports: [...BASE, 'tensor'] },
  codec: { imports: [...BASE, 'tensor'] },
  ir: { imports: [...BASE, 'tensor', 'codec'] },
  ops: { imports: [...BASE, 'tensor', 'codec', 'ir'] },
  prune: { imports: [...BASE, 'tensor', 'codec', 'ir', 'ops'] },
  // Its repair knows the same layers and sums as that of pruning.
  quantize: { imports: [...BASE, 'tensor', 'codec', 'ir', 'ops', 'prune'] },
  passes: { imports: [...BASE, 'tensor', 'codec', 'ir', 'ops', 'quantize', 'prune'] },
  samples: { imports: [...BASE, 'tensor', 'machine', 'codec', 'ir', 'ops'] },
  evaluate: { imports: [...BASE, 'tensor', 'bench', 'samples'] },
  // What a measurement is held against: the grammar of budgets, and the verdicts.
  gates: { imports: [...BASE, 'tensor', 'bench', 'evaluate'] },
  // What is computed beside the model, such as the comparison of outputs, is computed in the child process.
  runtime: {
    imports: [...BASE, 'tensor', 'bench', 'machine', 'codec', 'ir', 'ops', 'quantize', 'samples', 'evaluate'],
  },
  // Clients of inference servers and the load they are put under.
  serving: { imports: [...BASE, 'tensor', 'codec', 'proto', 'bench', 'samples'] },
  // What servers want of a model: pure, from facts and options to the files of a package. trtexec beside them is a program: what it is
  // told, and what it tells.
  targets: {
    imports: [...BASE, 'tensor', 'machine', 'codec', 'ir', 'ops', 'quantize', 'proto', 'samples'],
    types: ['report'],
  },
  report: { imports: [...BASE, 'tensor', 'bench'], types: ['passes', 'evaluate', 'gates', 'runtime', 'targets'] },
  workflows: { imports: ['*'] },
  cli: { imports: ['*', 'cli'] },
};

/** Packages and the folders that may import them. */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  'onnxruntime-node': ['runtime'],
  commander: ['cli'],
  ora: ['cli'],
  'cli-table3': ['cli'],
  yauzl: ['samples/dataset', 'codec/archive'],
  yazl: ['codec/archive'],
  'tar-stream': ['codec/archive'],
  'csv-parse': ['samples/dataset'],
  protobufjs: ['proto'],
  yaml: ['targets/yaml-text.ts'],
  execa: ['targets/tensorrt'],
  sharp: ['samples/images/decode-image.ts'],
  '@huggingface/tokenizers': ['samples/texts/tokenizer.ts'],
};

const MAXIMUM_LINES = 400;

interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
  /** Loaded when it is needed, by `import()`. */
  readonly dynamic?: boolean;
}

interface SourceFile {
  /** Path inside src, with slashes. */
  readonly path: string;
  readonly layer: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
  readonly lineCount: number;
}

const files: readonly SourceFile[] = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .map((path) => path.split(sep).join('/'))
  .filter((path) => path.endsWith('.ts'))
  .sort()
  .map(parse);

function parse(path: string): SourceFile {
  const text = readFileSync(join(SOURCE, path), 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const imports: Import[] = [];
  visit(tree, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier === undefined) return;
      const typeOnly = ts.isExportDeclaration(node)
        ? node.isTypeOnly
        : node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword || onlyTypes(node.importClause);
      imports.push({ target: resolve(path, (node.moduleSpecifier as ts.StringLiteral).text), typeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [target] = node.arguments;
      if (target && ts.isStringLiteral(target))
        imports.push({ target: resolve(path, target.text), typeOnly: false, dynamic: true });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const { literal } = node.argument;
      if (ts.isStringLiteral(literal)) imports.push({ target: resolve(path, literal.text), typeOnly: true });
    }
  });
  return { path, layer: path.split('/')[0] ?? path, tree, imports, lineCount: text.split('\n').length };
}

/** `import { type A, type B }` loads nothing that matters here. */
function onlyTypes(clause: ts.ImportClause | undefined): boolean {
  if (clause?.name !== undefined || clause?.namedBindings === undefined) return false;
  const { namedBindings } = clause;
  return ts.isNamedImports(namedBindings) && namedBindings.elements.every((element) => element.isTypeOnly);
}

/** A path inside src for a relative import; the specifier itself for a package. */
function resolve(from: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts') : specifier;
}

function visit(node: ts.Node, use: (node: ts.Node) => void): void {
  use(node);
  ts.forEachChild(node, (child) => visit(child, use));
}

function isInSource(target: string): boolean {
  return /\.(ts|json)$/.test(target);
}

function packageOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`) || path === `${folder}.ts`;
}

function allows(list: readonly string[], target: string): boolean {
  return list.some((entry) => (entry === '*' ? !isWithin(target, 'cli') : isWithin(target, entry)));
}

function place(file: SourceFile, node: ts.Node): string {
  const { line } = file.tree.getLineAndCharacterOfPosition(node.getStart(file.tree));
  return `src/${file.path}:${line + 1}`;
}

/** Places where a rule is broken; tests expect none, and vitest then shows them all. */
function breaches(find: (file: SourceFile, report: (text: string) => void) => void): readonly string[] {
  const found: string[] = [];
  for (const file of files) find(file, (text) => found.push(text));
  return found;
}

/** Identifiers that stand for a global, not for a property or a declaration of that name. */
function globalUses(file: SourceFile, name: string): readonly ts.Node[] {
  const uses: ts.Node[] = [];
  visit(file.tree, (node) => {
    if (!ts.isIdentifier(node) || node.text !== name) return;
    const { parent } = node;
    const isName =
      ts.isImportClause(parent) ||
      (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
      ((ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent)) &&
        parent.name === node);
    if (!isName) uses.push(node);
  });
  return uses;
}

describe('architecture', () => {
  it('has sources to look at', () => {
    expect(files.length).toBeGreaterThan(10);
  });

  it('keeps every file in a layer that the table knows', () => {
    expect(
      breaches((file, report) => {
        if (LAYERS[file.layer] === undefined) {
          report(
            `Rule 1 (layers): src/${file.path} is in no known layer. Move it into one, or add "${file.layer}" to LAYERS here and to docs/architecture.md.`,
          );
        }
      }),
    ).toEqual([]);
  });

  it('describes every layer in docs/architecture.md', () => {
    const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
    const present = new Set(files.map((file) => file.layer));
    const undescribed = [...present].filter(
      (layer) => layer !== 'index.ts' && !page.includes(`\`src/${layer}${layer.endsWith('.ts') ? '' : '/'}\``),
    );
    expect(undescribed, 'add a row to the table of docs/architecture.md').toEqual([]);
  });

  it('never reverses an arrow between layers', () => {
    expect(
      breaches((file, report) => {
        const layer = LAYERS[file.layer];
        if (layer === undefined) return;
        for (const { target, typeOnly } of file.imports) {
          if (!isInSource(target) || isWithin(target, file.layer) || allows(layer.imports, target)) continue;
          const typesAllowed = allows(layer.types ?? [], target);
          if (typeOnly && typesAllowed) continue;
          report(
            typesAllowed
              ? `Rule 1 (layers): src/${file.path} may import only types of src/${target}. Write "import type", or move the code to a layer that may use it.`
              : `Rule 1 (layers): src/${file.path} imports src/${target}, but ${file.layer} must not know ${target.split('/')[0]}. Move the shared part down a layer, or hand the value in as an option.`,
          );
        }
      }),
    ).toEqual([]);
  });

  it('has no import cycles between files but inside ir/', () => {
    // Nodes, values, graphs and models refer to each other: that is what a graph is.
    // What is loaded when it is needed, such as a command, may look at the table that names it.
    const cycles = cyclesOf(
      new Map(
        files.map(({ path, imports }) => [path, imports.filter(({ dynamic }) => !dynamic).map(({ target }) => target)]),
      ),
    );
    const outside = cycles.filter((cycle) => !cycle.every((path) => isWithin(path, 'ir')));
    expect(outside, 'move what two files share into a third, below both').toEqual([]);
  });

  it('keeps passes pure: no runtime, no files, no command line', () => {
    expect(
      breaches((file, report) => {
        if (file.layer !== 'passes') return;
        for (const { target } of file.imports) {
          if (
            isWithin(target, 'runtime') ||
            isWithin(target, 'cli') ||
            /^node:(fs|child_process|worker_threads|net|http)/.test(target)
          ) {
            report(
              `Rule 2 (pure passes): src/${file.path} imports ${target}. Measurements enter a pass as plain option data; let the workflow measure.`,
            );
          }
        }
      }),
    ).toEqual([]);
  });

  it('opens each package at one door only', () => {
    expect(
      breaches((file, report) => {
        for (const { target } of file.imports) {
          if (isInSource(target) || target.startsWith('node:') || target.startsWith('#')) continue;
          const folders = DOORS[packageOf(target)];
          if (folders === undefined) {
            report(
              `Rule 3 (one door): src/${file.path} imports ${target}, which has no door. Use what is there, or add the package to DOORS here and say why in docs/architecture.md.`,
            );
          } else if (!folders.some((folder) => isWithin(file.path, folder))) {
            report(
              `Rule 3 (one door): src/${file.path} imports ${target}, which only src/${folders.join(', src/')} may. Call that folder instead.`,
            );
          }
        }
      }),
    ).toEqual([]);
  });

  it('imports node modules by their full name', () => {
    expect(
      breaches((file, report) => {
        for (const { target } of file.imports) {
          if (
            /^(fs|path|os|util|url|crypto|stream|events|child_process|worker_threads|module|process)(\/|$)/.test(target)
          ) {
            report(`src/${file.path} imports "${target}". Write "node:${target}".`);
          }
        }
      }),
    ).toEqual([]);
  });

  it('lets only the command line touch the process and its streams', () => {
    expect(
      breaches((file, report) => {
        // The child of the runtime is a program of its own: it speaks to its parent by process messages.
        if (file.layer === 'cli' || file.layer === 'runtime') return;
        for (const node of globalUses(file, 'process')) {
          // Temporary folders are named for the process that owns them, and swept when that one is dead.
          const member = ts.isPropertyAccessExpression(node.parent) ? node.parent.name.text : '';
          if (file.path === 'codec/temporary-folder.ts' && /^(pid|kill)$/.test(member)) continue;
          // A program that was started ends with all that it started itself.
          if (file.path === 'targets/tensorrt/process-group.ts' && member === 'kill') continue;
          report(
            `Rule 4 (only cli touches the process): ${place(file, node)} uses process. Take the value as an option or through a context.`,
          );
        }
        if (file.imports.some(({ target }) => target === 'node:process')) {
          report(`Rule 4 (only cli touches the process): src/${file.path} imports node:process. Take it as an option.`);
        }
      }),
    ).toEqual([]);
  });

  it('lets the runtime use the process only for messages between parent and child', () => {
    const allowed =
      /^(send|on|once|off|removeListener|disconnect|connected|exit|exitCode|ppid|pid|kill|versions|platform|arch|channel|memoryUsage|cpuUsage|resourceUsage|execPath|hrtime|emitWarning|stdout|stderr)$/;
    expect(
      breaches((file, report) => {
        if (file.layer !== 'runtime') return;
        for (const node of globalUses(file, 'process')) {
          const { parent } = node;
          const member = ts.isPropertyAccessExpression(parent) ? parent.name.text : '';
          // The child is a program of its own: the memory that it may take comes as its argument.
          if (file.path === 'runtime/child.ts' && member === 'argv') continue;
          // The one switch that native code reads from the environment.
          if (parent.parent.getText() === 'process.env.ORT_DISABLE_TELEMETRY') continue;
          if (!allowed.test(member)) {
            report(
              `Rule 4 (only cli touches the process): ${place(file, node)} uses process.${member}. Environment, arguments and folders come in as options.`,
            );
          }
        }
      }),
    ).toEqual([]);
  });

  it('prints nowhere with console', () => {
    expect(
      breaches((file, report) => {
        for (const node of globalUses(file, 'console')) {
          report(
            `Rule 4 (nothing else prints): ${place(file, node)} uses console. Return data, or report an event through onProgress; the command line prints.`,
          );
        }
      }),
    ).toEqual([]);
  });

  it('has no folder or file for leftovers', () => {
    expect(
      breaches((file, report) => {
        const word = file.path.split('/').find((part) => /^(utils?|helpers?|misc|common|shared)(\.ts)?$/.test(part));
        if (word !== undefined) {
          report(
            `Rule 5 (no utils): src/${file.path}. Put a helper beside its first user, and move it down a layer when a second layer needs it.`,
          );
        }
      }),
    ).toEqual([]);
  });

  it('names files in kebab-case', () => {
    expect(
      breaches((file, report) => {
        if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.generated)?\.ts$/.test(basename(file.path))) {
          report(`File names: src/${file.path} is not kebab-case. Name it for its main export.`);
        }
      }),
    ).toEqual([]);
  });

  it(`keeps every file within ${MAXIMUM_LINES} lines`, () => {
    expect(
      breaches((file, report) => {
        // The list of exports is one list, in groups; its length is that of the library.
        if (file.path.endsWith('.generated.ts') || file.path === 'index.ts') return;
        if (file.lineCount > MAXIMUM_LINES + 1) {
          report(`File length: src/${file.path} has ${file.lineCount - 1} lines. Split it by concept; 150 is the aim.`);
        }
      }),
    ).toEqual([]);
  });

  it('has named exports only', () => {
    expect(
      breaches((file, report) => {
        visit(file.tree, (node) => {
          const isDefault =
            (ts.isExportAssignment(node) && !node.isExportEquals) || node.kind === ts.SyntaxKind.DefaultKeyword;
          // `default` is also a word of switch statements.
          if (isDefault && !ts.isDefaultClause(node.parent)) {
            report(`Exports: ${place(file, node)} is a default export. Export it by name.`);
          }
        });
      }),
    ).toEqual([]);
  });

  it('never uses the type any, nor silences the compiler', () => {
    expect(
      breaches((file, report) => {
        visit(file.tree, (node) => {
          if (node.kind === ts.SyntaxKind.AnyKeyword) {
            report(`Types: ${place(file, node)} uses any. Use unknown and narrow it.`);
          }
        });
        if (/@ts-(ignore|expect-error|nocheck)/.test(file.tree.text)) {
          report(`Types: src/${file.path} silences the compiler. Make the types true.`);
        }
      }),
    ).toEqual([]);
  });

  it('loads next to nothing before it knows the command', () => {
    // Help and version must start fast: what main.ts loads before it knows the command is counted here.
    const reached = new Set<string>();
    const walk = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      const file = files.find((candidate) => candidate.path === path);
      for (const { target } of staticImports(file)) walk(target);
    };
    walk('cli/main.ts');
    const heavy = [...reached].filter((path) => !isInSource(path) && !path.startsWith('node:'));
    expect(heavy, 'main.ts must reach packages by dynamic import only').toEqual([]);
    const outside = [...reached].filter((path) => isInSource(path) && !isWithin(path, 'cli'));
    expect(outside.sort(), 'keep what --help loads small').toEqual([
      'bench/least-effect.ts',
      'bench/scenario.ts',
      'codec/system-error.ts',
      'error-data.ts',
      'error-table.ts',
      'errors.ts',
      'evaluate/distill/conventions.ts',
      'evaluate/distill/distill-result.ts',
      'evaluate/scoring-kinds.ts',
      'exit-codes.ts',
      'leftovers.ts',
      'passes/levels.ts',
      'prune/score-names.ts',
      'quantize/observers/observer-names.ts',
      'quantize/place-names.ts',
      'report/ci/workflow-commands.ts',
      'report/json.ts',
      'report/safe-text.ts',
      'report/secrets.ts',
      'serving/protocols.ts',
      'suggest.ts',
      'targets/kubernetes/options.ts',
      'targets/mar/mar-options.ts',
      'targets/tensorrt/plan.ts',
      'targets/triton/triton-options.ts',
      'targets/vllm/checkpoint-schemes.ts',
      'version.ts',
      'workflows/distill/distill-options.ts',
      'workflows/limits.ts',
      'workflows/options.ts',
      'workflows/quantize-modes.ts',
      'workflows/repair-effort.ts',
      'workflows/scheme-options.ts',
      'workflows/weight-only-options.ts',
    ]);
  });
});

/** Imports that run when a file is loaded. */
function staticImports(file: SourceFile | undefined): readonly Import[] {
  if (file === undefined) return [];
  return file.imports.filter(({ typeOnly, dynamic }) => !typeOnly && !dynamic);
}

/** Groups of files that import each other, types included (Tarjan's strongly connected components). */
function cyclesOf(targets: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];
  const go = (path: string): void => {
    order.set(path, order.size);
    lowest.set(path, order.size - 1);
    stack.push(path);
    for (const target of targets.get(path) ?? []) {
      if (!targets.has(target)) continue;
      if (!order.has(target)) go(target);
      if (stack.includes(target)) {
        lowest.set(path, Math.min(lowest.get(path) as number, lowest.get(target) as number));
      }
    }
    if (lowest.get(path) !== order.get(path)) return;
    const cycle = stack.splice(stack.indexOf(path));
    if (cycle.length > 1) cycles.push(cycle.sort());
  };
  for (const path of targets.keys()) if (!order.has(path)) go(path);
  return cycles;
}
