import { bug } from '../../errors.js';
import type { JobContext, ReportProgress } from '../job.js';
import type { SumsParams, SumsResult } from '../protocol.js';
import { outputOf, streamSamples } from './stream-samples.js';

/**
 * Sums outputs of a model over samples, element by element and in float64: what the caller has augmented the model with, such
 * as products of its activations. Each output has one size in all runs. Of those in `maxima` the largest is kept instead.
 */
export async function sumsJob(context: JobContext, params: SumsParams, progress: ReportProgress): Promise<SumsResult> {
  const sums = new Map<string, Float64Array>();
  const maxima = new Set(params.maxima);
  const samples = await streamSamples(context, params, params.outputs, progress, (outputs) => {
    for (const name of params.outputs) {
      const { data } = outputOf(outputs, name);
      const isMaximum = maxima.has(name);
      const sum = sums.get(name) ?? new Float64Array(data.length).fill(isMaximum ? Number.NEGATIVE_INFINITY : 0);
      if (sum.length !== data.length) throw bug(`the output "${name}" changes its size`);
      for (let at = 0; at < sum.length; at++) {
        const [before, value] = [sum[at] as number, Number(data[at])];
        sum[at] = isMaximum ? Math.max(before, value) : before + value;
      }
      sums.set(name, sum);
    }
  });
  return { samples, sums };
}
