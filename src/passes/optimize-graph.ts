import { ServeOptError } from '../errors.js';
import type { Model } from '../ir/model.js';
import { suggest } from '../suggest.js';
import type { ReadyRewrite } from './engine/rewrite.js';
import { type RewriteOutcome, type RunRewritesOptions, runRewrites } from './engine/run-rewrites.js';
import { OPTIMIZE_LEVELS, OPTIMIZE_STAGES, type OptimizeLevel } from './levels.js';
import { OPTIMIZE_PRESET, type PresetRow, type RecipeRow } from './presets.js';

/** Which passes take part. */
export interface RecipeOptions {
  /** Default `standard`. */
  readonly level?: OptimizeLevel;
  /** Passes besides those of the level, by name. */
  readonly add?: readonly string[];
  /** Passes of the level to leave out, by name. */
  readonly remove?: readonly string[];
  /** Passes that are not registered, after those of their stage. */
  readonly ownPasses?: readonly PresetRow[];
}

/** Options of `optimizeGraph`. */
export interface OptimizeGraphOptions extends Omit<RunRewritesOptions, 'signal'>, RecipeOptions {
  /** Exactly these passes, in this order within their stages. The options that choose passes do not count then. */
  readonly recipe?: readonly RecipeRow[];
}

/** What a long run takes. */
export interface OptimizeGraphContext {
  /** Aborting it throws SO8130; the model is sound then, and changed in part. */
  readonly signal?: AbortSignal;
}

/** Defaults of `optimizeGraph`. */
export const OPTIMIZE_GRAPH_DEFAULTS = {
  level: 'standard',
  operators: 'portable',
  growthBytes: 0,
} as const satisfies OptimizeGraphOptions;

/** The rows of a recipe: those of the level, with passes added and removed. @throws SO1006 for an unknown name, with the nearest one; SO1002 for one that is both added and left out */
export function optimizeRecipe(options: RecipeOptions = {}): RecipeRow[] {
  const level = OPTIMIZE_LEVELS.indexOf(options.level ?? OPTIMIZE_GRAPH_DEFAULTS.level);
  const add = new Set(options.add);
  const remove = new Set(options.remove);
  const both = [...add].find((name) => remove.has(name));
  if (both !== undefined) {
    throw new ServeOptError('SO1002', `The pass ${both} cannot be both added and left out`, {
      hint: 'leave it out of one of the two',
    });
  }
  const rows = [...OPTIMIZE_PRESET, ...(options.ownPasses ?? [])];
  const names = rows.map(({ pass }) => pass.definition.name);
  for (const name of [...add, ...remove]) if (!names.includes(name)) throw unknownPass(name, names);
  return rows.filter(({ pass: { definition }, level: needed }) => {
    if (remove.has(definition.name)) return false;
    if (add.has(definition.name)) return true;
    return needed !== undefined && OPTIMIZE_LEVELS.indexOf(needed) <= level;
  });
}

/**
 * Optimizes a model in place to a fixed point: shapes inferred, constants folded, what is superfluous removed, patterns
 * fused. Runs nothing but what `evaluate` runs, and verifies nothing: that is `optimizeModel`.
 */
export function optimizeGraph(
  model: Model,
  options: OptimizeGraphOptions = {},
  context: OptimizeGraphContext = {},
): Promise<RewriteOutcome> {
  const recipe = options.recipe ?? optimizeRecipe(options);
  const inStage = (stage: string): ReadyRewrite[] =>
    recipe.flatMap((row) => (row.stage === stage && row.pass.ready ? [row.pass.ready(row.options)] : []));
  const clean = inStage('clean');
  const stages = OPTIMIZE_STAGES.map((stage) =>
    stage === 'clean' ? clean : stage === 'prepare' ? inStage(stage) : [...clean, ...inStage(stage)],
  ).filter((passes) => passes.length > 0);
  return runRewrites(model, stages, { ...OPTIMIZE_GRAPH_DEFAULTS, ...options, ...context });
}

/** An error that names the nearest pass. */
export function unknownPass(name: string, names: readonly string[]): ServeOptError {
  const near = suggest(name, names);
  return new ServeOptError('SO1006', `Unknown pass "${name}"`, {
    hint: near === undefined ? 'serve-opt passes lists them' : `did you mean "${near}"?`,
  });
}
