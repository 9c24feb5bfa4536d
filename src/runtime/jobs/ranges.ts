import type { HostTensor } from '../../samples/types.js';
import type { JobContext, ReportProgress } from '../job.js';
import type { RangesParams, RangesResult, ValueRangesParams } from '../protocol.js';
import { RangeAccumulator, tensorMinMax } from './range-accumulator.js';
import { outputOf as output, streamSamples } from './stream-samples.js';

/**
 * Global minimum and maximum of each tensor of a model that the caller has augmented with ReduceMin and ReduceMax
 * outputs: only two numbers a tensor leave ONNX Runtime. Note that ONNX Runtime's reductions pass over some NaNs
 * silently, so `nonFinite` is a lower bound here; `valueRanges` counts every one.
 */
export async function rangesJob(
  context: JobContext,
  params: RangesParams,
  progress: ReportProgress,
): Promise<RangesResult> {
  const ranges = new RangeAccumulator(params.observed.map((o) => o.tensor));
  const names = params.observed.flatMap((o) => [o.minOutput, o.maxOutput, o.powerOutput]);
  const fetches = [...new Set(names)].filter((name) => name !== undefined);
  const samples = await streamSamples(context, params, fetches, progress, (outputs) => {
    for (const [index, { minOutput, maxOutput, powerOutput }] of params.observed.entries()) {
      const highest = output(outputs, maxOutput);
      const lowest = minOutput === undefined ? undefined : output(outputs, minOutput);
      if (isEmptyReduction(lowest, highest)) continue;
      const high = tensorMinMax(maxOutput, highest);
      const low = lowest && minOutput !== undefined ? tensorMinMax(minOutput, lowest) : { min: 0, nonFinite: 0 };
      ranges.add(index, low.min, high.max, Math.max(low.nonFinite, high.nonFinite));
      if (powerOutput !== undefined) ranges.addPower(index, output(outputs, powerOutput).data);
    }
  });
  return ranges.result(samples);
}

/** A tensor without elements reduces to +infinity and -infinity, which is not a fault of the model. */
function isEmptyReduction(lowest: HostTensor | undefined, highest: HostTensor): boolean {
  const half = highest.data instanceof Uint16Array;
  const isLow = lowest === undefined || lowest.data[0] === (half ? 0x7c00 : Number.POSITIVE_INFINITY);
  return isLow && highest.data[0] === (half ? 0xfc00 : Number.NEGATIVE_INFINITY);
}

/** The same by fetching the tensors themselves as outputs, one pass over their values. */
export async function valueRangesJob(
  context: JobContext,
  params: ValueRangesParams,
  progress: ReportProgress,
): Promise<RangesResult> {
  const ranges = new RangeAccumulator(params.observed);
  const samples = await streamSamples(context, params, params.observed, progress, (outputs) => {
    for (const [index, name] of params.observed.entries()) {
      const { min, max, nonFinite } = tensorMinMax(name, output(outputs, name));
      ranges.add(index, min, max, nonFinite);
    }
  });
  return ranges.result(samples);
}
