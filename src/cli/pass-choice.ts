import { readSmallTextFile } from '../codec/small-file.js';
import { ServeOptError } from '../errors.js';
import { optimizeRecipe, unknownPass } from '../passes/optimize-graph.js';
import { OPTIMIZE_PRESET, type RecipeRow } from '../passes/presets.js';
import { PASSES } from '../passes/registry.js';
import { parseRecipe } from '../workflows/optimize/recipe.js';
import type { OptimizeOptions } from '../workflows/options.js';
import type { FlagValues } from './flags.js';

/** Far more than every pass, named a thousand times. */
const MOST_RECIPE_BYTES = 1024 * 1024;

/** How a user chose passes, as options of the workflow. */
export type PassChoice = Pick<OptimizeOptions, 'level' | 'add' | 'remove' | 'recipe'>;

/**
 * What `--level`, `--passes`, `--inline-functions` and `--recipe` mean.
 * @throws SO1002 for a level beside all passes by name; SO1006 for an unknown pass, with the nearest one;
 *   SO2001… for a recipe that cannot be read
 */
export async function passChoice(flags: FlagValues): Promise<PassChoice> {
  const words = (flags.passes?.split(',') ?? []).map((word) => word.trim());
  const signed = words.filter((word) => /^[+-]/.test(word));
  if (signed.length > 0 && signed.length < words.length) {
    throw new ServeOptError('SO1006', `The value "${flags.passes}" of --passes is not allowed`, {
      why: 'either all names or none must have a sign: +a,-b changes the passes of the level, a,b is exactly these',
      hint: 'write --passes +a,-b',
    });
  }
  if (words.length > signed.length && flags.level !== undefined) {
    throw new ServeOptError('SO1002', `--level ${flags.level} and --passes ${flags.passes} contradict each other`, {
      why: 'names without a sign are the only passes that run',
      hint: 'write --passes +a,-b to change those of the level',
    });
  }
  const inline = flags['inline-functions'] ? ['inline-functions'] : [];
  if (flags.recipe !== undefined)
    return { recipe: [...rowsOf(inline), ...parseRecipe(readSmallTextFile(flags.recipe, MOST_RECIPE_BYTES))] };
  if (words.length > signed.length) return { recipe: rowsOf([...inline, ...words]) };
  return {
    ...(flags.level === undefined ? {} : { level: flags.level }),
    add: [...inline, ...namesAfter('+', signed)],
    remove: namesAfter('-', signed),
  };
}

/** The rows that a choice comes to. @throws SO1006 for an unknown pass, with the nearest one */
export function chosenRows(choice: PassChoice): readonly RecipeRow[] {
  return choice.recipe ?? optimizeRecipe(choice);
}

/** The pass that `--explain PASS` means, in the recipe; '' for all. @throws SO1006 */
export function explainedPass(name: string, recipe: readonly RecipeRow[]): string {
  if (name === '' || recipe.some(({ pass: { definition } }) => definition.name === name)) return name;
  const names = PASSES.map(({ definition }) => definition.name);
  if (!names.includes(name)) throw unknownPass(name, names);
  throw new ServeOptError('SO1006', `The pass ${name} does not run here, so there is nothing to explain`, {
    hint: OPTIMIZE_PRESET.some(({ pass: { definition } }) => definition.name === name)
      ? `add --passes +${name}`
      : `serve-opt passes ${name}`,
  });
}

/** Rows of passes by name, in the order of the preset. */
function rowsOf(names: readonly string[]): RecipeRow[] {
  const known = OPTIMIZE_PRESET.map(({ pass: { definition } }) => definition.name);
  for (const name of names) if (!known.includes(name)) throw unknownPass(name, known);
  return OPTIMIZE_PRESET.filter(({ pass: { definition } }) => names.includes(definition.name));
}

function namesAfter(sign: string, words: readonly string[]): string[] {
  return words.flatMap((word) => (word.startsWith(sign) ? [word.slice(1)] : []));
}
