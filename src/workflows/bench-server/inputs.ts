import { ServeOptError } from '../../errors.js';
import { firstShapes } from '../../samples/seeded-reader.js';
import type { ValueSpec } from '../../samples/types.js';

/** A size for an open dimension of an input: `name` is `input:axis`, or a symbol of the model. */
export interface ChosenDim {
  readonly name: string;
  readonly size: number;
}

export interface FixedInputs {
  /** Every dimension is a number. */
  readonly inputs: readonly ValueSpec[];
  /** The same with the batch left open, for data that is stacked. */
  readonly unbatched: readonly ValueSpec[];
  /** Sizes that were chosen, by `input:axis`; the batch is not among them. */
  readonly dims: readonly ChosenDim[];
  /** Rows of a request: 1 where no input has an open first dimension. */
  readonly batchSize: number;
}

/**
 * Gives every open dimension a size: an open first dimension is the batch, others as chosen, else as synthetic samples have
 * them. @throws SO1006 for a choice that fits no input, or a batch that the model does not take
 */
export function fixInputs(specs: readonly ValueSpec[], batchSize: number, chosen: readonly ChosenDim[]): FixedInputs {
  for (const { name, dataType, typeText } of specs) {
    if (dataType === undefined) {
      throw new ServeOptError('SO4002', `The input "${name}" has a type that is not supported: ${typeText}`);
    }
  }
  const used = new Set<string>();
  const picked = specs.map((spec) => withChoices(spec, chosen, used));
  for (const { name } of chosen) {
    if (!used.has(name)) throw unknownDim(name, specs);
  }
  const batched = (spec: ValueSpec): boolean =>
    spec.shape !== undefined && spec.shape.length > 0 && isOpen(spec.shape[0]);
  const hasBatch = picked.some(batched);
  if (!hasBatch && batchSize !== 1) {
    throw new ServeOptError(
      'SO1006',
      `The model does not accept a batch size of ${batchSize}: its first dimensions are fixed`,
      {
        why: `it takes ${specs
          .map(({ name, typeText }) => `${name}: ${typeText}`)
          .slice(0, 4)
          .join(', ')}`,
      },
    );
  }
  const sized = picked.map((spec) =>
    batched(spec) ? { ...spec, shape: [batchSize, ...(spec.shape ?? []).slice(1)] } : spec,
  );
  const shapes = firstShapes(sized);
  const dims: ChosenDim[] = [];
  const inputs = sized.map((spec, index): ValueSpec => {
    const shape = shapes[index] ?? [];
    const source = specs[index]?.shape ?? [];
    for (const [axis, size] of shape.entries()) {
      const isBatch = axis === 0 && picked[index] !== undefined && batched(picked[index]);
      if (isOpen(source[axis]) && !isBatch) dims.push({ name: `${spec.name}:${axis}`, size });
    }
    return { ...spec, shape, typeText: sizedType(spec, shape) };
  });
  const unbatched = inputs.map((spec, index) =>
    picked[index] !== undefined && batched(picked[index]) && spec.shape
      ? { ...spec, shape: [undefined, ...spec.shape.slice(1)] }
      : spec,
  );
  return { inputs, unbatched, dims, batchSize: hasBatch ? batchSize : 1 };
}

function isOpen(dim: number | string | undefined): boolean {
  return typeof dim !== 'number' || dim < 0;
}

/** `float[?,16]` with its sizes filled in. */
function sizedType(spec: ValueSpec, shape: readonly number[]): string {
  const element = spec.typeText.replace(/\[.*$/, '');
  return shape.length === 0 ? element : `${element}[${shape.join(',')}]`;
}

function withChoices(spec: ValueSpec, chosen: readonly ChosenDim[], used: Set<string>): ValueSpec {
  if (spec.shape === undefined) return spec;
  const shape = spec.shape.map((dim, axis) => {
    const match = chosen.find(({ name }) => name === `${spec.name}:${axis}` || (dim !== undefined && name === dim));
    if (!match) return dim;
    if (typeof dim === 'number' && dim >= 0 && dim !== match.size) {
      throw new ServeOptError('SO1006', `Dimension ${axis} of the input "${spec.name}" is ${dim}, not ${match.size}`);
    }
    used.add(match.name);
    return match.size;
  });
  return { ...spec, shape };
}

function unknownDim(name: string, specs: readonly ValueSpec[]): ServeOptError {
  const open = specs.flatMap((spec) =>
    (spec.shape ?? []).flatMap((dim, axis) => (isOpen(dim) ? [`${spec.name}:${axis}`] : [])),
  );
  return new ServeOptError('SO1006', `No input has an open dimension "${name}"`, {
    hint:
      open.length === 0
        ? 'all dimensions of the model are fixed'
        : `sizes are open for ${open.slice(0, 12).join(', ')}`,
  });
}
