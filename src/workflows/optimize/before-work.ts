import type { Model } from '../../ir/model.js';
import type { TransformStepReport } from '../../ir/transform.js';
import { optimizeRecipe } from '../../passes/optimize-graph.js';
import { checkWorkFolder } from '../../runtime/work-folder.js';
import { sizedDataInputs } from '../../samples/sized-inputs.js';
import { inputSpecs } from '../../samples/value-specs.js';
import { whyOverMemory } from '../memory.js';
import { OPTIMIZE_DEFAULTS, type OptimizeOptions } from '../options.js';
import { checkData } from '../preflight/data.js';
import { withSizes } from '../preflight/input-sizes.js';
import { checkProviders } from '../preflight/providers.js';
import { whyNotRunnable } from '../preflight/runnable.js';
import type { ModelRun } from '../produce/model-run.js';
import { OriginalRuns } from '../workbench/original-runs.js';
import { RewriteChooser } from './choose-rewrites.js';
import { FragmentEvaluator } from './constant-evaluator.js';
import { prepareDumps } from './dump.js';
import { interfaceOf, writtenInterface } from './interface-check.js';
import { Pipeline } from './pipeline.js';
import { makeRequestedChanges } from './requested.js';
import { SpeedGate } from './speed-gate.js';
import { Verifier } from './verifier.js';

/** What an optimization needs beside the run itself. */
export interface OptimizeWork {
  readonly pipeline: Pipeline;
  /** Changes that were asked for by name. */
  readonly requested: readonly TransformStepReport[];
  /** Undefined when nothing is to be run. */
  readonly original: OriginalRuns | undefined;
  readonly evaluator: FragmentEvaluator;
  readonly chooser: RewriteChooser;
}

/** Everything that can be known before work is done: requested changes, execution providers, data, memory, dumps. */
export async function prepareOptimize(run: ModelRun<OptimizeOptions>): Promise<OptimizeWork> {
  const { model, options, stages, runtime, memoryBytes, outputPath } = run;
  const verify = options.verify ?? OPTIMIZE_DEFAULTS.verify;
  const speedGate = options.speedGate ?? OPTIMIZE_DEFAULTS.speedGate;
  const evaluator = new FragmentEvaluator(runtime, options);
  run.onClose(() => evaluator.close());
  const { base, requested } = await makeRequestedChanges(model, options);
  const runs = await originalToRun(run, base);
  // Without a run the sizes have no effect, but there have to be such dimensions.
  const sized = withSizes(runs?.inputs ?? inputSpecs(base), options.dims ?? new Map());
  const whyNot = runs && whyOverMemory(model, memoryBytes, { inputs: sized, madeUp: options.dataPath === undefined });
  if (verify && whyNot) throw whyNot;
  // Fragments that are folded and candidates that are tried are run from there.
  await checkWorkFolder();
  if (options.dumpPath !== undefined) prepareDumps(options.dumpPath, options.force ?? false);
  const original = whyNot ? undefined : runs;
  // ONNX Runtime gets ready beside the work on the graph.
  if (original) runtime.warmUp();
  const declared = interfaceOf(model);
  const wanted = requested.length === 0 ? declared : await writtenInterface(base);
  const recipe = options.recipe ?? optimizeRecipe(options);
  const pipeline = new Pipeline(base, recipe, options, outputPath, evaluator.evaluate, memoryBytes);
  const chooser = new RewriteChooser({
    model,
    options,
    stages,
    pipeline,
    requested,
    verifier: new Verifier(base, wanted, verify ? original : undefined),
    original,
    gate: speedGate && original ? new SpeedGate(original, pipeline, options) : undefined,
    verify,
    whyNotMeasured: whyNot?.message,
  });
  return { pipeline, requested, original, evaluator, chooser };
}

/** The original, where anything is to be run: then the execution providers have to be there and the data has to fit both models. */
async function originalToRun(
  { model, path, options, runtime }: ModelRun<OptimizeOptions>,
  base: Model,
): Promise<OriginalRuns | undefined> {
  const verify = options.verify ?? OPTIMIZE_DEFAULTS.verify;
  if (!verify && !(options.speedGate ?? OPTIMIZE_DEFAULTS.speedGate)) return undefined;
  await checkProviders(options.executionProviders, options);
  const original = new OriginalRuns(runtime, model, base, path, options);
  if (options.dataPath !== undefined && verify && whyNotRunnable(model) === undefined)
    await checkData(await runtime.host(), options.dataPath, [sizedDataInputs(original.inputs, options.dims)]);
  return original;
}
