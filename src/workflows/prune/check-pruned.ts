import type { StagedModel } from '../../ir/write-model.js';
import { PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import type { CheckOutcome } from '../produce/model-command.js';
import type { ModelRun } from '../produce/model-run.js';
import { type Checked, checkResult } from '../workbench/check-result.js';
import { backOff } from './back-off.js';
import type { PruneWork } from './before-work.js';
import type { PruneCandidate } from './prune-candidate.js';

/** What is known of a result that stands. */
export interface PruneVerdict {
  /** Absent where verification was switched off. */
  readonly checked: Checked | undefined;
}

/** Runs the written result beside the original. Where it misses a budget of the outputs, less is taken away in the next one. */
export async function checkPruned(
  run: ModelRun<PruneOptions>,
  { runtime, split }: PruneWork,
  candidate: PruneCandidate,
  staged: StagedModel,
): Promise<CheckOutcome<PruneCandidate, PruneVerdict>> {
  if (!runtime) return { verdict: { checked: undefined } };
  const checked = await checkResult(run, runtime, { path: staged.stagedPath, advice: adviceFor(run.options) }, split);
  // Sessions of one candidate after the other would fill the process.
  const next = await backOff(candidate, checked, run.options, () => runtime.close());
  return next ? { next } : { verdict: { checked } };
}

/** What helps against a loss. */
function adviceFor({ method = PRUNE_DEFAULTS.method, dataPath }: PruneOptions): string {
  const less = 'cut less with --amount, or keep layers with --exclude';
  if (method === 'magnitude') return `${less}; --method obs --data samples.npz makes up for what goes`;
  return dataPath === undefined ? `${less}; --data samples.npz repairs the layers behind a cut` : less;
}
