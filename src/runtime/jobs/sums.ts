import { bug } from '../../errors.js';
import type { HostTensor } from '../../samples/types.js';
import type { JobContext, ReportProgress } from '../job.js';
import type { ObserveParams } from '../observe-params.js';
import { outputOf, streamSamples } from './stream-samples.js';

/** Outputs of a model that are summed over its samples. */
export interface SumsParams extends ObserveParams {
  readonly outputs: readonly string[];
  /** Those of which the largest element is wanted, not the sum. */
  readonly maxima?: readonly string[];
}

export interface SumsResult {
  /** Samples seen. */
  readonly samples: number;
  /** Sums of each output, element by element, in float64. */
  readonly sums: Map<string, Float64Array>;
}

/**
 * Sums outputs of a model over samples, element by element and in float64: what the caller has augmented the model with, such
 * as products of its activations. Each output has one size in all runs. Of those in `maxima` the largest is kept instead.
 */
export async function sumsJob(context: JobContext, params: SumsParams, progress: ReportProgress): Promise<SumsResult> {
  const sums = new Map<string, Float64Array>();
  const maxima = new Set(params.maxima);
  const samples = await streamSamples(context, params, params.outputs, progress, (outputs) =>
    addOutputs(sums, outputs, params.outputs, maxima),
  );
  return { samples, sums };
}

/** Adds outputs of a run to sums, element by element; of those in `maxima` the larger is kept. */
export function addOutputs(
  sums: Map<string, Float64Array>,
  outputs: ReadonlyMap<string, HostTensor>,
  names: readonly string[],
  maxima: ReadonlySet<string> = new Set(),
): void {
  for (const name of names) {
    const { data } = outputOf(outputs, name);
    const isMaximum = maxima.has(name);
    const sum = sums.get(name) ?? new Float64Array(data.length).fill(isMaximum ? Number.NEGATIVE_INFINITY : 0);
    if (sum.length !== data.length) throw bug(`the output "${name}" changes its size`);
    sums.set(name, sum);
    if (data instanceof Float32Array && !isMaximum) addFloats(sum, data);
    else
      for (let at = 0; at < sum.length; at++) {
        const [before, value] = [sum[at] as number, Number(data[at])];
        sum[at] = isMaximum ? Math.max(before, value) : before + value;
      }
  }
}

/** Apart from other types, so that it stays a loop over machine numbers. */
function addFloats(sum: Float64Array, data: Float32Array): void {
  for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] as number) + (data[at] as number);
}
