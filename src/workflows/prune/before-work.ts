import type { LazyRuntime } from '../../runtime/lazy-runtime.js';
import { checkWorkFolder } from '../../runtime/work-folder.js';
import { sizedDataInputs } from '../../samples/sized-inputs.js';
import type { SampleSource } from '../../samples/types.js';
import { inputSpecs } from '../../samples/value-specs.js';
import { checkMemory } from '../memory.js';
import { PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import { checkData, checkLabels } from '../preflight/data.js';
import { withSizes } from '../preflight/input-sizes.js';
import { metricWish } from '../preflight/judging.js';
import { checkLayers } from '../preflight/layers.js';
import { checkProviders } from '../preflight/providers.js';
import type { ModelRun } from '../produce/model-run.js';
import { SEEDED_SAMPLES } from '../workbench/fit-source.js';
import { type SampleSplit, splitSamples } from '../workbench/sample-split.js';
import { type ModelSize, modelSize } from './model-size.js';

/** What pruning needs beside the run itself. */
export interface PruneWork {
  readonly split: SampleSplit;
  /** Absent when nothing is to be run. */
  readonly runtime: LazyRuntime | undefined;
  readonly before: ModelSize;
}

/** Everything that can be known before work is done: layers, memory, execution providers, data and labels. */
export async function preparePrune(run: ModelRun<PruneOptions>): Promise<PruneWork> {
  const { model, options, runtime, memoryBytes } = run;
  const { dataPath, evalPath, dims } = options;
  const verify = options.verify ?? PRUNE_DEFAULTS.verify;
  checkLayers(model, options);
  const before = modelSize(model, options);
  const inputs = inputSpecs(model);
  const sized = dims ? withSizes(inputs, dims) : inputs;
  if (verify) {
    checkMemory(model, memoryBytes, { inputs: sized, madeUp: dataPath === undefined });
    await checkProviders(options.executionProviders, options);
    await checkWorkFolder();
    runtime.warmUp();
  }
  const seed = options.seed ?? PRUNE_DEFAULTS.seed;
  const seeded: SampleSource = { kind: 'seeded', seed, count: SEEDED_SAMPLES, ...(dims ? { dims } : {}) };
  let split: SampleSplit = { calibration: undefined, judging: seeded, heldOut: true };
  if (dataPath !== undefined) {
    const { count, block = 1 } = await checkData(await runtime.host(), dataPath, [sizedDataInputs(inputs, dims)]);
    split = splitSamples(dataPath, count, options.samples ?? count, { holdOut: true, block });
  }
  const names = model.graph.outputs.map(({ name }) => name);
  if (evalPath !== undefined) await checkLabels(await runtime.host(), evalPath, model, metricWish(options, names));
  return { split, runtime: verify ? runtime : undefined, before };
}
