import type { PruneReport } from '../../report/prune-types.js';
import { inputSpecs } from '../../samples/value-specs.js';
import { describeSparsity } from '../describe-sparsity.js';
import { PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import type { Produced } from '../produce/model-command.js';
import type { ModelRun } from '../produce/model-run.js';
import { judgeBudgets } from '../result-budgets.js';
import { syntheticInputsOf } from '../synthetic-inputs.js';
import type { PruneWork } from './before-work.js';
import type { PruneVerdict } from './check-pruned.js';
import { compressedBytes } from './compressed-bytes.js';
import type { PruneCandidate } from './make-pruned.js';
import { modelSize } from './model-size.js';

/** The report of a pruning; times both models for it. */
export async function describePruned(
  run: ModelRun<PruneOptions>,
  { runtime, before }: PruneWork,
  { candidate, verdict, staged }: Produced<PruneCandidate, PruneVerdict>,
): Promise<PruneReport> {
  const { options } = run;
  const { cut, sparse } = candidate;
  const { checked } = verdict;
  const compared = checked?.comparison ? checked : undefined;
  const latency = cut ? await compared?.measure() : undefined;
  const after = modelSize(candidate.model, options);
  const files = await run.reportFiles(staged);
  const judged = judgeBudgets(options, {
    file: files.output,
    model: candidate.model,
    comparison: compared?.comparison,
    accuracy: compared?.accuracy,
    latency,
    isOriginal: false,
    notRun: checked?.reason,
  });
  const synthetic = syntheticInputsOf(inputSpecs(run.model), compared?.judging);
  const compressed = sparse
    ? {
        before: await compressedBytes([run.path, ...(run.model.source?.externalPaths() ?? [])], options),
        after: await compressedBytes(
          [staged.stagedPath, ...(staged.stagedDataPath === undefined ? [] : [staged.stagedDataPath])],
          options,
        ),
      }
    : undefined;
  return {
    ...(await run.reportHeader('prune', runtime !== undefined)),
    method: options.method ?? PRUNE_DEFAULTS.method,
    amount: cut?.amount ?? options.amount ?? PRUNE_DEFAULTS.amount,
    ...(options.pattern === undefined ? {} : { pattern: options.pattern }),
    ...(cut ? { score: options.score ?? (options.dataPath === undefined ? 'l2' : 'activation') } : {}),
    ...files,
    before: { parameters: before.parameters, macs: before.macs },
    after: { parameters: after.parameters, macs: after.macs },
    sizes: before.sizes,
    groups: cut?.groups ?? [],
    whole: cut?.whole ?? [],
    weights: sparse?.weights ?? [],
    ...(sparse ? { sparsity: describeSparsity(candidate.model) } : {}),
    ...(compressed ? { compressed } : {}),
    ...(cut?.checked ? { cut: cut.checked } : {}),
    repair: cut?.repair ?? [],
    verification: {
      structure: 'passed',
      loads: checked?.loads ?? 'skipped',
      runs: compared ? 'passed' : 'skipped',
      ...(checked?.reason === undefined ? {} : { reason: checked.reason }),
      ...(compared ? { comparison: compared.comparison } : {}),
    },
    ...(compared?.accuracy ? { accuracy: compared.accuracy } : {}),
    ...(latency ? { latency } : {}),
    ...judged,
    ...synthetic.fields,
    notes: [...(sparse ? [ZEROS] : []), ...synthetic.notes],
    warnings: [
      ...run.warnings,
      ...(cut?.warnings ?? []),
      ...(checked?.warnings ?? ['The result was not run: verification was switched off.']),
      ...judged.warnings,
    ],
  };
}

const ZEROS =
  'Zeros alone do not make ONNX Runtime faster on a CPU, nor the file smaller before it is compressed: structured methods do both.';
