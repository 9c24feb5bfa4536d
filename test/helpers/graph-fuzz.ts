/** Optimizes random graphs with random passes and tells what came out wrong, down to the rewrite that did it. */
import type { Model } from '../../src/ir/model.js';
import { parseModelBytes } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { printModel } from '../../src/ir/text/print-model.js';
import { formatType } from '../../src/ir/type.js';
import { verifyModel } from '../../src/ir/verify.js';
import { modelBytes } from '../../src/ir/write-model.js';
import { eliminateDead } from '../../src/passes/eliminate/eliminate-dead.js';
import type { RewriteGate } from '../../src/passes/engine/gate.js';
import type { RewriteOutcome, RunRewritesOptions } from '../../src/passes/engine/run-rewrites.js';
import { ALLOWED_OPERATORS, type AllowedOperators, OPTIMIZE_LEVELS } from '../../src/passes/levels.js';
import { optimizeGraph, optimizeRecipe } from '../../src/passes/optimize-graph.js';
import { OPTIMIZE_PRESET, type RecipeRow } from '../../src/passes/presets.js';
import { PASSES, type RegisteredPass } from '../../src/passes/registry.js';
import { createRandom } from '../../src/tensor/random.js';
import type { FuzzRuntime, Outputs } from './fuzz-runtime.js';
import { type FeedOptions, type FeedTensor, randomFeeds } from './random-feeds.js';
import { type RandomGraph, randomGraph } from './random-graph.js';

/** Passes to run. */
export interface Recipe {
  readonly name: string;
  readonly rows: readonly RecipeRow[];
  readonly operators: AllowedOperators;
  readonly growthBytes: number;
}

/** What is wrong with the result of a recipe. */
export interface Fault {
  readonly kind: 'throws' | 'unsound' | 'interface' | 'refused' | 'unequal' | 'not settled' | 'not idempotent';
  readonly what: string;
}

/** Passes of operators that random graphs do not have: text cases run them in ONNX Runtime. */
const OTHER_OPERATORS: ReadonlySet<string> = new Set(['eliminate-zero-states']);

const READY: ReadonlyMap<string, RegisteredPass> = new Map(
  PASSES.filter(({ ready, definition }) => ready && !OTHER_OPERATORS.has(definition.name)).map((pass) => [
    pass.definition.name,
    pass,
  ]),
);

/** Names of all passes that recipes are made of. */
export const FUZZED_PASSES: readonly string[] = [...READY.keys()];

/** A whole preset, a part of all passes, and a single one, by turns and by chance. */
export function recipesFor(seed: number): Recipe[] {
  const random = createRandom(seed, 99);
  const level = OPTIMIZE_LEVELS[seed % OPTIMIZE_LEVELS.length] ?? 'max';
  const share = 0.2 + 0.7 * random.float();
  const growthBytes = random.integer(2) === 0 ? 0 : 2 ** 20;
  const some = OPTIMIZE_PRESET.filter(
    ({ pass: { definition } }) => !OTHER_OPERATORS.has(definition.name) && random.float() < share,
  );
  const pass = READY.get(FUZZED_PASSES[seed % FUZZED_PASSES.length] ?? '');
  return [
    {
      name: `preset ${level}`,
      rows: optimizeRecipe({ level }),
      operators: ALLOWED_OPERATORS[random.integer(2)] ?? 'ort',
      growthBytes: 2 ** 20,
    },
    { name: 'some passes', rows: some, operators: ALLOWED_OPERATORS[random.integer(2)] ?? 'ort', growthBytes },
    ...(pass
      ? [{ name: pass.definition.name, rows: [{ pass, stage: 'clean' }], operators: 'ort', growthBytes } as const]
      : []),
  ];
}

export function runRecipe(model: Model, recipe: Recipe, options: RunRewritesOptions = {}): Promise<RewriteOutcome> {
  const { rows, operators, growthBytes } = recipe;
  return optimizeGraph(model, { recipe: rows, operators, growthBytes, ...options });
}

