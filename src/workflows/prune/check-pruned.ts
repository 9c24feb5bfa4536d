import type { StagedModel } from '../../ir/write-model.js';
import type { CutCheckReport } from '../../report/prune-types.js';
import type { PruneOptions } from '../options.js';
import type { CheckOutcome } from '../produce/model-command.js';
import type { ModelRun } from '../produce/model-run.js';
import { type Checked, checkResult } from '../workbench/check-result.js';
import type { PruneWork } from './before-work.js';
import { checkCut } from './check-cut.js';
import type { PruneCandidate } from './make-pruned.js';

/** What is known of a result that stands. */
export interface PruneVerdict {
  /** Absent where verification was switched off. */
  readonly checked: Checked | undefined;
  readonly cut?: CutCheckReport;
  readonly warnings: readonly string[];
}

/** Checks that a cut is the cut that was meant, then runs the result beside the original. */
export async function checkPruned(
  run: ModelRun<PruneOptions>,
  { runtime, split }: PruneWork,
  { cut }: PruneCandidate,
  staged: StagedModel,
): Promise<CheckOutcome<PruneCandidate, PruneVerdict>> {
  if (!runtime) return { verdict: { checked: undefined, warnings: [] } };
  const warnings: string[] = [];
  let report: CutCheckReport | undefined;
  if (cut) {
    const outcome = await checkCut(cut, staged.stagedPath, split.judging, runtime, run.options, run.stages);
    if (typeof outcome === 'string') warnings.push(`The cut was not checked against zeros: ${outcome}.`);
    else report = outcome;
  }
  const checked = await checkResult(run, runtime, { path: staged.stagedPath }, split);
  return { verdict: { checked, warnings, ...(report ? { cut: report } : {}) } };
}
