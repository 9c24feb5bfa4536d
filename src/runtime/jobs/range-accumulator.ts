import { bug } from '../../errors.js';
import { mergeRanges } from '../../quantize/value-range.js';
import type { HostTensor } from '../../samples/types.js';
import { type MinMax, minMax, minMaxFloat16 } from '../../tensor/statistics.js';
import type { RangesResult } from '../protocol.js';

/** Minimum and maximum of one output. Not for strings and integers: nothing there is calibrated. */
export function tensorMinMax(name: string, tensor: HostTensor): MinMax {
  if (tensor.data instanceof Float32Array || tensor.data instanceof Float64Array) return minMax(tensor.data);
  if (tensor.data instanceof Uint16Array) return minMaxFloat16(tensor.data);
  throw bug(`ranges were requested of "${name}", which is not a float tensor`);
}

/** Ranges of many tensors over all samples, in float64. The order of the samples does not change them. */
export class RangeAccumulator {
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #nonFinite: Float64Array;
  readonly #tensors: readonly string[];
  readonly #power: Map<number, { readonly sums: Float64Array; runs: number }> = new Map();

  /** A name may come more than once: branches of an `If` can hold tensors of one name, and their ranges are joined. */
  constructor(tensors: readonly string[]) {
    this.#tensors = tensors;
    this.#min = new Float64Array(tensors.length).fill(Number.POSITIVE_INFINITY);
    this.#max = new Float64Array(tensors.length).fill(Number.NEGATIVE_INFINITY);
    this.#nonFinite = new Float64Array(tensors.length);
  }

  /** Folds finite bounds of tensor number `index` in; `nonFinite` counts what the bounds leave out. */
  add(index: number, min: number, max: number, nonFinite: number): void {
    if (min < (this.#min[index] as number)) this.#min[index] = min;
    if (max > (this.#max[index] as number)) this.#max[index] = max;
    this.#nonFinite[index] = (this.#nonFinite[index] as number) + nonFinite;
  }

  /** Mean squares of the channels of tensor number `index` in one run. All zero is what a branch that was not taken reports: no run of it. */
  addPower(index: number, data: HostTensor['data']): void {
    if (!(data instanceof Float32Array) || !data.every(Number.isFinite) || data.every((power) => power === 0)) return;
    const power = this.#power.get(index) ?? { sums: new Float64Array(data.length), runs: 0 };
    for (const [channel, mean] of data.entries()) power.sums[channel] = (power.sums[channel] as number) + mean;
    power.runs++;
    this.#power.set(index, power);
  }

  /** Mean of what `addPower` was given, by tensor. */
  powers(): ReadonlyMap<string, Float64Array> {
    return new Map(
      [...this.#power].map(([index, { sums, runs }]) => [
        this.#tensors[index] as string,
        sums.map((sum) => sum / runs),
      ]),
    );
  }

  result(samples: number): RangesResult {
    const ranges: RangesResult['ranges'] = new Map();
    const nonFinite = new Map<string, number>();
    for (const [index, tensor] of this.#tensors.entries()) {
      const min = this.#min[index] as number;
      const max = this.#max[index] as number;
      const count = this.#nonFinite[index] as number;
      if (count > 0) nonFinite.set(tensor, count + (nonFinite.get(tensor) ?? 0));
      const known = ranges.get(tensor);
      const power = this.#power.get(index);
      const channelPower = power?.sums.map((sum) => sum / power.runs);
      const range = { min, max, ...(channelPower ? { channelPower } : {}) };
      if (min <= max) ranges.set(tensor, known ? mergeRanges(known, range) : range);
    }
    const unobserved = new Set(this.#tensors.filter((tensor) => !ranges.has(tensor)));
    return { samples, ranges, nonFinite, unobserved: [...unobserved] };
  }
}
