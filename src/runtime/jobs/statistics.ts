import { bug } from '../../errors.js';
import { type StatisticsData, TensorStatistics } from '../../quantize/observers/tensor-statistics.js';
import type { JobContext, ReportProgress } from '../job.js';
import type { StatisticsParams, StatisticsResult } from '../protocol.js';
import { RangeAccumulator } from './range-accumulator.js';
import { outputOf, streamSamples } from './stream-samples.js';

/** Statistics of exposed tensors over all samples: the tensors themselves stay here, and each run's are forgotten before the next. */
export async function statisticsJob(
  context: JobContext,
  params: StatisticsParams,
  progress: ReportProgress,
): Promise<StatisticsResult> {
  const statistics = new Map(params.values.map(({ tensor }) => [tensor, new TensorStatistics()]));
  const power = new RangeAccumulator(params.values.map(({ tensor }) => tensor));
  const fetches = params.values.map(({ output }) => output);
  const samples = await streamSamples(context, params, fetches, progress, (outputs) => {
    for (const [index, { tensor, output, channels }] of params.values.entries()) {
      const { data } = outputOf(outputs, output);
      if (!(data instanceof Float32Array)) throw bug(`statistics were requested of "${tensor}", which is not FLOAT`);
      statistics.get(tensor)?.observe(data);
      if (channels) power.addPower(index, channelPower(data, outputOf(outputs, output).dims, channels.channels));
    }
  });
  const powers = power.powers();
  const results = [...statistics].map(([tensor, each]): [string, StatisticsData] => {
    const channelPower = powers.get(tensor);
    return [tensor, { ...each.data(), ...(channelPower ? { channelPower } : {}) }];
  });
  return { samples, statistics: new Map(results) };
}

/** Mean square over all axes but the second one. */
function channelPower(data: Float32Array, dims: readonly number[], channels: number): Float32Array {
  const sums = new Float64Array(channels);
  const inner = dims.slice(2).reduce((product, dim) => product * dim, 1);
  for (let i = 0; i < data.length; i += inner) {
    let sum = 0;
    for (let at = i; at < i + inner; at++) sum += (data[at] as number) ** 2;
    const channel = (i / inner) % channels;
    sums[channel] = (sums[channel] as number) + sum;
  }
  return Float32Array.from(sums, (sum) => (sum * channels) / data.length);
}
