import { bug, ServeOptError } from '../../errors.js';
import type { HostTensor } from '../../samples/types.js';
import type { JobContext, ReportProgress } from '../job.js';
import type { ObserveParams, RangesParams, RangesResult, ValueRangesParams } from '../protocol.js';
import { RangeAccumulator, tensorMinMax } from './range-accumulator.js';

type Outputs = Map<string, HostTensor>;

/**
 * Runs every sample once and hands the outputs to `take`; gives the number of samples. Samples go in batches where the
 * source allows; a model that turns out to have its batch size built in gets them one by one.
 */
async function streamSamples(
  context: JobContext,
  params: ObserveParams,
  fetches: readonly string[],
  progress: ReportProgress,
  take: (outputs: Outputs) => void,
): Promise<number> {
  const session = context.session(params.session);
  const reader = await context.openSamples(params.source, params.inputs);
  try {
    const least = reader.block ?? 1;
    let size = reader.batchable ? Math.max(1, params.batchSize) : least;
    for (let done = 0; done < reader.count; ) {
      const count = Math.min(size, reader.count - done);
      try {
        take(await session.run(await reader.read(done, count), fetches));
      } catch (error) {
        if (size === least || !(error instanceof ServeOptError) || !/^SO(5002|2105)$/.test(error.code)) throw error;
        size = least;
        continue;
      }
      done += count;
      progress({ done, total: reader.count });
    }
    return reader.count;
  } finally {
    await reader.close?.();
  }
}

function output(outputs: Outputs, name: string): HostTensor {
  const tensor = outputs.get(name);
  if (!tensor) throw bug(`the augmented model gave no output "${name}"`);
  return tensor;
}

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
      if (powerOutput !== undefined) ranges.addPower(index, output(outputs, powerOutput));
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
