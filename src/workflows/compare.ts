import { basename } from 'node:path';
import { ServeOptError } from '../errors.js';
import type { MetricWish } from '../evaluate/choose-metric.js';
import type { ComparisonResult } from '../evaluate/comparison.js';
import { Model } from '../ir/model.js';
import { encodeModel } from '../ir/proto/write-proto.js';
import { readModel } from '../ir/read-model.js';
import { type CompareReport, REPORT_SCHEMA_VERSION, type ReportModel } from '../report/types.js';
import { LazyRuntime } from '../runtime/lazy-runtime.js';
import { writeRunnable } from '../runtime/runnable-model.js';
import { withWorkFolder } from '../runtime/work-folder.js';
import { sampleSource } from '../samples/sample-source.js';
import { sizedDataInputs } from '../samples/sized-inputs.js';
import type { SampleSource } from '../samples/types.js';
import { inputSpecs } from '../samples/value-specs.js';
import { packageVersion } from '../version.js';
import { judgeComparison } from './comparison-warnings.js';
import { withDecoderReading } from './decoder-reading.js';
import { dependsOnBatch } from './depends-on-batch.js';
import { describeInputs } from './describe-inputs.js';
import { checkMemory, memoryLimit, runtimeOptions } from './memory.js';
import {
  COMPARE_DEFAULTS,
  type CompareOptions,
  type InContext,
  type ModelOptions,
  type SourceOptions,
  type WorkflowContext,
} from './options.js';
import { checkOptions } from './preflight/check-options.js';
import { checkData, checkDataPaths, checkLabels } from './preflight/data.js';
import { withSizes } from './preflight/input-sizes.js';
import { checkSameInputs, checkSharedOutputs } from './preflight/interfaces.js';
import { metricWish, needsLabels } from './preflight/judging.js';
import { asInvalidModel, checkModel } from './preflight/model.js';
import { checkProviders } from './preflight/providers.js';
import { whyNotRunnable } from './preflight/runnable.js';
import { FileHashes } from './report-files.js';
import { judgeBudgets } from './result-budgets.js';
import { Stages } from './stages.js';
import { WatchedInputs } from './watched-inputs.js';
import { type LoadedPair, loadPair, loadPlainPair } from './workbench/loaded-pair.js';

/** Synthetic samples are at most so many, whatever is asked for. */
const MOST_SEEDED_SAMPLES = 64;

const DEFAULT_SAMPLES: SampleSource = {
  kind: 'seeded',
  seed: COMPARE_DEFAULTS.seed,
  count: COMPARE_DEFAULTS.samples,
};

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
 * @param samples a folder or file of samples with labels beside, or where samples come from; default 8 synthetic ones
 * @throws SO4002 when the models do not take the same inputs, SO4005 when they have no output in common, SO5006 when ONNX Runtime for Node cannot pass them
 */
export async function compare(
  a: Model | string,
  b: Model | string,
  samples: string | SampleSource = DEFAULT_SAMPLES,
  given: CompareOptions = {},
  context: WorkflowContext = {},
): Promise<CompareReport> {
  const paths = [a, b].filter((each) => typeof each === 'string');
  const options: InContext<CompareOptions> = withDecoderReading({ ...given, ...context }, ...paths);
  const source = boundedSource(samples);
  const dataPath = source.kind === 'data' ? source.path : undefined;
  const ignored = checkOptions('compare', { ...statedSamples(source), ...options });
  checkDataPaths(dataPath);
  const stages = new Stages(context);
  stages.start('read');
  const inputs = new WatchedInputs(dataPath);
  return withModel(a, options, (modelA, invalidA) =>
    withModel(b, options, async (modelB, invalidB) => {
      inputs.add(modelA);
      inputs.add(modelB);
      const dataFiles = dataPath === undefined ? [] : [dataPath];
      options.onFiles?.({ reads: [...filesOf(a, modelA), ...filesOf(b, modelB), ...dataFiles], writes: [] });
      const memoryBytes = memoryLimit(options, [modelA, modelB]);
      const runtime = new LazyRuntime(runtimeOptions(options, memoryBytes));
      try {
        const wish = await checkBeforeRunning([modelA, modelB], source, runtime, memoryBytes, options);
        stages.end();
        return await inputs.during(options.signal, async () => {
          const report = await withSide(a, modelA, 'a.onnx', (sideA) =>
            withSide(b, modelB, 'b.onnx', (sideB) =>
              compareSides(sideA, sideB, source, runtime, { ...options, wish }, stages),
            ),
          );
          inputs.check();
          return { ...report, warnings: [...ignored, ...invalidA, ...invalidB, ...report.warnings] };
        });
      } finally {
        await runtime.close();
      }
    }),
  );
}

/** The files of a model that was given as a path. */
function filesOf(given: Model | string, model: Model): string[] {
  return typeof given === 'string' ? [given, ...(model.source?.externalPaths() ?? [])] : [];
}

/** What the interfaces and the data tell before a model is loaded. @returns what is to be scored */
async function checkBeforeRunning(
  [a, b]: readonly [Model, Model],
  source: SampleSource,
  runtime: LazyRuntime,
  memoryBytes: number,
  options: InContext<CompareOptions>,
): Promise<MetricWish> {
  checkSameInputs(a, b);
  const reason = whyNotRunnable(a) ?? whyNotRunnable(b);
  if (reason !== undefined)
    throw new ServeOptError('SO5006', reason, { hint: 'such models cannot be compared by running them' });
  const names = (model: Model): string[] => model.graph.outputs.map(({ name }) => name);
  checkSharedOutputs(names(a), names(b));
  const wish = metricWish(
    options,
    names(a).filter((name) => names(b).includes(name)),
  );
  const { dims } = source;
  const inputs = inputSpecs(a);
  const sizes = { inputs: dims ? withSizes(inputs, dims) : inputs, madeUp: source.kind === 'seeded' };
  for (const model of [a, b]) checkMemory(model, memoryBytes, sizes);
  await checkProviders(options.executionProviders, options);
  if (source.kind === 'data') {
    const { path } = source;
    await checkData(await runtime.host(), path, [sizedDataInputs(inputs, dims), sizedDataInputs(inputSpecs(b), dims)]);
    if (needsLabels(options)) await checkLabels(await runtime.host(), path, a, wish);
  }
  return wish;
}

