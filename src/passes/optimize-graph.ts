import { ServeOptError } from '../errors.js';
import type { Model } from '../ir/model.js';
import { suggest } from '../suggest.js';
import type { ReadyRewrite } from './engine/rewrite.js';
import { type RewriteOutcome, type RunRewritesOptions, runRewrites } from './engine/run-rewrites.js';
import { OPTIMIZE_LEVELS, OPTIMIZE_PRESET, OPTIMIZE_STAGES, type OptimizeLevel, type PresetRow } from './presets.js';

export interface OptimizeGraphOptions extends RunRewritesOptions {
  /** Default `standard`. */
  readonly level?: OptimizeLevel;
  /** Passes besides those of the level, by name. */
  readonly add?: readonly string[];
  /** Passes of the level to leave out, by name. */
  readonly remove?: readonly string[];
}

/** The rows of a recipe: those of the level, with passes added and removed. @throws SO1006 for an unknown name, with the nearest one */
export function optimizeRecipe(options: OptimizeGraphOptions = {}): PresetRow[] {
  const level = OPTIMIZE_LEVELS.indexOf(options.level ?? 'standard');
  const add = new Set(options.add);
  const remove = new Set(options.remove);
  const names = OPTIMIZE_PRESET.map(({ pass }) => pass.definition.name);
  for (const name of [...add, ...remove]) if (!names.includes(name)) throw unknownPass(name, names);
  return OPTIMIZE_PRESET.filter(({ pass: { definition }, level: needed }) => {
    if (remove.has(definition.name)) return false;
    if (add.has(definition.name)) return true;
    return needed !== undefined && OPTIMIZE_LEVELS.indexOf(needed) <= level;
  });
}

/**
 * Optimizes a model in place to a fixed point: shapes inferred, constants folded, what is superfluous removed, patterns
 * fused. Runs nothing but what `evaluate` runs, and verifies nothing: that is `optimizeModel`.
 */
export function optimizeGraph(model: Model, options: OptimizeGraphOptions = {}): Promise<RewriteOutcome> {
  const recipe = optimizeRecipe(options);
  const inStage = (stage: string): ReadyRewrite[] =>
    recipe.flatMap((row) => (row.stage === stage && row.pass.ready ? [row.pass.ready()] : []));
  const clean = inStage('clean');
  const stages = OPTIMIZE_STAGES.map((stage) =>
    stage === 'clean' ? clean : stage === 'prepare' ? inStage(stage) : [...clean, ...inStage(stage)],
  ).filter((passes) => passes.length > 0);
  return runRewrites(model, stages, options);
}

function unknownPass(name: string, names: readonly string[]): ServeOptError {
  const near = suggest(name, names);
  return new ServeOptError('SO1006', `There is no pass "${name}" in optimize`, {
    hint: near === undefined ? 'serve-opt passes lists them' : `did you mean "${near}"?`,
  });
}
