import { basename, dirname, extname, join } from 'node:path';
import { checkTarget } from '../codec/atomic-file.js';
import { ServeOptError } from '../errors.js';
import type { ComparisonResult } from '../evaluate/comparison.js';
import type { Model } from '../ir/model.js';
import { readModel } from '../ir/read-model.js';
import type { TransformStepReport } from '../ir/transform.js';
import { assertUsable } from '../ir/usable.js';
import { type StagedModel, stageModel } from '../ir/write-model.js';
import { planStatic } from '../quantize/plan.js';
import type { LatencyComparison, QuantizeReport } from '../report/types.js';
import { REPORT_SCHEMA_VERSION } from '../report/types.js';
import { type RuntimeHost, startRuntime } from '../runtime/host.js';
import type { SampleSource } from '../runtime/types.js';
import { inputSpecs } from '../runtime/value-specs.js';
import { packageVersion } from '../version.js';
import { calibrate } from './calibrate.js';
import { Conversion, type ConversionMode } from './convert.js';
import { describeLayers } from './layers.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions } from './options.js';
import { FileHashes } from './report-files.js';
import { type SampleSplit, splitSamples } from './sample-split.js';
import { Stages } from './stages.js';
import { loadPair, whyNotRunnable } from './verify.js';
import { writeReport } from './write-report.js';

/** Samples made up where there is no data: enough to vary every open dimension. */
const SEEDED_SAMPLES = 8;
/** Limits of the latency measurement beside the comparison. */
const LATENCY_LIMITS = { minRuns: 60, maxMs: 4000 } as const;

/** Where the result goes when the caller does not say: beside the model, named for what was done. */
export function defaultOutputPath(modelPath: string, mode: 'static' | 'dynamic' | 'fp16' | 'auto'): string {
  const extension = extname(modelPath);
  const stem = basename(modelPath, extension);
  return join(dirname(modelPath), `${stem}.${mode === 'fp16' ? 'fp16' : 'int8'}${extension || '.onnx'}`);
}

/** Where the report of an output goes. */
export function reportPath(outputPath: string): string {
  return join(dirname(outputPath), `${basename(outputPath, extname(outputPath))}.report.json`);
}

