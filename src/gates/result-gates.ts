import { amount, count, plural } from '../bench/numbers-in-words.js';
import type { LatencyComparison } from '../bench/results.js';
import { isBroken, whyBroken } from '../evaluate/broken-outputs.js';
import type { ComparisonResult, MetricComparison, OutputDifference } from '../evaluate/comparison.js';
import { keptPredictions } from '../evaluate/kept-predictions.js';
import { formatBytes } from '../tensor/byte-size.js';
import { type BudgetReport, budgetReport, type Figure, type Finding, keeps } from './budget-report.js';
import type { Budget } from './parse-budget.js';

/** What a model costs, as `inspect` counts it. */
export interface ResultCost {
  readonly macs: number;
  /** Nodes that multiply and could not be counted: their sizes are unknown. */
  readonly uncounted: number;
  /** Open sizes that the multiply-accumulates are counted at. */
  readonly sizes: readonly { readonly name: string; readonly size: number }[];
  /** Elements of all weights. */
  readonly parameters: number;
}

/** What is known of a model that was made or is compared, and of the original beside it. */
export interface MeasuredResult {
  /** Its file name. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Counted when a budget asks for it. */
  readonly cost: () => ResultCost;
  /** Outputs of the original (A) and of the result (B); absent where they were not run. */
  readonly comparison?: ComparisonResult | undefined;
  /** The same on labelled samples, where those are others. */
  readonly accuracy?: ComparisonResult | undefined;
  /** The original (A) and the result (B) in turns. */
  readonly latency?: LatencyComparison | undefined;
  /** The result is the original, byte for byte. */
  readonly isOriginal?: boolean;
  /** Why the result was not run. */
  readonly notRun?: string | undefined;
}

/** A figure with the clause about it, and a verdict where the figure alone does not decide. */
type Judged = Figure & { readonly why: string; readonly verdict?: Finding['verdict'] };

/**
 * Holds a result against budgets. What is measured on samples is judged exactly on the samples given, an evaluation set being
 * taken as the set that counts; the interval stands beside it. A speed-up is judged by its interval: what lies across the limit
 * is inconclusive. What could not be measured is inconclusive, and outputs that cannot be compared keep no budget.
 */
export function judgeResult(budgets: readonly Budget[], result: MeasuredResult): BudgetReport[] {
  return budgets.map((budget) => {
    const { why, verdict, ...figure } = JUDGES[budget.metric]?.(result, budget) ?? UNKNOWN;
    const { measured } = figure;
    const decided = verdict ?? (measured === undefined ? 'inconclusive' : keeps(measured, budget) ? 'pass' : 'fail');
    return budgetReport(result.name, budget, figure, { verdict: decided, why });
  });
}

const UNKNOWN: Judged = { why: 'it is not measured by this command' };

const JUDGES: Readonly<Record<string, (result: MeasuredResult, budget: Budget) => Judged>> = {
  size: ({ sizeBytes }) => ({ measured: sizeBytes, why: formatBytes(sizeBytes) }),
  params: ({ cost }) => {
    const { parameters } = cost();
    return { measured: parameters, why: plural(parameters, 'element') };
  },
  macs: ({ cost }, budget) => macsOf(cost(), budget),
  accuracy: (result) => ofMetric(result, accuracyOf),
  drop: (result) => ofMetric(result, dropOf),
  agreement: (result, budget) =>
    ofOutputs(result, (comparison) => agreementOf(judgedOutputs(result.accuracy ?? comparison, budget))),
  sqnr: (result, budget) => ofOutputs(result, (comparison) => sqnrOf(judgedOutputs(comparison, budget))),
  'speed-up': speedUpOf,
};

/** What is not counted can only be more. */
function macsOf({ macs, uncounted, sizes }: ResultCost, budget: Budget): Judged {
  const at = sizes.map(({ name, size }) => `${name}=${size}`).join(', ');
  const words = `${count(macs)}${at === '' ? '' : ` at ${at}`}`;
  if (uncounted === 0) return { measured: macs, why: words };
  const why = `${words}; ${plural(uncounted, 'node')} could not be counted`;
  return { measured: macs, why, ...(keeps(macs, budget) ? { verdict: 'inconclusive' } : {}) };
}

function failed(why: string): Judged {
  return { verdict: 'fail', why };
}

/** On the outputs of both models, unless one of them is broken. */
function ofOutputs(
  { comparison, accuracy, notRun }: MeasuredResult,
  judge: (comparison: ComparisonResult) => Judged,
): Judged {
  if (comparison === undefined) return { why: notRun ?? 'the result was not run' };
  const broken = [comparison, ...(accuracy ? [accuracy] : [])].flatMap(({ outputs }) => outputs).find(isBroken);
  return broken ? failed(whyBroken(broken)) : judge(comparison);
}

