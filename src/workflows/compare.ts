import { basename } from 'node:path';
import { ServeOptError } from '../errors.js';
import { Model } from '../ir/model.js';
import { encodeModel } from '../ir/proto/write-proto.js';
import { readModel } from '../ir/read-model.js';
import { assertUsable } from '../ir/usable.js';
import { type CompareReport, REPORT_SCHEMA_VERSION, type ReportModel } from '../report/types.js';
import { startRuntime } from '../runtime/host.js';
import { writeRunnable } from '../runtime/runnable-model.js';
import type { SampleSource } from '../runtime/types.js';
import { inputSpecs } from '../runtime/value-specs.js';
import { withWorkFolder } from '../runtime/work-folder.js';
import { packageVersion } from '../version.js';
import { SEEDED_SAMPLES } from './fit-source.js';
import { memoryBytes as checkedBytes, checkMemory, memoryLimit, runtimeOptions } from './memory.js';
import {
  COMPARE_DEFAULTS,
  type ExecutionOptions,
  type FileOptions,
  type MemoryOptions,
  type SourceOptions,
  type WorkflowContext,
} from './options.js';
import { FileHashes } from './report-files.js';
import { checkSameInputs } from './same-inputs.js';
import { Stages } from './stages.js';
import { loadPair, whyNotRunnable } from './verify.js';
import { WatchedInputs } from './watched-inputs.js';

/** Options of `compare`. */
export interface ComparePairOptions
  extends WorkflowContext,
    MemoryOptions,
    ExecutionOptions,
    SourceOptions,
    FileOptions {
  /** At most this many samples of the data; default all. */
  readonly samples?: number;
  /** Measure both latencies in turns too, which takes up to four seconds. Default true. */
  readonly latency?: boolean;
}

/** A model that can be run: as a file, with what the report says of it. */
interface Side {
  readonly model: Model;
  readonly path: string;
  report(hashes: FileHashes): Promise<ReportModel>;
}

/**
 * Runs two models on the same samples and tells how far apart their outputs are, output by output, with the metrics
 * that labels allow, and their latencies measured in turns. A and B are paths, or models in memory; the latter are
 * written to a temporary folder that refers to the weights where they stand.
 * @param data a folder or file of samples with labels beside, or a seed for made-up inputs; default seed 0
 * @throws SO4002 when the models do not take the same inputs, SO5006 when ONNX Runtime for Node cannot pass them
 */
export async function compare(
  a: Model | string,
  b: Model | string,
  data: string | { readonly seed: number; readonly samples?: number } = { seed: COMPARE_DEFAULTS.seed },
  options: ComparePairOptions = {},
): Promise<CompareReport> {
  if (options.memory !== undefined) checkedBytes(options.memory);
  const stages = new Stages(options);
  stages.start('read');
  const inputs = new WatchedInputs(typeof data === 'string' ? data : undefined);
  return withSide(a, 'a.onnx', options, (sideA) =>
    withSide(b, 'b.onnx', options, (sideB) => {
      inputs.add(sideA.model);
      inputs.add(sideB.model);
      const reads = [...filesOf(sideA), ...filesOf(sideB), ...(typeof data === 'string' ? [data] : [])];
      options.onFiles?.({ reads, writes: [] });
      checkSameInputs(sideA.model, sideB.model);
      stages.end();
      return inputs.during(options.signal, async () => {
        const report = await compareSides(sideA, sideB, sampleSource(data, options), options, stages);
        inputs.check();
        return report;
      });
    }),
  );
}

function filesOf({ model, path }: Side): string[] {
  return [path, ...(model.source?.externalPaths() ?? [])];
}

/** Calls `use` with a model as a file, and cleans up however that ends. */
async function withSide<T>(
  given: Model | string,
  name: string,
  options: SourceOptions,
  use: (side: Side) => Promise<T>,
): Promise<T> {
  if (given instanceof Model) {
    assertUsable(given);
    return withWorkFolder(async (folder) =>
      use({ model: given, path: await writeRunnable(given, folder), report: async () => describe(given, name) }),
    );
  }
  const model = await readModel(given, options.allowLinks ? { allowLinks: true } : {});
  try {
    assertUsable(model);
    return await use({
      model,
      path: given,
      report: (hashes) => hashes.model(given, model.source?.externalPaths() ?? []),
    });
  } finally {
    model.source?.close();
  }
}

/** A model in memory has the name of the file it came from, the size of a file of it, and no hash. */
function describe(model: Model, fallbackName: string): ReportModel {
  const { path } = model.source ?? {};
  return { name: path === undefined ? fallbackName : basename(path), sizeBytes: encodeModel(model).sizeBytes };
}

function sampleSource(
  data: string | { readonly seed: number; readonly samples?: number },
  { samples }: ComparePairOptions,
): SampleSource {
  if (typeof data === 'string')
    return { kind: 'data', path: data, ...(samples === undefined ? {} : { count: samples }) };
  const count = Math.min(data.samples ?? samples ?? SEEDED_SAMPLES, COMPARE_DEFAULTS.samples);
  return { kind: 'seeded', seed: data.seed, count };
}

async function compareSides(
  a: Side,
  b: Side,
  source: SampleSource,
  options: ComparePairOptions,
  stages: Stages,
): Promise<CompareReport> {
  const reason = whyNotRunnable(a.model) ?? whyNotRunnable(b.model);
  if (reason !== undefined)
    throw new ServeOptError('SO5006', reason, { hint: 'such models cannot be compared by running them' });
  const hashes = new FileHashes();
  const memoryBytes = memoryLimit(options, [a.model, b.model]);
  const sizes = { inputs: inputSpecs(a.model), madeUp: source.kind === 'seeded' };
  for (const { model } of [a, b]) checkMemory(model, memoryBytes, sizes);
  const runtime = await startRuntime(runtimeOptions(options, memoryBytes));
  try {
    stages.start('load');
    const context = { ...options, ...stages.context('compare') };
    const pair = await loadPair(runtime, a.model, { a: a.path, b: b.path }, context);
    stages.end();
    stages.start('compare');
    const fitted = await pair.fit(source);
    if (typeof fitted === 'string') {
      throw new ServeOptError('SO5002', `The models cannot be compared: ${fitted}`, {
        hint: 'give real samples with --data',
      });
    }
    const comparison = await pair.compare(fitted, 1);
    stages.end(`${comparison.samples} samples`);
    if (options.latency !== false) stages.start('measure');
    const latency = options.latency === false ? undefined : await pair.latency(fitted);
    if (latency) stages.end();
    const { onnxRuntime } = await runtime.request('versions', undefined);
    return {
      schemaVersion: REPORT_SCHEMA_VERSION,
      command: 'compare',
      version: packageVersion(),
      onnxRuntimeVersion: onnxRuntime,
      a: await a.report(hashes),
      b: await b.report(hashes),
      comparison,
      ...(latency ? { latency } : {}),
      warnings: comparison.warnings,
      notes: [],
    };
  } finally {
    await hashes.close();
    await runtime.close();
  }
}
