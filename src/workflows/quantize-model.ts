import { ServeOptError } from '../errors.js';
import type { ComparisonResult } from '../evaluate/comparison.js';
import type { Model } from '../ir/model.js';
import { readModel } from '../ir/read-model.js';
import { assertUsable } from '../ir/usable.js';
import { assertValid } from '../ir/verify.js';
import { type StagedModel, stageModel } from '../ir/write-model.js';
import type { LatencyComparison, QuantizeReport } from '../report/types.js';
import { REPORT_SCHEMA_VERSION } from '../report/types.js';
import type { RuntimeHost } from '../runtime/host.js';
import { LazyRuntime } from '../runtime/lazy-runtime.js';
import type { SampleSource } from '../runtime/types.js';
import { inputSpecs } from '../runtime/value-specs.js';
import { checkWorkFolder } from '../runtime/work-folder.js';
import { packageVersion } from '../version.js';
import { type Converted, convertFloat16WithRanges, convertModel } from './convert-model.js';
import { SEEDED_SAMPLES } from './fit-source.js';
import { judge } from './judge.js';
import { describeLayers } from './layers.js';
import { memoryBytes as checkedBytes, checkMemory, memoryLimit, runtimeOptions } from './memory.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions } from './options.js';
import { FileHashes } from './report-files.js';
import { siblingPath } from './report-path.js';
import { checkRunFiles } from './run-files.js';
import { type SampleSplit, splitSamples } from './sample-split.js';
import { Stages } from './stages.js';
import { loadPair, whyNotRunnable } from './verify.js';
import { WatchedInputs } from './watched-inputs.js';
import { commitWithReport } from './write-report.js';

/** Samples a run while judging a model whose result does not depend on it. */
const JUDGING_BATCH = 8;

/**
 * Quantizes a model file: converts, writes, loads both models in ONNX Runtime, compares and times them, and only then
 * lets the output appear, with a JSON report beside it.
 * @throws ServeOptError; the output path then holds what it held before
 */
export async function quantizeModel(path: string, options: QuantizeOptions = {}): Promise<QuantizeReport> {
  const requestedMode = options.mode ?? QUANTIZE_DEFAULTS.mode;
  if (requestedMode === 'static' && options.dataPath === undefined) {
    throw new ServeOptError('SO1002', 'Static quantization needs calibration samples', {
      why: 'the ranges of activations are measured on them',
      hint: 'give samples with --data, or use --mode dynamic',
    });
  }
  if (options.memory !== undefined) checkedBytes(options.memory);
  const outputPath = options.outputPath ?? siblingPath(path, requestedMode === 'fp16' ? 'fp16' : 'int8');
  const stages = new Stages(options);
  stages.start('read');
  const inputs = new WatchedInputs(options.dataPath, options.evalPath);
  const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
  inputs.add(model);
  try {
    return await inputs.during(options.signal, async () => {
      assertUsable(model);
      assertValid(model);
      stages.end(`${model.graph.nodes.size} nodes`);
      checkRunFiles(model, path, outputPath, options);
      // Calibration and the look at what overflows run models from there.
      const verify = options.verify ?? QUANTIZE_DEFAULTS.verify;
      if (options.dataPath !== undefined || (requestedMode === 'fp16' && verify)) await checkWorkFolder();
      return await quantizeOpened(model, path, outputPath, options, stages, inputs);
    });
  } finally {
    model.source?.close();
  }
}

