import { availableParallelism } from 'node:os';
import { ServeOptError } from '../../../errors.js';
import type { BenchReport, ConfigurationReport } from '../../../report/bench-types.js';
import { percentileName } from '../../../report/percentile-name.js';
import {
  estimateCost,
  type MeasuredParts,
  type Measurements,
  type ModelMeasurement,
  measurementFrom,
} from '../../../targets/kubernetes/measurements.js';
import type { KubernetesFacts } from '../../../targets/kubernetes/options.js';
import { benchModels } from '../../bench/bench-models.js';
import type { BenchOptions, InContext } from '../../options.js';
import type { PackageKubernetesOptions } from './kubernetes-options.js';
import type { KubernetesSource, MeasurableModel } from './kubernetes-source.js';
import { readMeasurements } from './read-measurements.js';

/** Threads of a copy of the model where nobody says how many: more cores would be asked for than most nodes have free. */
const MOST_THREADS = 4;
/** Time to measure latencies; cold starts take as long as they take. */
const DURATION_MS = 1000;

/**
 * What the models cost: from a report of `bench`, measured now, or estimated.
 * @throws SO3511 for a report that has no measurement of a model, and what `benchModels` throws
 */
export async function measurementsOf(
  { facts, measurable }: KubernetesSource,
  options: InContext<PackageKubernetesOptions>,
): Promise<Measurements> {
  const threads = options.threads ?? Math.min(MOST_THREADS, availableParallelism());
  if (options.reportPath !== undefined) return readMeasurements(options.reportPath, facts, measurable, options.threads);
  if (options.measure === false || measurable.length === 0) {
    const source = options.measure === false ? '--no-measure' : 'no model is ONNX';
    return { kind: 'estimated', source, models: facts.models.map(estimateCost), threads };
  }
  return measureNow(facts, measurable, threads, options);
}

async function measureNow(
  facts: KubernetesFacts,
  measurable: readonly MeasurableModel[],
  threads: number,
  options: InContext<PackageKubernetesOptions>,
): Promise<Measurements> {
  const { signal, onProgress, allowLinks, allowInvalid, memory, dataPath, dims, batch, seed } = options;
  const bench: BenchOptions = {
    threads: [threads],
    durationMs: DURATION_MS,
    ...(allowLinks === undefined ? {} : { allowLinks }),
    ...(allowInvalid === undefined ? {} : { allowInvalid }),
    ...(memory === undefined ? {} : { memory }),
    ...(dataPath === undefined ? {} : { dataPath }),
    ...(seed === undefined ? {} : { seed }),
    ...(batch === undefined ? {} : { batch: [batch] }),
    ...(dims === undefined ? {} : { dims: new Map([...dims].map(([name, size]) => [name, [size]])) }),
  };
  const context = { ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) };
  const measured = new Map<string, ModelMeasurement>();
  let last: BenchReport | undefined;
  for (const { name, path } of measurable) {
    last = await benchModels([path], bench, context);
    if (last.interrupted) throw new ServeOptError('SO8130', 'Interrupted');
    const [configuration] = last.configurations;
    const measurement = configuration && measurementFrom(name, partsOf(configuration));
    if (measurement === undefined) {
      throw new ServeOptError('SO3511', `"${name}" could not be measured to the end`, {
        why: configuration?.error?.message ?? 'no cold start or no memory was measured',
        hint: 'add --no-measure to estimate the figures from its size',
      });
    }
    measured.set(name, measurement);
  }
  return {
    kind: 'measured',
    source: 'when this package was written',
    models: facts.models.map((model) => measured.get(model.name) ?? estimateCost(model)),
    threads,
    ...(last === undefined ? {} : { cpu: last.environment.cpuModel }),
    ...(last?.onnxRuntimeVersion === undefined ? {} : { onnxRuntimeVersion: last.onnxRuntimeVersion }),
  };
}

function partsOf({ coldStart, memory, latency, inputs }: ConfigurationReport): MeasuredParts {
  return {
    inputs: inputs.map(({ type }) => type),
    starts: coldStart?.starts ?? [],
    ...(memory === undefined ? {} : { modelBytes: memory.modelBytes }),
    quantiles: (latency?.quantiles ?? []).flatMap(({ probability, ms }) =>
      ms === undefined ? [] : [{ probability, name: percentileName(probability), ms }],
    ),
  };
}