/** Calls `use` with a usable model, and closes its file however that ends. */
async function withModel<T>(
  given: Model | string,
  options: SourceOptions & ModelOptions,
  use: (model: Model, invalid: readonly string[]) => Promise<T>,
): Promise<T> {
  if (given instanceof Model) return use(given, checkModel(given, options));
  const model = await readModel(given, options.allowLinks ? { allowLinks: true } : {});
  try {
    return await use(model, checkModel(model, options));
  } finally {
    model.source?.close();
  }
}

/** Calls `use` with a model as a file: one in memory gets one in a temporary folder. */
function withSide<T>(given: Model | string, model: Model, name: string, use: (side: Side) => Promise<T>): Promise<T> {
  if (typeof given !== 'string') {
    return withWorkFolder(async (folder) =>
      use({ model, path: await writeRunnable(model, folder), report: async () => describe(model, name) }),
    );
  }
  return use({
    model,
    path: given,
    report: (hashes) => hashes.model(given, model.source?.externalPaths() ?? []),
  });
}

/** A model in memory has the name of the file it came from, the size of a file of it, and no hash. */
function describe(model: Model, fallbackName: string): ReportModel {
  const { path } = model.source ?? {};
  return { name: path === undefined ? fallbackName : basename(path), sizeBytes: encodeModel(model).sizeBytes };
}

function boundedSource(samples: string | SampleSource): SampleSource {
  const source = sampleSource(samples);
  return source.kind === 'data' ? source : { ...source, count: Math.min(source.count, MOST_SEEDED_SAMPLES) };
}

/** What of a source is an option of the command line. */
function statedSamples(source: SampleSource): object {
  if (source.kind === 'seeded') return { seed: source.seed, samples: source.count };
  return { dataPath: source.path, samples: source.count };
}

/** Two models that were run on the same samples. */
interface Compared {
  readonly pair: LoadedPair;
  readonly fitted: SampleSource;
  readonly comparison: ComparisonResult;
}

/** Loads and runs a pair; where that ends the process, once more without ONNX Runtime's own optimizations. */
async function survivingOptimizations(
  lazy: LazyRuntime,
  load: () => Promise<LoadedPair>,
  run: (pair: LoadedPair) => Promise<Compared>,
  loadPlain: (reason: string) => Promise<LoadedPair>,
  options: ModelOptions,
): Promise<Compared> {
  try {
    return await run(await load());
  } catch (error) {
    if (!(error instanceof ServeOptError) || error.code !== 'SO5003') throw asInvalidModel(error, options);
    await lazy.close();
    try {
      return await run(await loadPlain(error.message));
    } catch (again) {
      if (again instanceof ServeOptError && again.code === 'SO8130') throw again;
      throw error;
    }
  }
}

async function compareSides(
  a: Side,
  b: Side,
  source: SampleSource,
  lazy: LazyRuntime,
  options: InContext<CompareOptions> & { readonly wish: MetricWish },
  stages: Stages,
): Promise<CompareReport> {
  const hashes = new FileHashes();
  try {
    stages.start('load');
    const context = { ...options, ...stages.context('compare') };
    const batch = options.batch ?? ([a, b].some(({ model }) => dependsOnBatch(model)) ? 1 : undefined);
    const paths = { a: a.path, b: b.path };
    const load = async (): Promise<LoadedPair> => loadPair(await lazy.host(), a.model, paths, context);
    const run = async (pair: LoadedPair): Promise<Compared> => {
      stages.end();
      stages.start('compare');
      const fitted = await pair.fit(source);
      if (typeof fitted === 'string') {
        throw new ServeOptError('SO5002', `The models cannot be compared: ${fitted}`, {
          hint: 'give real samples with --data, or sizes with --dim',
        });
      }
      return { pair, fitted, comparison: await pair.compare(fitted, batch) };
    };
    const loadPlain = async (reason: string): Promise<LoadedPair> =>
      loadPlainPair(await lazy.host(), a.model, paths, context, reason);
    const { pair, fitted, comparison } = await survivingOptimizations(lazy, load, run, loadPlain, options);
    stages.end(`${comparison.samples} samples`);
    if (options.latency !== false) stages.start('measure');
    const latency = options.latency === false ? undefined : await pair.latency(fitted);
    if (latency) stages.end();
    const described = describeInputs(inputSpecs(a.model), fitted, options.reading);
    const { onnxRuntime } = await (await lazy.host()).request('versions', undefined);
    const file = await b.report(hashes);
    const judged = judgeBudgets(options, { file, model: b.model, comparison, latency });
    return {
      schemaVersion: REPORT_SCHEMA_VERSION,
      command: 'compare',
      version: packageVersion(),
      onnxRuntimeVersion: onnxRuntime,
      a: await a.report(hashes),
      b: file,
      comparison,
      ...(latency ? { latency } : {}),
      ...judged,
      ...described.fields,
      warnings: [...pair.warnings, ...judgeComparison(comparison), ...judged.warnings],
      notes: described.notes,
    };
  } finally {
    await hashes.close();
  }
}
