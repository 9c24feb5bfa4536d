import { countModel, operatorName } from '../../ir/diff.js';
import type { Model } from '../../ir/model.js';
import { functionKey } from '../../ir/model-function.js';
import { allNodes } from '../../ir/walk.js';
import { opVersions } from '../../ops/schema.js';
import type { AppliedRewrite, NearMiss } from '../../passes/engine/run-rewrites.js';
import type { RecipeRow } from '../../passes/presets.js';
import { plural } from '../../report/format.js';
import type { OptimizeReport, PassReport, VerificationReport } from '../../report/types.js';
import { describeInputs } from '../describe-inputs.js';
import { OPTIMIZE_DEFAULTS, type OptimizeOptions } from '../options.js';
import type { Produced } from '../produce/model-command.js';
import type { ModelRun } from '../produce/model-run.js';
import { judgeBudgets } from '../result-budgets.js';
import type { OptimizeWork } from './before-work.js';
import type { Choice, OptimizeCandidate } from './choose-rewrites.js';
import { totalsByPass } from './pass-summary.js';
import type { Pipeline } from './pipeline.js';

/** What each pass of a recipe did, those that did nothing left out. */
export function passReports(recipe: readonly RecipeRow[], applied: readonly AppliedRewrite[]): PassReport[] {
  const sums = totalsByPass(applied);
  return recipe.flatMap(({ pass: { definition } }) => {
    const { name, group, numerics } = definition;
    const sum = sums.get(name);
    sums.delete(name);
    return sum ? [{ pass: name, group, numerics, ...sum }] : [];
  });
}

/** Operators without schema or local function: nothing is known of them, so they stay as they are. With their counts. */
export function unknownOperators(model: Model): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const node of allNodes(model)) {
    const { domain, opType, overload } = node;
    if (opVersions(domain, opType).length > 0 || model.functions.has(functionKey(domain, opType, overload))) continue;
    counts.set(operatorName(node), (counts.get(operatorName(node)) ?? 0) + 1);
  }
  return counts;
}

/** The report of what was chosen. */
export async function describeResult(
  run: ModelRun<OptimizeOptions>,
  work: OptimizeWork,
  produced: Produced<OptimizeCandidate, Choice>,
): Promise<OptimizeReport> {
  const { model, options } = run;
  const { pipeline, requested } = work;
  const { optimized } = produced.candidate;
  const { speed, dropped } = produced.verdict;
  const applied = optimized?.outcome.applied ?? [];
  const verification = verificationOf(options, work, produced);
  const header = await run.reportHeader('optimize', optimized !== undefined);
  const files = await run.reportFiles(produced.staged);
  const latency = optimized && speed ? speed.latency : undefined;
  const judged = judgeBudgets(options, {
    file: files.output,
    model: produced.candidate.model,
    latency,
    isOriginal: optimized === undefined,
  });
  const described = describeInputs(work.original?.inputs ?? [], work.original?.samples.made, run.options.reading);
  return {
    ...header,
    level: options.recipe ? 'recipe' : (options.level ?? OPTIMIZE_DEFAULTS.level),
    operators: options.operators ?? OPTIMIZE_DEFAULTS.operators,
    ...files,
    nodesBefore: countModel(model).nodes,
    nodesAfter: countModel(optimized?.model ?? model).nodes,
    requested: requested.map(({ name, changed, nodesBefore, nodesAfter }) => ({
      pass: name,
      changes: changed,
      nodesBefore,
      nodesAfter,
    })),
    passes: passReports(pipeline.recipe, applied),
    dropped,
    slower: speed?.slower ?? [],
    ...(options.explain ? { rewrites: applied, nearMisses: nearMissesOf(pipeline, optimized?.outcome.refusals) } : {}),
    verification,
    ...(latency ? { latency } : {}),
    ...judged,
    ...described.fields,
    warnings: [...warningsOf(run, work, produced, verification), ...judged.warnings],
    notes: [...notesOf(work, produced), ...described.notes],
  };
}

/** Patterns that were nearly there, and those that were there and would have made the file too large. */
function nearMissesOf(pipeline: Pipeline, refusals: readonly NearMiss[] = []): readonly NearMiss[] {
  const refused = pipeline.tooLarge.map(({ id: { pass, label }, opType, bytes }) => {
    const reason = `the file would grow by ${plural(bytes, 'byte')}, and the total growth would exceed its limit (--max-growth)`;
    return { pass, node: label, opType, reason };
  });
  return [...refusals, ...refused];
}

