import type { Model } from '../../ir/model.js';
import type { NormalSums } from '../../prune/repair/least-squares.js';
import type { NormalOutputs } from '../../prune/repair/normal-model.js';
import type { RepairLayer } from '../../prune/repair/repair-layers.js';
import type { RuntimeHost } from '../../runtime/host.js';
import { writeRunnable } from '../../runtime/runnable-model.js';
import { SESSIONS, withOptions } from '../../runtime/session-options.js';
import { withWorkFolder } from '../../runtime/work-folder.js';
import type { SampleSource } from '../../samples/types.js';
import { inputSpecs } from '../../samples/value-specs.js';
import type { ExecutionOptions } from '../options.js';
import { sessionOptions } from './execution-session.js';

/** Samples a run, fewer of large ones: activations of that many, and windows of convolutions over them, are in memory at once. */
const BATCH = { batchSize: 8, mostInputBytes: 2 ** 20 } as const;

/** Sums of outputs of a model over each source of samples, and largest values of those in `maxima`. The model refers to the weights of the files that it was read from. */
export async function sumOutputs(
  model: Model,
  outputs: readonly string[],
  sources: readonly SampleSource[],
  runtime: RuntimeHost,
  options: ExecutionOptions,
  maxima: readonly string[] = [],
): Promise<ReadonlyMap<string, Float64Array>[]> {
  return withWorkFolder(async (folder) => {
    const path = await writeRunnable(model, folder);
    const load = withOptions(SESSIONS.observed, sessionOptions(options));
    const { session } = await runtime.request('load', { path, options: load });
    const inputs = inputSpecs(model);
    const all: ReadonlyMap<string, Float64Array>[] = [];
    for (const source of sources)
      all.push((await runtime.request('sums', { session, source, inputs, ...BATCH, outputs, maxima })).sums);
    await runtime.request('release', { session });
    return all;
  });
}

/** The sums of a layer's groups, each apart. */
export function groupSums(
  { groups, inputs, outputs }: RepairLayer,
  names: NormalOutputs,
  sums: ReadonlyMap<string, Float64Array>,
): NormalSums[] {
  const part = (name: string, group: number, size: number): Float64Array =>
    (sums.get(name) ?? new Float64Array(groups * size)).subarray(group * size, (group + 1) * size);
  return Array.from({ length: groups }, (_, group) => ({
    inputs,
    outputs,
    gram: part(names.gram, group, inputs * inputs),
    cross: part(names.cross, group, inputs * outputs),
    sumX: part(names.sumX, group, inputs),
    sumY: part(names.sumY, group, outputs),
    energy: part(names.energy, group, outputs),
    rows: sums.get(names.rows)?.[0] ?? 0,
  }));
}