/** What a conversion came to. */
interface Converted {
  readonly conversion: Conversion;
  readonly mode: ConversionMode;
  readonly step: TransformStepReport;
  readonly calibration?: { readonly source: string; readonly samples: number; readonly method: string };
  readonly warnings: readonly string[];
}

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
  const outputPath = options.outputPath ?? defaultOutputPath(path, requestedMode);
  const stages = new Stages(options);
  stages.start('read');
  const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
  try {
    assertUsable(model);
    stages.end(`${model.graph.nodes.size} nodes`);
    if (!options.dryRun) {
      checkTarget(outputPath, options.force ?? false, [path]);
      checkTarget(reportPath(outputPath), true, [path]);
    }
    return await quantizeOpened(model, path, outputPath, options, stages);
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
): Promise<QuantizeReport> {
  const requestedMode = options.mode ?? QUANTIZE_DEFAULTS.mode;
  const verify = options.verify ?? QUANTIZE_DEFAULTS.verify;
  const warnings: string[] = [];
  const notes: string[] = [];
  const runtimeNeeded = verify || options.dataPath !== undefined;
  const runtime = runtimeNeeded ? await startRuntime(options.signal ? { signal: options.signal } : {}) : undefined;
  let staged: StagedModel | undefined;
  const hashes = new FileHashes();
  try {
    for (const file of [path, ...(model.source?.externalPaths() ?? [])]) hashes.begin(file);
    const split = await samples(model, runtime, options);
    const { conversion, mode, step, calibration, warnings: found } = await convert(model, options, split, stages);
    warnings.push(...found);
    notes.push(...conversion.steps.flatMap((each) => each.notes));
    const layers = describeLayers(model, step);
    const done = step.changed > 0 ? mode : 'none';
    if (done === 'none') notes.push('There is nothing to quantize in this model: the output is the model as it was.');

    stages.start('write');
    // Nothing to do means nothing done: the original's own bytes, not a model that was merely prepared.
    const result = done === 'none' ? model : conversion.model;
    staged = await stageModel(result, outputPath, {
      ...(options.signal ? { signal: options.signal } : {}),
      onProgress: (bytes, total) => stages.advance(bytes, total),
      onFileBytes: (file, bytes) => hashes.advance(file, bytes),
      force: options.dryRun ? true : (options.force ?? false),
    });
    stages.end(`${staged.written.sizeBytes} bytes`);

    const checked = runtime && verify ? await check(runtime, model, path, staged, split, options, stages) : undefined;
    warnings.push(...(checked?.warnings ?? (verify ? [] : ['The result was not run: verification was switched off.'])));
    const versions = runtime ? await runtime.request('versions', undefined) : undefined;
    const report: QuantizeReport = {
      schemaVersion: REPORT_SCHEMA_VERSION,
      command: 'quantize',
      version: packageVersion(),
      ...(versions ? { onnxRuntimeVersion: versions.onnxRuntime } : {}),
      requestedMode,
      mode: done,
      input: await hashes.model(path, model.source?.externalPaths() ?? []),
      output: await hashes.model(staged.stagedPath, staged.stagedDataPath === undefined ? [] : [staged.stagedDataPath]),
      steps: conversion.steps.map((each) => ({
        pass: each.name,
        changes: each.changed,
        nodesBefore: each.nodesBefore,
        nodesAfter: each.nodesAfter,
        durationMs: each.durationMs,
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
      warnings,
      notes,
    };
    if (options.dryRun) staged.discard();
    else {
      staged.commit();
      await writeReport(report, reportPath(outputPath));
    }
    return report;
  } finally {
    staged?.discard();
    await hashes.close();
    await runtime?.close();
  }
}

/** Which samples calibrate and which judge; made-up ones where there is no data. */
async function samples(model: Model, runtime: RuntimeHost | undefined, options: QuantizeOptions): Promise<SampleSplit> {
  const { dataPath } = options;
  const seeded: SampleSource = { kind: 'seeded', seed: options.seed ?? QUANTIZE_DEFAULTS.seed, count: SEEDED_SAMPLES };
  if (dataPath === undefined || !runtime) return { calibration: undefined, judging: seeded, heldOut: true };
  const { count } = await runtime.request('samples', {
    source: { kind: 'data', path: dataPath },
    inputs: inputSpecs(model),
  });
  return splitSamples(dataPath, count, options.samples ?? QUANTIZE_DEFAULTS.samples);
}

/** Converts in the mode asked for; `auto` goes to dynamic where static finds nothing. */
async function convert(model: Model, options: QuantizeOptions, split: SampleSplit, stages: Stages): Promise<Converted> {
  const requested = options.mode ?? QUANTIZE_DEFAULTS.mode;
  if (requested === 'fp16') return convertFloat16(model, options, stages);
  if (requested === 'static' || (requested === 'auto' && split.calibration)) {
    const result = await convertStatic(model, options, split, stages);
    if (result.step.changed > 0 || requested === 'static') return result;
  }
  stages.start('quantize');
  const conversion = new Conversion(model.clone(), options);
  await conversion.prepare('dynamic');
  const step = await conversion.toDynamic(options);
  stages.end(`${step.changed} layers`);
  return { conversion, mode: 'dynamic', step, warnings: [] };
}

async function convertStatic(
  model: Model,
  options: QuantizeOptions,
  split: SampleSplit,
  stages: Stages,
): Promise<Converted> {
  stages.start('prepare');
  const conversion = new Conversion(model.clone(), options);
  await conversion.prepare('static');
  stages.end(`${model.graph.nodes.size} → ${conversion.model.graph.nodes.size} nodes`);
  const { calibration } = split;
  const warnings: string[] = [];
  const observe = planStatic(conversion.model).observe;
  let ranges: Awaited<ReturnType<typeof calibrate>>['ranges'] = new Map();
  let sampleCount = 0;
  if (calibration && observe.length > 0) {
    stages.start('calibrate', calibration.count);
    const result = await calibrate(conversion.model, calibration.path, {
      ...stages.context('calibrate'),
      tensors: observe,
      first: calibration.first,
      samples: calibration.count,
      batch: options.batch ?? QUANTIZE_DEFAULTS.batch,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    });
    ranges = result.ranges;
    sampleCount = result.samples;
    for (const [name, runs] of result.nonFinite)
      warnings.push(`Tensor "${name}" held NaN or infinities in ${runs} calibration runs.`);
    stages.end(`${observe.length} tensors, ${sampleCount} samples`);
  }
  stages.start('quantize');
  const step = await conversion.toStatic(ranges, options);
  stages.end(`${step.changed} nodes`);
  return {
    conversion,
    mode: 'static',
    step,
    ...(sampleCount > 0 && calibration
      ? { calibration: { source: basename(calibration.path), samples: sampleCount, method: 'min-max' } }
      : {}),
    warnings,
  };
}

async function convertFloat16(model: Model, options: QuantizeOptions, stages: Stages): Promise<Converted> {
  stages.start('convert');
  const conversion = new Conversion(model.clone(), options);
  await conversion.prepare('fp16');
  const step = await conversion.toFloat16(options);
  stages.end(`${step.changed} nodes`);
  return { conversion, mode: 'fp16', step, warnings: [] };
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
  runtime: RuntimeHost,
  model: Model,
  path: string,
  staged: StagedModel,
  split: SampleSplit,
  options: QuantizeOptions,
  stages: Stages,
): Promise<Checked> {
  const reason = whyNotRunnable(model);
  if (reason !== undefined) return { loads: 'skipped', reason, warnings: [`The result was not run: ${reason}.`] };
  stages.start('load');
  const pair = await loadPair(
    runtime,
    model,
    { a: path, b: staged.stagedPath },
    { ...options, ...stages.context('compare') },
  );
  stages.end();
  const batch = options.batch ?? QUANTIZE_DEFAULTS.batch;
  const warnings: string[] = [];
  stages.start('compare');
  const judging = await pair.fit(split.judging);
  if (typeof judging === 'string') {
    stages.end();
    return { loads: 'passed', reason: judging, warnings: [`The result was loaded but not run: ${judging}.`] };
  }
  const comparison = await pair.compare(judging, batch);
  const accuracy =
    options.evalPath === undefined ? undefined : await pair.compare({ kind: 'data', path: options.evalPath }, batch);
  stages.end(`${comparison.samples + (accuracy?.samples ?? 0)} samples`);
  if (split.judging.kind === 'data' && !split.heldOut) {
    warnings.push('Too few samples to hold some out: the comparison ran on the calibration samples.');
  }
  for (const { name, nonFinite } of comparison.outputs) {
    if (nonFinite.b > nonFinite.a)
      warnings.push(
        `Output "${name}" of the result holds ${nonFinite.b} NaN or infinite values, the original's ${nonFinite.a}.`,
      );
  }
  warnings.push(...comparison.warnings, ...(accuracy?.warnings ?? []));
  stages.start('measure');
  const latency = await pair.latency(judging, LATENCY_LIMITS);
  stages.end();
  return { loads: 'passed', comparison, ...(accuracy ? { accuracy } : {}), latency, warnings };
}
