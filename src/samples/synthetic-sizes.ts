import { symbolsOf } from '../ops/dim.js';
import { plainPlan, seededShapes } from './seeded-reader.js';
import { sizedInputs } from './sized-inputs.js';
import type { SampleSource, ValueSpec } from './types.js';

/** An open dimension, by its symbol or by `input:axis`, and the sizes it took in synthetic samples, smallest first. */
export interface SyntheticSize {
  readonly name: string;
  readonly sizes: readonly number[];
}

/** What a real symbol begins with: some exporters write `?` for every size they do not know. */
const SYMBOL = /^[A-Za-z_]/;

/** The sizes that open dimensions of the inputs take in the samples of a source: none where samples are not made, or all is fixed. */
export function syntheticSizes(inputs: readonly ValueSpec[], source: SampleSource): SyntheticSize[] {
  if (source.kind === 'data') return [];
  const sized = sizedInputs(inputs, source.dims);
  const plan = source.plan ?? plainPlan(sized);
  const taken = new Map<string, Set<number>>();
  for (let index = 0; index < source.count; index++) {
    const sample = source.sameShapes ? 0 : (plan.samples?.[index] ?? index);
    for (const [input, shape] of seededShapes(source.seed, sample, sized, plan).entries()) {
      const { name, shape: declared = [] } = inputs[input] as ValueSpec;
      for (const [axis, dim] of declared.entries()) {
        const size = shape[axis];
        if ((typeof dim === 'number' && dim >= 0) || size === undefined || isExpression(dim)) continue;
        const key = typeof dim === 'string' && SYMBOL.test(dim) ? dim : `${name}:${axis}`;
        taken.set(key, (taken.get(key) ?? new Set()).add(size));
      }
    }
  }
  return [...taken].map(([name, sizes]) => ({ name, sizes: [...sizes].sort((a, b) => a - b) }));
}

/** `past + 1`: told by what it is made of. */
function isExpression(dim: number | string | undefined): boolean {
  if (typeof dim !== 'string') return false;
  const symbols = symbolsOf(dim);
  return symbols.length > 0 && symbols[0] !== dim;
}
