import { countModel } from '../ir/diff.js';
import type { Model } from '../ir/model.js';
import { readModel } from '../ir/read-model.js';
import type { TransformStepReport } from '../ir/transform.js';
import { optimizeRecipe } from '../passes/optimize-graph.js';
import type { RecipeRow } from '../passes/presets.js';
import type { OptimizeReport } from '../report/types.js';
import { LazyRuntime } from '../runtime/lazy-runtime.js';
import { checkWorkFolder } from '../runtime/work-folder.js';
import { memoryLimit, runtimeOptions, whyOverMemory } from './memory.js';
import { decide } from './optimize/choose-rewrites.js';
import { FragmentEvaluator } from './optimize/constant-evaluator.js';
import { describeDecision } from './optimize/describe-result.js';
import { dumpAfterPasses, prepareDumps } from './optimize/dump.js';
import { interfaceOf, writtenInterface } from './optimize/interface-check.js';
import { Pipeline } from './optimize/pipeline.js';
import { makeRequestedChanges } from './optimize/requested.js';
import { SpeedGate } from './optimize/speed-gate.js';
import { Verifier } from './optimize/verifier.js';
import { OPTIMIZE_DEFAULTS, type OptimizeOptions } from './options.js';
import { checkOptions } from './preflight/check-options.js';
import { checkData, checkDataPaths } from './preflight/data.js';
import { checkModel } from './preflight/model.js';
import { checkProviders } from './preflight/providers.js';
import { whyNotRunnable } from './preflight/runnable.js';
import { growthBytes } from './produce/growth.js';
import { siblingPath } from './produce/report-path.js';
import { checkRunFiles } from './produce/run-files.js';
import { FileHashes } from './report-files.js';
import { Stages } from './stages.js';
import { WatchedInputs } from './watched-inputs.js';
import { OriginalRuns } from './workbench/original-runs.js';
import { commitWithReport } from './write-report.js';

interface Run {
  readonly model: Model;
  /** The model with the changes that were asked for by name. */
  readonly base: Model;
  readonly requested: readonly TransformStepReport[];
  readonly path: string;
  readonly outputPath: string;
  readonly options: OptimizeOptions;
  /** Warnings about options of which nothing comes, and about rules that the model breaks. */
  readonly ignored: readonly string[];
  readonly stages: Stages;
  readonly runtime: LazyRuntime;
  readonly hashes: FileHashes;
  readonly inputs: WatchedInputs;
  readonly memoryBytes: number;
}

/**
 * Optimizes a model file: runs the passes to a fixed point, writes, loads the result in ONNX Runtime, compares what it
 * computes with the original, and measures both; only then the output appears, with a JSON report beside it. A rewrite
 * that made the model wrong is found, left out and named, and so is a fusion that made it slower.
 * @throws ServeOptError; the output path then holds what it held before
 */
export async function optimizeModel(path: string, options: OptimizeOptions = {}): Promise<OptimizeReport> {
  const ignored = checkOptions('optimize', options);
  checkDataPaths(options.dataPath);
  const recipe = options.recipe ?? optimizeRecipe(options);
  growthBytes(options.maxGrowth ?? OPTIMIZE_DEFAULTS.maxGrowth, 0);
  const outputPath = options.outputPath ?? siblingPath(path, 'opt');
  const stages = new Stages(options);
  stages.start('read');
  const inputs = new WatchedInputs(options.dataPath);
  const model = await readModel(path, options.allowLinks ? { allowLinks: true } : {});
  const hashes = new FileHashes();
  const memoryBytes = memoryLimit(options, [model]);
  const runtime = new LazyRuntime(runtimeOptions(options, memoryBytes));
  const evaluator = new FragmentEvaluator(runtime, options);
  inputs.add(model);
  try {
    return await inputs.during(options.signal, async () => {
      const invalid = checkModel(model, options);
      checkRunFiles(model, path, outputPath, options);
      const { base, requested } = await makeRequestedChanges(model, options);
      const run: Run = {
        model,
        base,
        requested,
        path,
        outputPath,
        options,
        ignored: [...ignored, ...invalid],
        stages,
        runtime,
        hashes,
        inputs,
        memoryBytes,
      };
      const original = await checkBeforeWork(run);
      // Fragments that are folded and candidates that are tried are run from there.
      await checkWorkFolder();
      if (options.dumpPath !== undefined) prepareDumps(options.dumpPath, options.force ?? false);
      stages.end(`${countModel(model).nodes} nodes`);
      for (const file of [path, ...(model.source?.externalPaths() ?? [])]) hashes.begin(file);
      return await optimizeOpened(run, original, recipe, evaluator);
    });
  } finally {
    await evaluator.close();
    await hashes.close();
    await runtime.close();
    model.source?.close();
  }
}

/**
 * Whether the execution providers are there and the data fits both models, where anything is to be run.
 * @returns the original, to be run; undefined where nothing is
 */
async function checkBeforeWork({ model, base, path, options, runtime }: Run): Promise<OriginalRuns | undefined> {
  const verify = options.verify ?? OPTIMIZE_DEFAULTS.verify;
  if (!verify && !(options.speedGate ?? OPTIMIZE_DEFAULTS.speedGate)) return undefined;
  await checkProviders(options.executionProviders, options);
  const original = new OriginalRuns(runtime, model, base, path, options);
  if (options.dataPath !== undefined && verify && whyNotRunnable(model) === undefined)
    await checkData(await runtime.host(), options.dataPath, [original.inputs]);
  return original;
}

async function optimizeOpened(
  run: Run,
  runs: OriginalRuns | undefined,
  recipe: readonly RecipeRow[],
  evaluator: FragmentEvaluator,
): Promise<OptimizeReport> {
  const { model, base, requested, path, outputPath, options, stages, runtime, hashes, inputs, memoryBytes } = run;
  const verify = options.verify ?? OPTIMIZE_DEFAULTS.verify;
  const speedGate = options.speedGate ?? OPTIMIZE_DEFAULTS.speedGate;
  const whyNot =
    runs && whyOverMemory(model, memoryBytes, { inputs: runs.inputs, madeUp: options.dataPath === undefined });
  if (verify && whyNot) throw whyNot;
  const original = whyNot ? undefined : runs;
  // ONNX Runtime gets ready beside the work on the graph.
  if (original) runtime.warmUp();
  const declared = interfaceOf(model);
  const wanted = requested.length === 0 ? declared : await writtenInterface(base);
  const pipeline = new Pipeline(base, recipe, options, outputPath, evaluator.evaluate, memoryBytes);
  const decision = await decide({
    model,
    outputPath,
    options,
    stages,
    hashes,
    pipeline,
    requested,
    verifier: new Verifier(base, wanted, verify ? original : undefined),
    original,
    gate: speedGate && original ? new SpeedGate(original, pipeline, options) : undefined,
    verify,
    ...(whyNot ? { whyNotMeasured: whyNot.message } : {}),
  });
  const { staged } = decision;
  try {
    if (options.dumpPath !== undefined)
      await dumpAfterPasses(options.dumpPath, pipeline, decision.optimized?.outcome.applied ?? []);
    const report = await describeDecision(
      { model, path, options, ignored: run.ignored, hashes, pipeline, requested, original, evaluator, runtime },
      decision,
    );
    inputs.check();
    if (options.dryRun) staged.discard();
    else await commitWithReport(staged, report, outputPath);
    return report;
  } finally {
    staged.discard();
  }
}