/** On the metric to quote, of the labelled samples. */
function ofMetric(result: MeasuredResult, judge: (metric: MetricComparison) => Judged): Judged {
  return ofOutputs(result, (comparison) => {
    const { metrics = [], metricsSkipped } = result.accuracy ?? comparison;
    const [metric] = metrics;
    return metric ? judge(metric) : failed(metricsSkipped ?? 'there are no labels to score');
  });
}

function accuracyOf({ metric, higherIsBetter, b }: MetricComparison): Judged {
  if (!higherIsBetter) return failed(`the ${metric} is an error, where lower is better: use the budget drop instead`);
  if (Number.isNaN(b.value)) return failed(`the ${metric} cannot be computed`);
  return { measured: b.value, ...interval(b.low, b.high), why: `${metric}, n = ${count(b.n)}` };
}

function dropOf(metric: MetricComparison): Judged {
  const { a, b, higherIsBetter, differenceLow, differenceHigh } = metric;
  const measured = lossOf(metric);
  const change = `from ${a.value.toFixed(4)} to ${b.value.toFixed(4)}`;
  if (Number.isNaN(measured)) return failed(`${metric.metric} cannot be computed, ${change}`);
  const why = `${metric.metric} changes ${change}, n = ${count(b.n)}`;
  if (differenceLow === undefined || differenceHigh === undefined) return { measured, why };
  if (!higherIsBetter) return { measured, low: differenceLow / a.value, high: differenceHigh / a.value, why };
  return { measured, low: -differenceHigh, high: -differenceLow, why };
}

/** How much worse B is: points of a share, a share of an error; negative where it is better. */
function lossOf({ higherIsBetter, a, b, difference }: MetricComparison): number {
  // 0.93 less 0.92 is a hundredth, and not a little more.
  if (higherIsBetter) return Number((a.value - b.value).toFixed(12));
  if (a.value === 0) return b.value === 0 ? 0 : Number.POSITIVE_INFINITY;
  return difference / a.value;
}

/** Outputs that a budget is about. How far apart random numbers are says nothing. */
function judgedOutputs({ outputs }: ComparisonResult, { outputs: names }: Budget): readonly OutputDifference[] {
  return outputs.filter(({ name, random }) => !random && (names?.includes(name) ?? true));
}

/** Of the output that agrees least, by the measure that it is judged by; integers and texts count where there is nothing else. */
function agreementOf(outputs: readonly OutputDifference[]): Judged {
  const predicting = outputs.flatMap((output) => {
    const kept = keptPredictions(output);
    return kept ? [{ name: output.name, isAnswer: output.measure?.kind === 'answers', ...kept }] : [];
  });
  const scores = predicting.filter(({ isAnswer }) => !isAnswer);
  const [worst] = (scores.length > 0 ? scores : predicting).sort((a, b) => a.value - b.value);
  if (!worst) return failed('no output has class scores');
  const { name, value, n, low, high, unit, same } = worst;
  if (Number.isNaN(value)) return failed(`output "${name}" has no ${unit}s`);
  return {
    measured: value,
    ...interval(low, high),
    why: `output "${name}" has ${same} in ${count(Math.round(value * n))} of ${plural(n, unit)}`,
  };
}

/** Of the output with most noise. */
function sqnrOf(outputs: readonly OutputDifference[]): Judged {
  const [worst] = outputs
    .flatMap(({ name, sqnrDb }) => (sqnrDb === undefined ? [] : [{ name, sqnrDb }]))
    .sort((a, b) => a.sqnrDb - b.sqnrDb);
  if (!worst) return failed('no output is of floats');
  const { name, sqnrDb } = worst;
  const size = Number.isFinite(sqnrDb) ? `${sqnrDb.toFixed(1)} dB` : 'equal';
  return { measured: sqnrDb, why: `output "${name}" has ${size}` };
}

/** By the interval of the ratio; a result that is the original takes as long as it does. */
function speedUpOf({ latency, isOriginal = false, notRun }: MeasuredResult, { limit }: Budget): Judged {
  if (latency === undefined)
    return isOriginal
      ? { measured: 1, why: 'the output is the input, byte for byte' }
      : { why: notRun ?? 'the latency was not measured' };
  const { ratio, ratioLow, ratioHigh, p50MsA, p50MsB, runs } = latency;
  const change = `p50 from ${amount(p50MsA)} to ${amount(p50MsB)} ms`;
  const measured = 1 / ratio;
  if (ratioLow === undefined || ratioHigh === undefined)
    return { measured, verdict: 'inconclusive', why: `${change}; ${plural(runs, 'run')} are too few for an interval` };
  const [low, high] = [1 / ratioHigh, 1 / ratioLow];
  if (low >= limit) return { measured, low, high, verdict: 'pass', why: change };
  if (high < limit) return { measured, low, high, verdict: 'fail', why: change };
  return { measured, low, high, verdict: 'inconclusive', why: `${change}; the limit lies within the interval` };
}

function interval(low: number | undefined, high: number | undefined): Figure {
  return low === undefined || high === undefined ? {} : { low, high };
}