/** One way to feed a graph, and what it gives then. */
interface FuzzRun {
  readonly label: string;
  readonly feeds: ReadonlyMap<string, FeedTensor>;
  readonly expected: Outputs;
  /** By output, how far a change of the inputs by one part in a million moves it; undefined where only exact results can be told. */
  readonly sensitivity: ReadonlyMap<string, number> | undefined;
}

/** Sizes, magnitudes and corners that a graph is fed with. */
const WAYS: readonly (Omit<FeedOptions, 'seed'> & { readonly label: string })[] = [
  { label: 'plain', way: 0 },
  { label: 'other sizes', way: 1 },
  { label: 'large', way: 0, scale: 8 },
  { label: 'zeros', way: 0, scale: 0 },
  { label: 'edges', way: 0, edges: true },
];

/** A graph with what it gives in ONNX Runtime. */
export class FuzzSubject {
  readonly graph: RandomGraph;
  readonly model: Model;
  readonly #runtime: FuzzRuntime;
  readonly #runs: readonly FuzzRun[];

  private constructor(graph: RandomGraph, model: Model, runtime: FuzzRuntime, runs: readonly FuzzRun[]) {
    this.graph = graph;
    this.model = model;
    this.#runtime = runtime;
    this.#runs = runs;
  }

  /** @throws when ONNX Runtime does not run the graph: a fault of the generator */
  static async of(graph: RandomGraph, seed: number, runtime: FuzzRuntime): Promise<FuzzSubject> {
    const bytes = await modelBytes(parseModel(graph.text));
    const session = await runtime.session(bytes);
    try {
      const run = async (options: (typeof WAYS)[number]): Promise<FuzzRun> => {
        const feeds = randomFeeds(graph.inputs, { ...options, seed });
        const expected = await session.run(feeds);
        if (options.edges) return { label: options.label, feeds, expected, sensitivity: undefined };
        const nudged = await session.run(randomFeeds(graph.inputs, { ...options, seed, nudge: 1e-6 }));
        return { label: options.label, feeds, expected, sensitivity: sensitivityOf(expected, nudged) };
      };
      const runs: FuzzRun[] = [];
      for (const options of WAYS) {
        if (options.way === 1 && !graph.symbolic) continue;
        // Other sizes may break what was meant for the first: then they say nothing.
        const found = options.label === 'plain' ? await run(options) : await run(options).catch(() => undefined);
        if (found) runs.push(found);
      }
      return new FuzzSubject(graph, parseModelBytes(bytes), runtime, runs);
    } finally {
      await session.release();
    }
  }

