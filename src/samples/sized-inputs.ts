import { substituteDim } from '../ops/dim.js';
import { batchNames } from './batch-names.js';
import type { ValueSpec } from './types.js';

/** Sizes by the name of a dimension, or by `input:axis`. */
export type Sizes = ReadonlyMap<string, number>;

/**
 * Inputs with their open dimensions set to sizes. A symbol has one size everywhere, also where it is set at one place of an input.
 * Names that no dimension has, and sizes that are fixed, count for nothing: `withSizes` refuses them.
 */
export function sizedInputs(inputs: readonly ValueSpec[], sizes: Sizes | undefined): readonly ValueSpec[] {
  if (sizes === undefined || sizes.size === 0) return inputs;
  const symbols = new Map(sizes);
  for (const { name, shape = [] } of inputs) {
    for (const [axis, dim] of shape.entries()) {
      const size = sizes.get(`${name}:${axis}`);
      if (size !== undefined && typeof dim === 'string') symbols.set(dim, size);
    }
  }
  return inputs.map((input) => {
    if (!input.shape) return input;
    const shape = input.shape.map((dim, axis) => {
      if (typeof dim === 'number') return dim;
      const own = sizes.get(`${input.name}:${axis}`);
      if (own !== undefined) return own;
      return typeof dim === 'string' ? substituteDim(dim, symbols) : dim;
    });
    return { ...input, shape };
  });
}

/** As `sizedInputs`, for samples of a data set: rows are stacked to batches, so the first dimension keeps the size it has. */
export function sizedDataInputs(inputs: readonly ValueSpec[], sizes: Sizes | undefined): readonly ValueSpec[] {
  if (sizes === undefined) return inputs;
  const batch = new Set([...batchNames(inputs), ...inputs.map(({ name }) => `${name}:0`)]);
  return sizedInputs(inputs, new Map([...sizes].filter(([name]) => !batch.has(name))));
}
