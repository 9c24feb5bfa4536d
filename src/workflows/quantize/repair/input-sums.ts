import type { Model } from '../../../ir/model.js';
import type { Node } from '../../../ir/node.js';
import type { RepairLayer } from '../../../prune/repair/repair-layers.js';
import { inputSumsModel, type SummedInputs } from '../../../quantize/repair/input-sums-model.js';
import { sumOutputs } from '../../workbench/layer-sums.js';
import type { RepairTools } from './repair-state.js';

/** Sums of what a layer reads over the samples to fit to. */
export interface InputSums {
  /** Mean of the inputs, groups × K. */
  readonly mean: Float64Array;
  /** Σ x·xᵀ, groups × K × K; empty where it was not asked for. */
  readonly gram: Float64Array;
  /** Mean of |x|, groups × K; empty where it was not asked for. */
  readonly magnitude: Float64Array;
}

/** Most elements of matrices that are summed in one pass over the samples. */
const MOST_ELEMENTS = 2 ** 24;

/** Sums of what each layer reads in `model`, in the order of the layers; undefined for one that no sample reached. */
export async function inputSums(
  model: Model,
  layers: readonly { readonly layer: RepairLayer; readonly node: Node }[],
  summed: SummedInputs,
  { runtime, options, fitted }: Pick<RepairTools, 'runtime' | 'options' | 'fitted'>,
): Promise<(InputSums | undefined)[]> {
  const all: (InputSums | undefined)[] = [];
  for (const part of parts(layers, summed === 'products')) {
    const { model: observed, outputs } = inputSumsModel(model, part, summed);
    const names = outputs
      .flatMap(({ sum, rows, gram, magnitude }) => [sum, rows, gram, magnitude])
      .filter((name) => name !== '');
    const [sums = new Map<string, Float64Array>()] = await sumOutputs(observed, names, [fitted], runtime, options);
    for (const { sum, rows, gram, magnitude } of outputs) {
      const count = sums.get(rows)?.[0] ?? 0;
      const total = sums.get(sum);
      if (count === 0 || !total?.every(Number.isFinite)) all.push(undefined);
      else
        all.push({
          mean: total.map((value) => value / count),
          gram: sums.get(gram) ?? new Float64Array(0),
          magnitude: (sums.get(magnitude) ?? new Float64Array(0)).map((value) => value / count),
        });
    }
  }
  return all;
}

/** Layers by turns, so that the matrices of each turn fit into memory. */
function parts<T extends { readonly layer: RepairLayer }>(layers: readonly T[], withGram: boolean): T[][] {
  const found: T[][] = [];
  let [current, elements]: [T[], number] = [[], 0];
  for (const each of layers) {
    const size = withGram ? each.layer.groups * each.layer.inputs ** 2 : 0;
    if (current.length > 0 && elements + size > MOST_ELEMENTS) {
      found.push(current);
      [current, elements] = [[], 0];
    }
    current.push(each);
    elements += size;
  }
  return current.length > 0 ? [...found, current] : found;
}
