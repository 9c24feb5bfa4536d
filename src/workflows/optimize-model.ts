import { optimizeRecipe } from '../passes/optimize-graph.js';
import type { OptimizeReport } from '../report/types.js';
import { type OptimizeWork, prepareOptimize } from './optimize/before-work.js';
import type { Choice, OptimizeCandidate } from './optimize/choose-rewrites.js';
import { describeResult } from './optimize/describe-result.js';
import { dumpAfterPasses } from './optimize/dump.js';
import type { OptimizeOptions, WorkflowContext } from './options.js';
import type { ModelCommand } from './produce/model-command.js';
import { produceModel } from './produce/produce-model.js';

/**
 * Optimizes a model file: runs the passes to a fixed point, writes, loads the result in ONNX Runtime, compares what it
 * computes with the original, and measures both; only then the output appears, with a JSON report beside it. A rewrite
 * that made the model wrong is found, left out and named, and so is a fusion that made it slower.
 * @throws ServeOptError; the output path then holds what it held before
 */
export function optimizeModel(
  path: string,
  options: OptimizeOptions = {},
  context: WorkflowContext = {},
): Promise<OptimizeReport> {
  return produceModel(path, options, context, OPTIMIZE);
}

const OPTIMIZE: ModelCommand<OptimizeOptions, OptimizeReport, OptimizeWork, OptimizeCandidate, Choice> = {
  name: 'optimize',
  tag: () => 'opt',
  samplePaths: ({ dataPath }) => (dataPath === undefined ? [] : [dataPath]),
  // Names of passes that are not there are told before anything is read.
  checkOptions: (options) => {
    if (!options.recipe) optimizeRecipe(options);
  },
  prepare: prepareOptimize,
  make: (_run, { chooser }) => chooser.first(),
  check: (_run, { chooser }, candidate, { stagedPath }) => chooser.check(candidate, stagedPath),
  describe: async (run, work, produced) => {
    const { dumpPath } = run.options;
    if (dumpPath !== undefined)
      await dumpAfterPasses(dumpPath, work.pipeline, produced.candidate.optimized?.outcome.applied ?? []);
    return describeResult(run, work, produced);
  },
};
