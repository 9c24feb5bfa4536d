import { countModel } from '../../ir/diff.js';
import type { Model } from '../../ir/model.js';
import { allNodes } from '../../ir/walk.js';
import { writtenSize } from '../../ir/write-model.js';
import { SOURCES_KEY } from '../../passes/engine/provenance.js';
import type { ConstantEvaluator } from '../../passes/engine/rewrite.js';
import type { AppliedRewrite, RewriteOutcome } from '../../passes/engine/run-rewrites.js';
import { optimizeGraph } from '../../passes/optimize-graph.js';
import type { RecipeRow } from '../../passes/presets.js';
import { type InContext, OPTIMIZE_DEFAULTS, type OptimizeOptions } from '../options.js';
import { growthBytes } from '../produce/growth.js';

/** One rewrite as gates know it: its pass, and the label of its first node. */
export interface RewriteId {
  readonly pass: string;
  readonly label: string;
}

export function idOf({ pass, nodes }: AppliedRewrite): RewriteId {
  return { pass, label: nodes[0]?.label ?? '' };
}

/** A rewrite that was left out because of what it would add to the file. */
export interface TooLargeRewrite {
  readonly id: RewriteId;
  /** Operator of the node it is known by. */
  readonly opType: string;
  /** Bytes that it would add. */
  readonly bytes: number;
}

/** The model after the passes, and what they did. */
export interface Optimized {
  readonly model: Model;
  readonly outcome: RewriteOutcome;
}

export interface PipelineRun {
  /** Stop after so many changes. */
  readonly limit?: number;
  /** Passes to leave out besides those that were dropped. */
  readonly without?: ReadonlySet<string>;
  readonly onApplied?: (model: Model, applied: AppliedRewrite) => void;
}

/** How often passes are run anew to keep a file from growing before the whole attempt is given up. */
const MOST_FITTINGS = 8;
/** So many nodes are looked at in all attempts together, about; two attempts are made in any case. */
const MOST_FITTED_NODES = 120_000;
/** Up to so many rewrites what each costs is measured; the ledger of the passes, which estimates, is asked beyond. */
const MOST_MEASURED = 400;
/** So is it beyond so many nodes times rewrites: the size of a file is found in time linear in its nodes. */
const MOST_MEASURED_NODES = 4_000_000;

/**
 * Optimizes copies of one model, always from the start, so that any part of what the passes do can be left out: the same
 * choices give the same result.
 */
export class Pipeline {
  /** The model that copies are made of. */
  readonly base: Model;
  readonly recipe: readonly RecipeRow[];
  /** Rewrites that were left out because the file would have become too large. */
  readonly tooLarge: TooLargeRewrite[] = [];
  readonly #options: InContext<OptimizeOptions>;
  readonly #evaluate: ConstantEvaluator | undefined;
  readonly #allowanceBytes: number;
  readonly #memoryBytes: number;
  readonly #baseBytes: number;
  readonly #outputPath: string;
  readonly #forbidden: Map<string, Set<string>> = new Map();
  readonly #dropped: Set<string> = new Set();
  readonly #passLimits: Map<string, number> = new Map();
  #end = Number.POSITIVE_INFINITY;

  constructor(
    base: Model,
    recipe: readonly RecipeRow[],
    options: InContext<OptimizeOptions>,
    outputPath: string,
    evaluate: ConstantEvaluator | undefined,
    memoryBytes: number = Number.POSITIVE_INFINITY,
  ) {
    this.base = base;
    this.recipe = recipe;
    this.#options = options;
    this.#evaluate = evaluate;
    this.#outputPath = outputPath;
    this.#baseBytes = writtenSize(base, outputPath);
    this.#memoryBytes = memoryBytes;
    // Constants that are made are held until they are written.
    this.#allowanceBytes = Math.min(
      growthBytes(options.maxGrowth ?? OPTIMIZE_DEFAULTS.maxGrowth, this.#baseBytes),
      memoryBytes / 2,
    );
  }

  /** Leaves one rewrite out from now on. */
  forbid({ pass, label }: RewriteId): void {
    const labels = this.#forbidden.get(pass);
    if (labels) labels.add(label);
    else this.#forbidden.set(pass, new Set([label]));
  }

  /** Leaves a whole pass out from now on. */
  drop(pass: string): void {
    this.#dropped.add(pass);
  }

  /** Makes no more than so many changes by one pass from now on. */
  endPassAfter(pass: string, changes: number): void {
    this.#passLimits.set(pass, changes);
  }

