import { ServeOptError } from '../errors.js';
import { type BudgetReport, isNearLimit } from '../gates/budget-report.js';
import { type Budget, type ShorthandGates, shorthandBudgets } from '../gates/parse-budget.js';
import { judgeResult, type MeasuredResult, type ResultCost } from '../gates/result-gates.js';
import { overall } from '../gates/verdict.js';
import type { Model } from '../ir/model.js';
import { formatMetricValue } from '../report/bench-format.js';
import { budgetPhrase, budgetStory } from '../report/budget-words.js';
import { plural } from '../report/format.js';
import { modelSizeBytes } from '../report/model-size.js';
import type { JudgedReport, ReportModel } from '../report/types.js';
import type { BudgetOptions } from './options.js';
import { statedCost } from './stated-cost.js';
import { parameterCount, storedTensors } from './stored-tensors.js';

/** What budgets of a result are judged on. */
export interface JudgedResult extends Omit<MeasuredResult, 'name' | 'sizeBytes' | 'cost'> {
  readonly file: ReportModel;
  /** What the file holds: its cost is counted where a budget asks for it. */
  readonly model: Model;
}

/** What a report says of budgets. */
export interface JudgedBudgets extends JudgedReport {
  /** Of limits that other samples could have decided the other way. */
  readonly warnings: readonly string[];
}

/** Holds a result against its budgets, those of `--max-loss` and `--min-sqnr` among them. */
export function judgeBudgets(options: BudgetOptions & ShorthandGates, result: JudgedResult): JudgedBudgets {
  const wanted: readonly Budget[] = [...(options.budgets ?? []), ...shorthandBudgets(options)];
  if (wanted.length === 0) return { warnings: [] };
  const { file, model, ...measured } = result;
  let cost: ResultCost | undefined;
  const budgets = judgeResult(wanted, {
    ...measured,
    name: file.name,
    sizeBytes: modelSizeBytes(file),
    cost: () => {
      cost ??= costOf(model);
      return cost;
    },
  });
  const verdict = overall(budgets.map((each) => each.verdict));
  const warnings = [...budgets.flatMap(nearLimit), ...syntheticAgreement(budgets, result)];
  return { budgets, ...(verdict === undefined ? {} : { verdict }), warnings };
}

/** What is judged exactly on the samples given may come out otherwise on others. */
export function nearLimit(budget: BudgetReport): string[] {
  const { verdict, low = 0, high = 0, unit } = budget;
  if (verdict === 'inconclusive' || !isNearLimit(budget)) return [];
  const range = `${formatMetricValue(low, unit)} to ${formatMetricValue(high, unit)}`;
  const word = verdict === 'pass' ? 'kept' : 'broken';
  return [
    `The limit of ${budgetPhrase(budget)} lies within the measured 95 % interval (${range}): the budget is ${word} on these samples, but other samples could change that.`,
  ];
}

/** Synthetic inputs show that a model works, not what it answers to real ones. */
function syntheticAgreement(budgets: readonly BudgetReport[], { comparison, accuracy }: JudgedResult): string[] {
  const isSynthetic = accuracy === undefined && comparison?.source.kind === 'seeded';
  if (!isSynthetic || !budgets.some(({ metric }) => metric === 'agreement')) return [];
  return ['The agreement was measured on synthetic inputs and may differ on real data: give samples with --data.'];
}

/** As `inspect` counts it, on a copy: types are inferred for it. */
function costOf(model: Model): ResultCost {
  const { cost, sizes } = statedCost(model.clone());
  const { macs, unknown } = cost;
  return { macs, uncounted: unknown.length, sizes, parameters: parameterCount(storedTensors(model)) };
}

/** Of a report whose budgets are not all kept. */
interface KeptOptions extends BudgetOptions {
  /** Whether a result is delivered when all is well, or only judged. */
  readonly delivers: boolean;
  /** What makes outputs better, where not as the table of errors says. */
  readonly hint?: string;
  /** What is judged, where it is not delivered. Default `B`. */
  readonly subject?: string;
}

/** Why a result is refused: a budget is broken (SO7001), or cannot be decided and that is not allowed (SO7002). */
export function whyRefused(
  { budgets = [], verdict }: JudgedReport,
  { allowInconclusive = false, delivers, hint: better, subject }: KeptOptions,
): ServeOptError | undefined {
  if (verdict === undefined || verdict === 'pass' || (verdict === 'inconclusive' && allowInconclusive))
    return undefined;
  const deciding = budgets.filter((each) => each.verdict === verdict);
  const phrases = deciding.map(budgetPhrase).join(', ');
  const [which, list] =
    deciding.length === 1
      ? [`the budget ${phrases}`, '']
      : [`${deciding.length} of ${plural(budgets.length, 'budget')}`, `: ${phrases}`];
  const why = deciding
    .map((each) => (deciding.length === 1 ? budgetStory(each) : `${each.metric}: ${budgetStory(each)}`))
    .join(' · ');
  const refused = delivers ? 'The result is not written: ' : '';
  if (verdict === 'fail') {
    const hint =
      subject === undefined && deciding.some(({ metric }) => OF_OUTPUTS.has(metric)) ? better : 'set another limit';
    return new ServeOptError(
      'SO7001',
      capital(`${refused}${delivers ? 'it' : (subject ?? 'B')} misses ${which}${list}`),
      { why, ...(hint === undefined ? {} : { hint }) },
    );
  }
  return new ServeOptError('SO7002', capital(`${refused}${which} cannot be decided${list}`), { why });
}

/** Metrics that layers kept in FP32 make better. */
const OF_OUTPUTS: ReadonlySet<string> = new Set(['accuracy', 'drop', 'agreement', 'sqnr']);

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