  /** Runs a recipe on a copy; gives what fired and what is wrong, if anything. */
  async check(
    recipe: Recipe,
    gate?: RewriteGate,
  ): Promise<{ outcome: RewriteOutcome | undefined; fault: Fault | undefined }> {
    const model = this.model.clone();
    let outcome: RewriteOutcome;
    try {
      outcome = await runRecipe(model, recipe, { evaluate: this.#runtime.evaluate, ...(gate ? { gate } : {}) });
    } catch (error) {
      return { outcome: undefined, fault: { kind: 'throws', what: stackOf(error) } };
    }
    if (outcome.applied.length === 0) return { outcome, fault: undefined };
    const fault = await this.#judge(model, recipe, outcome, gate !== undefined);
    return { outcome, fault };
  }

  async #judge(model: Model, recipe: Recipe, outcome: RewriteOutcome, limited: boolean): Promise<Fault | undefined> {
    const [problem] = verifyModel(model);
    if (problem) return { kind: 'unsound', what: problem.message };
    const bytes = await modelBytes(model);
    const again = parseModelBytes(bytes);
    if (interfaceOf(again) !== interfaceOf(this.model))
      return { kind: 'interface', what: `${interfaceOf(this.model)} became ${interfaceOf(again)}` };
    const difference = await this.#compare(bytes, outcome);
    if (difference) return difference;
    if (limited) return undefined;
    if (!outcome.settled) return { kind: 'not settled', what: describe(outcome.applied.slice(-6)) };
    const second = await runRecipe(again, recipe, { evaluate: this.#runtime.evaluate });
    return second.applied.length === 0
      ? undefined
      : { kind: 'not idempotent', what: describe(second.applied.slice(0, 3)) };
  }

  async #compare(bytes: Uint8Array, outcome: RewriteOutcome): Promise<Fault | undefined> {
    // ONNX Runtime has few kernels for 16 bits: it casts around the others, and rounds less where fewer nodes are between.
    const exact =
      !this.graph.half && outcome.applied.every(({ pass }) => READY.get(pass)?.definition.numerics === 'exact');
    let session: Awaited<ReturnType<FuzzRuntime['session']>> | undefined;
    try {
      session = await this.#runtime.session(bytes);
      for (const run of this.#runs) {
        if (!exact && !run.sensitivity) continue;
        if (hasEmpty(run) && outcome.applied.some(({ into }) => FULL_ONLY.test(into?.opType ?? ''))) continue;
        const what = this.#difference(run, await session.run(run.feeds), exact);
        if (what !== undefined) return { kind: 'unequal', what: `${what} (${run.label})` };
      }
      return undefined;
    } catch (error) {
      return { kind: 'refused', what: error instanceof Error ? error.message : String(error) };
    } finally {
      await session?.release();
    }
  }

  #difference(run: FuzzRun, actual: Outputs, exact: boolean): string | undefined {
    for (const [name, { dims, numbers, type }] of run.expected) {
      const other = actual.get(name);
      if (!other || other.type !== type) return `${name}: ${type} became ${other?.type}`;
      if (other.dims.join() !== dims.join()) return `${name}: shape [${dims}] became [${other.dims}]`;
      const tolerance = exact || /int|bool/.test(type) ? undefined : this.#tolerance(run, name, numbers);
      if (tolerance === Number.POSITIVE_INFINITY) continue;
      for (const [at, value] of numbers.entries()) {
        const mine = other.numbers[at] ?? Number.NaN;
        if (Object.is(mine, value)) continue;
        if (tolerance === undefined && isNext(mine, value, type)) continue;
        // ONNX Runtime's Where loses the sign of zero.
        if (mine === value && this.graph.text.includes('Where')) continue;
        if (tolerance !== undefined && Math.abs(mine - value) <= tolerance + 1e-4 * Math.abs(value)) continue;
        if (tolerance !== undefined && !Number.isFinite(value)) continue;
        return `${name}[${at}]: ${value} became ${mine}${tolerance === undefined ? '' : `, allowed ${tolerance.toExponential(1)}`}`;
      }
    }
    return undefined;
  }

  /** Absolute, by the size of the output and how it follows its inputs. */
  #tolerance({ sensitivity }: FuzzRun, name: string, numbers: readonly number[]): number {
    const most = numbers.reduce((a, b) => (Number.isFinite(b) ? Math.max(a, Math.abs(b)) : a), 1e-3);
    return (this.graph.half ? 2e-2 : 2e-5) * most + 30 * (sensitivity?.get(name) ?? 0);
  }
}

/**
 * The last bits of a float may depend on where its buffer stands in memory, which moves when a copy is left out. Zeros of
 * other sign, and whole numbers, do not.
 */
const isNext = (mine: number, value: number, type: string): boolean =>
  type.startsWith('float') && value !== 0 && Math.abs(mine - value) <= 1e-6 * Math.abs(value);

/** Operators that were never meant for sequences without a token: ONNX Runtime refuses those. */
const FULL_ONLY = /^com\.microsoft\.|^Attention$/;
const hasEmpty = ({ feeds }: FuzzRun): boolean => [...feeds.values()].some(({ dims }) => dims.includes(0));

