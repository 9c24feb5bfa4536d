import type { PruneReport } from '../report/prune-types.js';
import { PRUNE_DEFAULTS, type PruneOptions, type WorkflowContext } from './options.js';
import type { ModelCommand } from './produce/model-command.js';
import { produceModel } from './produce/produce-model.js';
import { type PruneWork, preparePrune } from './prune/before-work.js';
import { checkPruneOptions } from './prune/check-prune-options.js';
import { checkPruned, type PruneVerdict } from './prune/check-pruned.js';
import { describePruned } from './prune/describe-pruned.js';
import { makePruned } from './prune/make-pruned.js';
import type { PruneCandidate } from './prune/prune-candidate.js';
import { isUnstructured } from './prune/unstructured.js';

/**
 * Prunes a model file: cuts whole channels, heads and neurons out of it, or sets single weights to zero. The result is written,
 * checked (a cut computes what the original computes with the same units set to zero) and compared with the original, and
 * only then appears, with a JSON report beside it.
 * @throws ServeOptError; the output path then holds what it held before
 */
export function pruneModel(
  path: string,
  options: PruneOptions = {},
  context: WorkflowContext = {},
): Promise<PruneReport> {
  return produceModel(path, options, context, PRUNE);
}

const PRUNE: ModelCommand<PruneOptions, PruneReport, PruneWork, PruneCandidate, PruneVerdict> = {
  name: 'prune',
  budgetHint: 'cut less with --amount, keep layers with --exclude, or set another limit',
  tag: ({ method = PRUNE_DEFAULTS.method }) => (isUnstructured(method) ? 'sparse' : 'pruned'),
  samplePaths: ({ dataPath, evalPath }) => [dataPath, evalPath].filter((path) => path !== undefined),
  checkOptions: checkPruneOptions,
  prepare: preparePrune,
  make: makePruned,
  check: checkPruned,
  describe: describePruned,
};
