import type { LatencyComparison } from '../../bench/results.js';
import type { PruneReport } from '../../report/prune-types.js';
import { inputSpecs } from '../../samples/value-specs.js';
import { describeInputs } from '../describe-inputs.js';
import { describeSparsity } from '../describe-sparsity.js';
import { PRUNE_DEFAULTS, type PruneOptions } from '../options.js';
import type { Produced } from '../produce/model-command.js';
import type { ModelRun } from '../produce/model-run.js';
import { judgeBudgets } from '../result-budgets.js';
import type { PruneWork } from './before-work.js';
import type { PruneVerdict } from './check-pruned.js';
import { compressedBytes } from './compressed-bytes.js';
import { modelSize } from './model-size.js';
import type { PruneCandidate } from './prune-candidate.js';

/** The report of a pruning; times both models for it. */
export async function describePruned(
  run: ModelRun<PruneOptions>,
  { runtime, before }: PruneWork,
  { candidate, verdict, staged }: Produced<PruneCandidate, PruneVerdict>,
): Promise<PruneReport> {
  const { options } = run;
  const { cut, dropped, sparse, search } = candidate;
  const { checked } = verdict;
  const compared = checked?.comparison ? checked : undefined;
  const latency = sparse ? undefined : await compared?.measure();
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
  const described = describeInputs(inputSpecs(run.model), compared?.judging, run.options.reading);
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
    amount: cut?.amount ?? dropped?.amount ?? candidate.less?.amount ?? PRUNE_DEFAULTS.amount,
    ...(cut?.allocation ? { allocation: cut.allocation } : {}),
    ...(cut?.steps ? { steps: cut.steps } : {}),
    ...given('targetSpeedUp', (cut ?? dropped)?.targetSpeedUp),
    ...given('attempts', search?.attempts ?? (cut ?? dropped)?.attempts),
    ...(options.pattern === undefined ? {} : { pattern: options.pattern }),
    ...(cut ? { score: options.score ?? (options.dataPath === undefined ? 'l2' : 'activation') } : {}),
    ...files,
    before: { parameters: before.parameters, macs: before.macs },
    after: { parameters: after.parameters, macs: after.macs },
    sizes: before.sizes,
    groups: cut?.groups ?? [],
    whole: cut?.whole ?? [],
    ...(dropped ? { blocks: dropped.blocks, rankedBy: dropped.rankedBy, outside: dropped.outside } : {}),
    weights: sparse?.weights ?? [],
    ...(sparse ? { sparsity: describeSparsity(candidate.model) } : {}),
    ...(compressed ? { compressed } : {}),
    ...(cut?.checked ? { cut: cut.checked } : {}),
    repair: (cut ?? dropped)?.repair ?? [],
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
    ...described.fields,
    notes: [...(sparse ? [ZEROS] : []), ...notesOf(options, candidate), ...described.notes],
    warnings: [
      ...run.warnings,
      ...((cut ?? dropped)?.warnings ?? []),
      ...offTarget((cut ?? dropped)?.targetSpeedUp, latency),
      ...(checked?.warnings ?? ['The result was not run: verification was switched off.']),
      ...judged.warnings,
    ],
  };
}

function given<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

function notesOf(options: PruneOptions, { cut, dropped }: PruneCandidate): string[] {
  const notes: string[] = [];
  if (dropped?.rankedBy === 'weights')
    notes.push(
      'Blocks were ranked by the size of their weights, which is a guess: with --data they are ranked by how much the outputs change.',
    );
  if (cut?.allocation === 'sensitivity' && options.dataPath === undefined)
    notes.push('Sensitivity was measured on synthetic inputs: give samples with --data.');
  return notes;
}

/** The last measurement is another one than those by which the amount was found. */
function offTarget(target: number | undefined, latency: LatencyComparison | undefined): string[] {
  if (target === undefined || latency === undefined) return [];
  const speedUp = 1 / latency.ratio;
  if (Math.abs(speedUp / target - 1) <= 0.1) return [];
  return [
    `The result measured ${speedUp.toFixed(2)}x at the end, ${target.toFixed(2)}x were wanted: the machine is busy, or its clock changed meanwhile.`,
  ];
}

const ZEROS =
  'Zeros alone do not make ONNX Runtime faster on a CPU, nor the file smaller before it is compressed: structured methods do both.';