async function quantizeOpened(
  model: Model,
  path: string,
  outputPath: string,
  options: QuantizeOptions,
  stages: Stages,
  inputs: WatchedInputs,
): Promise<QuantizeReport> {
  const verify = options.verify ?? QUANTIZE_DEFAULTS.verify;
  const memoryBytes = memoryLimit(options, [model]);
  const needed = verify || options.dataPath !== undefined;
  if (needed) checkMemory(model, memoryBytes, { inputs: inputSpecs(model), madeUp: options.dataPath === undefined });
  const lazy = new LazyRuntime(runtimeOptions(options, memoryBytes));
  // ONNX Runtime gets ready beside whatever else is done until it is needed.
  if (needed) lazy.warmUp();
  const runtime = needed ? lazy.host() : undefined;
  const hashes = new FileHashes();
  const run: Run = { model, path, outputPath, options, stages, runtime, hashes, memoryBytes };
  let staged: StagedModel | undefined;
  try {
    for (const file of [path, ...(model.source?.externalPaths() ?? [])]) hashes.begin(file);
    const splitting = awaitedLater(samples(model, runtime, options));
    let attempt = await tryConversion(run, splitting, () =>
      convertModel(model, options, splitting, stages, runtime, memoryBytes),
    );
    staged = attempt.staged;
    if (runtime && attempt.converted.mode === 'fp16' && overflows(attempt.checked)) {
      staged.discard();
      const [split, host] = [await splitting, await runtime];
      attempt = await tryConversion(run, splitting, () =>
        convertFloat16WithRanges(model, options, split, stages, host, memoryBytes),
      );
      staged = attempt.staged;
    }
    const report = await describeAttempt(run, attempt);
    inputs.check();
    if (options.dryRun) staged.discard();
    else await commitWithReport(staged, report, outputPath);
    return report;
  } finally {
    staged?.discard();
    await hashes.close();
    await lazy.close();
  }
}

/** A promise whose failure is reported where it is awaited, not as unhandled before. */
function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** What every part of one run needs. */
interface Run {
  readonly model: Model;
  readonly path: string;
  readonly outputPath: string;
  readonly options: QuantizeOptions;
  readonly stages: Stages;
  /** Absent when nothing is to be run. */
  readonly runtime: Promise<RuntimeHost> | undefined;
  readonly hashes: FileHashes;
  readonly memoryBytes: number;
}

/** A conversion that has been written beside the target and, unless switched off, run. */
interface Attempt {
  readonly converted: Converted;
  readonly done: QuantizeReport['mode'];
  readonly staged: StagedModel;
  readonly checked: Checked | undefined;
}

async function tryConversion(
  run: Run,
  splitting: Promise<SampleSplit>,
  convertNow: () => Promise<Converted>,
): Promise<Attempt> {
  const { model, options, stages, hashes, runtime } = run;
  const converted = await convertNow();
  // Data that does not fit the model is an error in every mode, also where nothing is calibrated or judged on it.
  const split = await splitting;
  const done = converted.step.changed > 0 ? converted.mode : 'none';
  stages.start('write');
  // Nothing to do means nothing done: the original's own bytes, not a model that was merely prepared.
  const staged = await stageModel(done === 'none' ? model : converted.conversion.model, run.outputPath, {
    ...(options.signal ? { signal: options.signal } : {}),
    onProgress: (bytes, total) => stages.advance(bytes, total),
    onFileBytes: (file, bytes) => hashes.advance(file, bytes),
    force: options.dryRun ? true : (options.force ?? false),
  });
  stages.endWriting(staged.written.sizeBytes);
  try {
    const verify = options.verify ?? QUANTIZE_DEFAULTS.verify;
    const checked = runtime && verify ? await check(run, await runtime, staged, done, split) : undefined;
    return { converted, done, staged, checked };
  } catch (error) {
    staged.discard();
    throw error;
  }
}

async function describeAttempt(run: Run, { converted, done, staged, checked }: Attempt): Promise<QuantizeReport> {
  const { model, options, hashes, runtime } = run;
  const { conversion, step, calibration } = converted;
  const layers = describeLayers(model, conversion.model, step);
  const notes = conversion.steps.flatMap((each) => each.notes);
  if (done === 'none') {
    notes.push(
      layers.leftInFloat.length > 0
        ? 'Nothing was quantized, for the reasons given for each layer: the output is the model as it was.'
        : 'There is nothing to quantize in this model: the output is the model as it was.',
    );
  }
  const versions = await (await runtime)?.request('versions', undefined);
  return {
    schemaVersion: REPORT_SCHEMA_VERSION,
    command: 'quantize',
    version: packageVersion(),
    ...(versions ? { onnxRuntimeVersion: versions.onnxRuntime } : {}),
    requestedMode: options.mode ?? QUANTIZE_DEFAULTS.mode,
    mode: done,
    input: await hashes.model(run.path, model.source?.externalPaths() ?? []),
    output: await hashes.model(staged.stagedPath, staged.stagedDataPath === undefined ? [] : [staged.stagedDataPath]),
    steps: conversion.steps.map((each) => ({
      pass: each.name,
      changes: each.changed,
      nodesBefore: each.nodesBefore,
      nodesAfter: each.nodesAfter,
    })),
    ...layers,
    ...(calibration ? { calibration } : {}),
    verification: {
      structure: 'passed',
      loads: checked?.loads ?? 'skipped',
      runs: checked?.comparison ? 'passed' : 'skipped',
      ...(checked?.reason === undefined ? {} : { reason: checked.reason }),
      ...(checked?.comparison ? { comparison: checked.comparison } : {}),
    },
    ...(checked?.accuracy ? { accuracy: checked.accuracy } : {}),
    ...(checked?.latency ? { latency: checked.latency } : {}),
    warnings: [
      ...converted.warnings,
      ...(checked?.warnings ?? ['The result was not run: verification was switched off.']),
    ],
    notes,
  };
}

