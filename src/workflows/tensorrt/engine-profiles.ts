/** Optimization profiles from ranges of open dimensions. */
import { ServeOptError } from '../../errors.js';
import type { EngineProfile, EngineTensor, ProfileShape } from '../../report/tensorrt-types.js';
import type { ValueSpec } from '../../samples/types.js';
import { dataTypeName } from '../../tensor/dtype.js';
import { withSizes } from '../preflight/input-sizes.js';
import type { DimRange, DimRanges } from './tensorrt-options.js';

/**
 * Profiles of an engine: one for each of `profiles`, or one. Inputs with fixed sizes are in none.
 * @throws SO1006 for a name that no dimension has and for ranges out of order, SO4002 for a size that the model does not allow,
 *   SO5203 for dimensions without a range
 */
export function engineProfiles(
  inputs: readonly ValueSpec[],
  dims: DimRanges,
  profiles: readonly DimRanges[],
  modelName: string,
): readonly EngineProfile[] {
  const all = profiles.length === 0 ? [dims] : profiles.map((each) => merge(dims, each));
  const made = all.map((ranges) => oneProfile(inputs, ranges, modelName));
  return made.every((each) => each.inputs.length === 0) && profiles.length === 0 ? [] : made;
}

function merge(shared: DimRanges, own: DimRanges): DimRanges {
  const twice = [...own.keys()].find((name) => shared.has(name));
  if (twice !== undefined) {
    throw new ServeOptError('SO1002', `--dim ${twice} and --opt-profile ${twice} contradict each other`, {
      hint: 'leave one of them out: --dim holds in every profile',
    });
  }
  return new Map([...shared, ...own]);
}

function oneProfile(inputs: readonly ValueSpec[], ranges: DimRanges, modelName: string): EngineProfile {
  for (const [name, range] of ranges) checkRange(name, range);
  const at = (pick: keyof DimRange): ValueSpec[] =>
    withSizes(inputs, new Map([...ranges].map(([name, range]) => [name, range[pick]])));
  const [min, opt, max] = [at('min'), at('opt'), at('max')];
  const shapes: ProfileShape[] = [];
  const without = new Set<string>();
  for (const [index, input] of inputs.entries()) {
    const shape = input.shape;
    if (shape === undefined) {
      throw new ServeOptError('SO5203', `Input "${input.name}" has no rank, which TensorRT needs`, {
        hint: 'export the model with the shapes of its inputs',
        location: { file: modelName },
      });
    }
    if (shape.every((dim) => typeof dim === 'number')) continue;
    checkName(input.name);
    const sizes = [min, opt, max].map((each) => each[index]?.shape ?? []);
    for (const [axis, dim] of shape.entries()) {
      const open = sizes.find((each) => typeof each[axis] !== 'number');
      if (open) without.add(typeof dim === 'string' ? dim : `${input.name}:${axis}`);
    }
    const numbers = sizes.map((each) => each.map(Number));
    shapes.push({ name: input.name, min: numbers[0] ?? [], opt: numbers[1] ?? [], max: numbers[2] ?? [] });
  }
  if (without.size > 0) {
    const names = [...without];
    throw new ServeOptError(
      'SO5203',
      `${names.length === 1 ? 'A dimension has' : 'Dimensions have'} no range: ${names.join(', ')}`,
      {
        why: 'TensorRT builds for a smallest, a best and a largest size of each open dimension',
        hint: `add ${names.map((name) => `--dim ${name}=1:8:32`).join(' ')}, or fix it: serve-opt optimize ${modelName} --set-dim ${names[0]}=1`,
      },
    );
  }
  return { inputs: shapes };
}

function checkRange(name: string, { min, opt, max }: DimRange): void {
  if (min <= opt && opt <= max) return;
  throw new ServeOptError('SO1006', `The range ${min}:${opt}:${max} of dimension "${name}" is not in order`, {
    why: 'it must be smallest:best:largest',
    hint: `write --dim ${name}=${[min, opt, max].sort((a, b) => a - b).join(':')}`,
  });
}

/** trtexec separates inputs by commas, and takes single quotes for its own. */
function checkName(name: string): void {
  if (!/[,']/.test(name)) return;
  throw new ServeOptError('SO5203', `trtexec cannot be given a shape for the input "${name}"`, {
    why: 'its name has a comma or a quote, which trtexec takes for a separator',
    hint: 'rename the input, or fix its sizes: serve-opt optimize MODEL --set-dim NAME=N',
  });
}

/** Inputs or outputs of an engine, as its report has them: -1 for open dimensions, whatever their range. */
export function engineTensors(specs: readonly ValueSpec[]): readonly EngineTensor[] {
  return specs.map(({ name, dataType, shape }) => {
    const dims = shape?.map((dim) => (typeof dim === 'number' ? dim : -1));
    const symbols = shape?.map((dim) => (typeof dim === 'string' ? dim : null));
    return {
      name,
      type: dataType === undefined ? 'undefined' : dataTypeName(dataType),
      ...(dims === undefined ? {} : { dims }),
      ...(symbols?.some((symbol) => symbol !== null) ? { symbols } : {}),
    };
  });
}

/** Rows of a query: the first size of all inputs, where it is one and the same. */
export function batchOf(shapes: readonly { readonly dims: readonly number[] }[]): number {
  const firsts = new Set(shapes.filter(({ dims }) => dims.length > 0).map(({ dims }) => dims[0] as number));
  const [first] = firsts;
  return firsts.size === 1 && first !== undefined && first > 0 ? first : 1;
}
