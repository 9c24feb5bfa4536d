import { floatElements } from '../../evaluate/host-numbers.js';
import type { HostData } from '../../samples/types.js';

/** How far the sum of probabilities may be from 1: half-precision rows of many classes are off by that. */
const SUM_TOLERANCE = 5e-3;

/** Elements as floating-point numbers. */
export function floatRows(data: HostData, dataType: number): Float32Array | Float64Array {
  return floatElements({ data, dataType, dims: [] });
}

/** Whether values are between 0 and 1, and rows of `width` of them sum to 1. */
export function scoreTraits(
  values: Float32Array | Float64Array,
  width: number,
): { readonly unit: boolean; readonly probabilities: boolean } {
  let probabilities = width > 1;
  for (let start = 0; start < values.length; start += width) {
    let sum = 0;
    for (let i = start; i < start + width; i++) {
      const value = values[i] as number;
      if (!(value >= 0 && value <= 1)) return { unit: false, probabilities: false };
      sum += value;
    }
    if (Math.abs(sum - 1) > SUM_TOLERANCE) probabilities = false;
  }
  return { unit: true, probabilities };
}