/** Which samples calibrate and which judge; made-up ones where there is no data. */
async function samples(
  model: Model,
  runtime: Promise<RuntimeHost> | undefined,
  options: QuantizeOptions,
): Promise<SampleSplit> {
  const { dataPath } = options;
  const seeded: SampleSource = { kind: 'seeded', seed: options.seed ?? QUANTIZE_DEFAULTS.seed, count: SEEDED_SAMPLES };
  if (dataPath === undefined || !runtime) return { calibration: undefined, judging: seeded, heldOut: true };
  const { count } = await (await runtime).request('samples', {
    source: { kind: 'data', path: dataPath },
    inputs: inputSpecs(model),
  });
  return splitSamples(dataPath, count, options.samples ?? QUANTIZE_DEFAULTS.samples, {
    holdOut: options.verify ?? QUANTIZE_DEFAULTS.verify,
  });
}

interface Checked {
  readonly loads: 'passed' | 'skipped';
  readonly reason?: string;
  readonly comparison?: ComparisonResult;
  readonly accuracy?: ComparisonResult;
  readonly latency?: LatencyComparison;
  readonly warnings: readonly string[];
}

/** Loads, runs, compares and times the staged result beside the original. */
async function check(
  run: Run,
  runtime: RuntimeHost,
  staged: StagedModel,
  done: QuantizeReport['mode'],
  split: SampleSplit,
): Promise<Checked> {
  const { model, options, stages } = run;
  const reason = whyNotRunnable(model);
  if (reason !== undefined) return { loads: 'skipped', reason, warnings: [`The result was not run: ${reason}.`] };
  stages.start('load');
  const pair = await loadPair(
    runtime,
    model,
    { a: run.path, b: staged.stagedPath },
    { ...options, ...stages.context('compare') },
  );
  stages.end();
  stages.start('compare');
  const judging = await pair.fit(split.judging);
  if (typeof judging === 'string') {
    stages.end();
    return { loads: 'passed', reason: judging, warnings: [`The result was loaded but not run: ${judging}.`] };
  }
  // A dynamically quantized model takes its scales from the whole batch: it is judged one sample at a time.
  const batch = options.batch ?? (done === 'dynamic' ? 1 : JUDGING_BATCH);
  const comparison = await pair.compare(judging, batch);
  const accuracy =
    options.evalPath === undefined ? undefined : await pair.compare({ kind: 'data', path: options.evalPath }, batch);
  stages.end(`${comparison.samples + (accuracy?.samples ?? 0)} samples`);
  stages.start('measure');
  const latency = await pair.latency(judging);
  stages.end();
  const warnings = judge({ comparison, accuracy });
  if (judging.kind === 'data' && !split.heldOut) {
    warnings.push('Too few samples to hold some out: the comparison ran on the calibration samples.');
  }
  return { loads: 'passed', comparison, ...(accuracy ? { accuracy } : {}), latency, warnings };
}

/** Half precision that loses no more than rounding stays well above this, in dB. */
const ROUNDING_ONLY_DB = 35;

/** True when a half-precision result looks as if values left its range: new NaN or infinities, or far more than rounding. */
function overflows(checked: Checked | undefined): boolean {
  const outputs = checked?.comparison?.outputs ?? [];
  return outputs.some(
    ({ nonFinite, sqnrDb }) => nonFinite.b > nonFinite.a || (sqnrDb !== undefined && sqnrDb < ROUNDING_ONLY_DB),
  );
}