  /** Makes no more than so many changes in all from now on. */
  endAfter(changes: number): void {
    this.#end = Math.min(this.#end, changes);
  }

  /** Whether not all the changes are made that could be. */
  get isCutShort(): boolean {
    return this.#end < Number.POSITIVE_INFINITY;
  }

  /** One run on a fresh copy, as far as `limit` goes. */
  async run({ limit, without, onApplied }: PipelineRun = {}): Promise<Optimized> {
    const { signal, operators } = this.#options;
    const model = this.base.clone();
    const end = Math.min(limit ?? Number.POSITIVE_INFINITY, this.#end);
    const made = new Map<string, number>();
    const isFull = (pass: string): boolean => (made.get(pass) ?? 0) >= (this.#passLimits.get(pass) ?? Infinity);
    const outcome = await optimizeGraph(
      model,
      {
        recipe: this.recipe.filter(
          ({ pass: { definition } }) => !this.#dropped.has(definition.name) && !without?.has(definition.name),
        ),
        operators: operators ?? OPTIMIZE_DEFAULTS.operators,
        growthBytes: this.#allowanceBytes,
        memoryBytes: this.#memoryBytes,
        gate: {
          limit: end,
          isForbidden: (pass, label) => isFull(pass) || (this.#forbidden.get(pass)?.has(label) ?? false),
        },
        ...(this.#evaluate ? { evaluate: this.#evaluate } : {}),
        onApplied: (applied) => {
          made.set(applied.pass, (made.get(applied.pass) ?? 0) + 1);
          onApplied?.(model, applied);
        },
      },
      signal ? { signal } : {},
    );
    return { model, outcome };
  }

  /**
   * A run whose file keeps to the budget for growth. The passes keep a ledger, but what a file takes in the end is known
   * when it is written only: then names of merged nodes go first, then the rewrites that cost most.
   * @returns undefined when nothing helped
   */
  async runWithinBudget(options: PipelineRun = {}): Promise<Optimized | undefined> {
    const affordable = Math.floor(MOST_FITTED_NODES / Math.max(1, countModel(this.base).nodes));
    const most = Math.max(2, Math.min(MOST_FITTINGS, affordable));
    for (let attempt = 0; attempt < most; attempt++) {
      const optimized = await this.run(options);
      if (this.#excessBytes(optimized.model) <= 0) return optimized;
      dropSources(optimized.model);
      const excess = this.#excessBytes(optimized.model);
      if (excess <= 0) return optimized;
      if (!this.#forbidDear(await this.#costs(optimized, options), excess)) return undefined;
    }
    return undefined;
  }

  /** How many bytes the file of a model would be beyond the budget. */
  #excessBytes(model: Model): number {
    if (this.#allowanceBytes === Number.POSITIVE_INFINITY) return 0;
    return writtenSize(model, this.#outputPath) - this.#baseBytes - this.#allowanceBytes;
  }

  /** What each rewrite added to the file. */
  async #costs({ outcome }: Optimized, options: PipelineRun): Promise<TooLargeRewrite[]> {
    const rewrites = outcome.applied.length;
    if (rewrites > MOST_MEASURED || rewrites * countModel(this.base).nodes > MOST_MEASURED_NODES)
      return outcome.applied.map((applied) => costOf(applied, applied.bytesDelta));
    const costs: TooLargeRewrite[] = [];
    let before = this.#baseBytes;
    await this.run({
      ...options,
      onApplied: (model, applied) => {
        dropSources(model);
        const after = writtenSize(model, this.#outputPath);
        costs.push(costOf(applied, after - before));
        before = after;
      },
    });
    return costs;
  }

  /** Leaves out the cheapest rewrite that is enough, or the dearest ones. False when none made the file larger. */
  #forbidDear(costs: readonly TooLargeRewrite[], excess: number): boolean {
    const dear = costs.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
    const enough = dear.findLast(({ bytes }) => bytes >= excess);
    let saved = 0;
    for (const { id, opType, bytes } of enough ? [enough] : dear) {
      if (saved >= excess) break;
      this.forbid(id);
      this.tooLarge.push({ id, opType, bytes });
      saved += bytes;
    }
    return saved > 0;
  }
}

function costOf(applied: AppliedRewrite, bytes: number): TooLargeRewrite {
  return { id: idOf(applied), opType: applied.nodes[0]?.opType ?? '', bytes };
}

/** Takes the names of merged nodes off the nodes that stand for them. */
function dropSources(model: Model): void {
  for (const node of allNodes(model)) if (node.hasMetadataProps) node.metadataProps.delete(SOURCES_KEY);
}