function verificationOf(
  options: OptimizeOptions,
  { original }: OptimizeWork,
  { candidate: { optimized }, verdict: { verdict, isExact } }: Produced<OptimizeCandidate, Choice>,
): VerificationReport {
  if (!optimized || !verdict) return { structure: 'passed', loads: 'unchanged', runs: 'unchanged' };
  const { reference, outputs, edges, notRun } = verdict;
  const verify = options.verify ?? OPTIMIZE_DEFAULTS.verify;
  if (!verify || !reference || notRun !== undefined) {
    const reason = verify ? notRun : 'verification was switched off';
    return {
      structure: 'passed',
      interface: 'passed',
      loads: verdict.loads ? 'passed' : 'skipped',
      runs: 'skipped',
      ...(reason === undefined ? {} : { reason }),
    };
  }
  return {
    structure: 'passed',
    interface: 'passed',
    loads: 'passed',
    runs: 'passed',
    numerics: isExact && reference.plain ? 'exact' : 'reassociates',
    samples: reference.samples,
    edges: edges ?? 0,
    outputs: outputs ?? [],
    ...(original && original.notCompared.length > 0 ? { notCompared: original.notCompared } : {}),
    ...(original && original.random.length > 0 ? { random: original.random } : {}),
  };
}

function warningsOf(
  run: ModelRun<OptimizeOptions>,
  { original, evaluator }: OptimizeWork,
  { candidate: { optimized }, verdict: choice }: Produced<OptimizeCandidate, Choice>,
  verification: VerificationReport,
): string[] {
  const { verdict, dropped } = choice;
  const warnings = [...run.warnings, ...choice.warnings];
  for (const { pass, node, opType, reason } of dropped) {
    const what = node === undefined ? `The pass ${pass}` : `A rewrite of ${pass} at ${opType ?? 'node'} "${node}"`;
    warnings.push(`${what} made the model wrong and was skipped: ${reason}.`);
  }
  const unknown = [...unknownOperators(run.model)].map(([name, count]) => (count === 1 ? name : `${name} (${count})`));
  if (unknown.length > 0) warnings.push(`Unknown operators were left unchanged: ${firstOf(unknown)}.`);
  if (evaluator.unavailable) warnings.push(`Some constants were not computed: ${evaluator.unavailable.message}.`);
  if (verification.runs === 'skipped')
    warnings.push(`The result was not run: ${verification.reason ?? 'no reason given'}.`);
  if (optimized && verdict?.reference && original) {
    const list = (names: readonly string[]): string => firstOf(names.map((name) => `"${name}"`));
    if (original.notCompared.length > 0) {
      const names = list(original.notCompared);
      warnings.push(`Outputs that ONNX Runtime for Node cannot return were not compared: ${names}.`);
    }
    if (original.random.length > 0) {
      const names = list(original.random);
      warnings.push(`Outputs that depend on random numbers were compared by type and shape only: ${names}.`);
    }
  }
  return [...warnings, ...(verdict?.reference?.warnings ?? [])];
}

/** More names than this tell nobody more. */
const MOST_NAMES = 20;

function firstOf(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return more > 0 ? `${names.slice(0, MOST_NAMES).join(', ')} and ${more} more` : names.join(', ');
}

function notesOf(
  { requested, pipeline }: OptimizeWork,
  { candidate: { optimized }, verdict: { speed, notes, dropped } }: Produced<OptimizeCandidate, Choice>,
): string[] {
  const all = [...requested.flatMap((step) => step.notes), ...notes];
  if (pipeline.tooLarge.length > 0) {
    const passes = [...new Set(pipeline.tooLarge.map(({ id }) => id.pass))].join(', ');
    all.push(`Left out because the file would have grown (--max-growth allows it): rewrites of ${passes}.`);
  }
  if ((optimized?.outcome.applied.length ?? 0) === 0 && requested.length === 0) {
    const why = all.length > 0 || dropped.length > 0 ? 'The' : 'This model has nothing to optimize: the';
    all.push(`${why} output is the unchanged model.`);
  }
  if (optimized && !optimized.outcome.settled && !pipeline.isCutShort)
    all.push('The passes were stopped before they had finished: please report the model.');
  if (speed?.hopeless === false && speed.slower.length > 0) {
    const names = speed.slower.map(({ pass }) => pass).join(', ');
    all.push(`Left out because the model is faster without them on this machine: ${names}.`);
  }
  return all;
}