function sensitivityOf(plain: Outputs, nudged: Outputs): Map<string, number> {
  return new Map(
    [...plain].map(([name, { numbers }]) => {
      const others = nudged.get(name)?.numbers ?? [];
      let most = 0;
      for (const [at, value] of numbers.entries()) {
        const moved = Math.abs((others[at] ?? Number.NaN) - value);
        if (Number.isNaN(moved) && !Object.is(others[at], value)) most = Number.POSITIVE_INFINITY;
        else if (moved > most) most = moved;
      }
      return [name, most];
    }),
  );
}

/** Before IR version 4 constants are inputs too, which nobody can feed. */
function interfaceOf({ graph, irVersion }: Model): string {
  const inputs = graph.inputs.filter((value) => irVersion >= 4 || value.tensor === undefined);
  return [inputs, graph.outputs]
    .map((list) => list.map((value) => `${value.name}: ${formatType(value.type)}`).join(', '))
    .join(' => ');
}

const describe = (applied: RewriteOutcome['applied']): string =>
  applied
    .map(
      ({ pass, nodes, into }) =>
        `${pass} at ${nodes.map(({ label, opType }) => `${label} (${opType})`).join(', ')}${into ? ` → ${into.opType}` : ''}`,
    )
    .join('; ');

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 6).join('\n') : String(error);

/** Finds the shortest beginning of the graph and the first rewrite with which a recipe fails, and tells all of it. */
export async function explain(seed: number, recipe: Recipe, fault: Fault, runtime: FuzzRuntime): Promise<string> {
  let subject: FuzzSubject | undefined;
  let found = fault;
  for (let blocks = 1; blocks <= 9 && !subject; blocks++) {
    const smaller = await FuzzSubject.of(randomGraph(seed, blocks), seed, runtime).catch(() => undefined);
    const { fault: same } = smaller ? await smaller.check(recipe) : { fault: undefined };
    if (smaller && same?.kind === fault.kind) [subject, found] = [smaller, same];
  }
  const head = [`seed ${seed}, ${recipe.name} (${recipe.operators}): ${found.kind}: ${found.what}`];
  if (!subject) return head.join('\n');
  const { outcome } = await subject.check(recipe);
  let before = subject.model;
  for (let limit = 1; limit <= (outcome?.applied.length ?? 0); limit++) {
    const { fault: same, outcome: part } = await subject.check(recipe, { limit });
    if (same?.kind !== found.kind) continue;
    head.push(`guilty: rewrite ${limit} of ${outcome?.applied.length}: ${describe(part?.applied.slice(-1) ?? [])}`);
    before = subject.model.clone();
    await runRecipe(before, recipe, { evaluate: runtime.evaluate, gate: { limit: limit - 1 } });
    break;
  }
  if (recipe.rows.length > 1) head.push(`passes: ${recipe.rows.map(({ pass }) => pass.definition.name).join(' ')}`);
  keepOutput(before, /^(\w+)\[/.exec(found.what)?.[1]);
  await before.transform(eliminateDead());
  return [...head, shortText(before)].join('\n');
}

/** Leaves one output, if it is known which. */
function keepOutput({ graph }: Model, name: string | undefined): void {
  if (!graph.outputs.some((output) => output.name === name)) return;
  for (let index = graph.outputs.length - 1; index >= 0; index--)
    if (graph.outputs[index]?.name !== name) graph.removeOutput(index);
}

/** The text of a model with long lists of numbers cut. */
function shortText(model: Model): string {
  const text = printModel(model).replace(/\{(-?[\d.e+-]+(?:,-?[\d.e+-]+){11})[^}]*\}/g, '{$1,…}');
  const lines = text.split('\n');
  return lines.length > 90 ? [...lines.slice(0, 90), `… ${lines.length - 90} lines more`].join('\n') : text;
}
