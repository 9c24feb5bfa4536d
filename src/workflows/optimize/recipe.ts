import { parseBoundedJson } from '../../codec/bounded-json.js';
import { encodeUtf8 } from '../../codec/utf8.js';
import { ServeOptError } from '../../errors.js';
import { isJsonObject } from '../../json-object.js';
import { OPTIMIZE_STAGES, type OptimizeStage } from '../../passes/levels.js';
import { unknownPass } from '../../passes/optimize-graph.js';
import type { RecipeRow } from '../../passes/presets.js';
import { PASSES, passOptions, type RegisteredPass } from '../../passes/registry.js';
import { suggest } from '../../suggest.js';

/** Raised when a field changes its meaning or goes. */
export const RECIPE_SCHEMA_VERSION = 1;

/** A recipe as data: what `--print-recipe` prints and `--recipe` reads. */
export interface RecipeDocument {
  readonly schemaVersion: typeof RECIPE_SCHEMA_VERSION;
  /** In order; stages run one after the other, and within a stage the first pass that fits a node has it. */
  readonly passes: readonly RecipeStep[];
}

export interface RecipeStep {
  readonly pass: string;
  readonly stage: OptimizeStage;
  /** Options that are not the default may be given; absent where the pass has none. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** The rows as a document, with every option at its value. */
export function recipeDocument(rows: readonly RecipeRow[]): RecipeDocument {
  const order = (row: RecipeRow): number => OPTIMIZE_STAGES.indexOf(row.stage);
  const passes = [...rows]
    .sort((a, b) => order(a) - order(b))
    .map(({ pass, stage, options = {} }): RecipeStep => {
      const given = new Map(Object.entries(options));
      const values = [...passOptions(pass.definition)]
        .filter(([, row]) => !row.internal)
        .map(([name, row]) => [name, given.get(name) ?? row.default]);
      const step = { pass: pass.definition.name, stage };
      return values.length === 0 ? step : { ...step, options: Object.fromEntries(values) as Record<string, unknown> };
    });
  return { schemaVersion: RECIPE_SCHEMA_VERSION, passes };
}

/** Reads a recipe from JSON text. @throws SO1006 for what it is not, naming the place and the nearest word */
export function parseRecipe(text: string): RecipeRow[] {
  let document: unknown;
  try {
    document = parseBoundedJson(encodeUtf8(text));
  } catch (cause) {
    throw badRecipe(`it is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  // The document that `--print-recipe --json` prints has the recipe inside.
  const inner = isJsonObject(document) && isJsonObject(document.result) ? document.result : document;
  if (!isJsonObject(inner) || !Array.isArray(inner.passes)) throw badRecipe('it has no list "passes"');
  if (inner.schemaVersion !== RECIPE_SCHEMA_VERSION)
    throw badRecipe(`its schemaVersion is ${String(inner.schemaVersion)}, not ${RECIPE_SCHEMA_VERSION}`);
  return inner.passes.map(parseStep);
}

function parseStep(step: unknown, index: number): RecipeRow {
  if (!isJsonObject(step) || typeof step.pass !== 'string') throw badRecipe(`entry ${index + 1} has no "pass"`);
  const pass = rewritePass(step.pass);
  const stage = OPTIMIZE_STAGES.find((each) => each === step.stage);
  if (stage === undefined) {
    if (step.stage === 'target') throw badRecipe(`the stage "target" of ${step.pass} is called "finish" now`);
    throw badRecipe(
      `the stage of ${step.pass} is ${JSON.stringify(step.stage)}; it must be one of ${OPTIMIZE_STAGES.join(', ')}`,
    );
  }
  if (step.options === undefined) return { pass, stage };
  if (!isJsonObject(step.options)) throw badRecipe(`the options of ${step.pass} are not an object`);
  const known = passOptions(pass.definition);
  for (const [name, value] of Object.entries(step.options)) {
    const row = known.get(name);
    if (!row || row.internal) {
      const near = suggest(name, known.keys());
      throw badRecipe(`${step.pass} has no option "${name}"${near === undefined ? '' : `; did you mean "${near}"?`}`);
    }
    if (typeof value !== typeof row.default) throw badRecipe(`${name} of ${step.pass} is not a ${typeof row.default}`);
    if (row.choices && !row.choices.includes(String(value)))
      throw badRecipe(`${name} of ${step.pass} must be one of ${row.choices.join(', ')}`);
  }
  return { pass, stage, options: step.options };
}

/** A pass that takes part in pipelines, by name. @throws SO1006 with the nearest name */
export function rewritePass(name: string): RegisteredPass {
  const rewrites = PASSES.filter(({ ready }) => ready !== undefined);
  const pass = rewrites.find(({ definition }) => definition.name === name);
  if (pass) return pass;
  throw unknownPass(
    name,
    rewrites.map(({ definition }) => definition.name),
  );
}

function badRecipe(why: string, cause?: unknown): ServeOptError {
  return new ServeOptError('SO1006', 'The recipe cannot be used', {
    why,
    hint: 'serve-opt optimize MODEL --print-recipe shows a valid one',
    cause,
  });
}
