import { clusterMean } from './cluster-interval.js';
import { percent, plural } from './numbers-in-words.js';
import { change, REGRESSION_DEFAULTS, REGRESSION_LEAST_ROUNDS } from './regression.js';
import type { BenchVerdict, EstimateReport } from './results.js';
import { studentQuantile } from './student.js';

/** A fresh process of a report: its median and of how many runs. */
export interface ProcessMedian {
  readonly p50Ms: number;
  readonly runs: number;
}

export interface AgainstReportOptions {
  readonly minEffect?: number;
  readonly confidence?: number;
  /** What two runs of the same model at different times may differ by without anything having changed. */
  readonly betweenRuns?: number;
  readonly final: boolean;
}

export interface AgainstReportJudgement {
  /** Undefined: go on measuring. */
  readonly verdict: BenchVerdict | undefined;
  readonly ratio?: EstimateReport;
  readonly noise?: number;
  readonly why: string;
}

/**
 * What runs apart in time differ by at the least, even in their medians: the load, clock and heat of a machine are not those
 * of yesterday, and no number of processes of one run shows it.
 */
export const BETWEEN_RUNS_NOISE = 0.1;

/** Verdicts are looked for at 5, 10, 20, … processes of the candidate. */
const FIRST_LOOK = 5;

/**
 * Whether a candidate is slower than an earlier report of the same machine says its baseline was. Nothing is paired: the
 * ratio is that of the geometric means of process medians, the interval Welch's (1947) for two sets that differ in
 * spread. FAIL only when it lies above what runs apart in time differ by, and the effect is larger than `minEffect` and
 * than the spread of the processes of either run. PASS when the interval ends below 1 + `minEffect`. To know more,
 * time both models in turns.
 */
export function judgeAgainstReport(
  baseline: readonly ProcessMedian[],
  candidate: readonly ProcessMedian[],
  options: AgainstReportOptions,
): AgainstReportJudgement {
  const { minEffect, confidence, betweenRuns, final } = {
    ...REGRESSION_DEFAULTS,
    betweenRuns: BETWEEN_RUNS_NOISE,
    ...options,
  };
  const undecided = final ? 'inconclusive' : undefined;
  const before = logsOf(baseline);
  const now = logsOf(candidate);
  const fewest = Math.min(before.length, now.length);
  if (fewest === 0) return { verdict: undecided, why: 'no process medians to compare' };
  const a = clusterMean(before);
  const b = clusterMean(now);
  const effect = b.mean - a.mean;
  if (fewest < REGRESSION_LEAST_ROUNDS) {
    const needed = `needs ${plural(REGRESSION_LEAST_ROUNDS, 'process', 'processes')} a side, had ${fewest}`;
    // More processes now do not add any to the earlier report.
    const verdict = before.length < REGRESSION_LEAST_ROUNDS ? 'inconclusive' : undecided;
    return { verdict, ratio: { value: Math.exp(effect) }, why: `${change(Math.exp(effect))}; ${needed}` };
  }
  const interval = (tail: number): number => welchHalfWidth(a, b, tail);
  const tail = (1 - confidence) / 2;
  const half = interval(tail);
  const spreads = [a, b].map(({ standardError, degrees }) => standardError * Math.sqrt(degrees + 1));
  const noise = Math.max(betweenRuns, Math.expm1(half), ...spreads.map(Math.expm1));
  const spent = tailOfLook(now.length, tail, final);
  const ratio = { value: Math.exp(effect), low: Math.exp(effect - half), high: Math.exp(effect + half) };
  let verdict: BenchVerdict | undefined = undecided;
  if (spent !== undefined) {
    const wide = interval(spent);
    if (effect - wide > Math.log1p(betweenRuns) && ratio.value - 1 > Math.max(minEffect, noise)) verdict = 'fail';
    else if (effect + wide < Math.log1p(minEffect)) verdict = 'pass';
  }
  const seen = `${change(ratio.value)} (${percent(confidence)}: ${change(ratio.low)} to ${change(ratio.high)})`;
  const why =
    verdict === 'pass'
      ? `at most ${percent(minEffect)} slower is allowed`
      : verdict === 'fail'
        ? `noise between runs is ${percent(noise)}`
        : `runs apart in time differ by up to ${percent(noise)}; time both models in one run to know more`;
  return { verdict, ratio, noise, why: `${seen}; ${why}` };
}

function logsOf(processes: readonly ProcessMedian[]): number[] {
  return processes.map(({ p50Ms }) => Math.log(p50Ms)).filter(Number.isFinite);
}

function welchHalfWidth(a: ReturnType<typeof clusterMean>, b: ReturnType<typeof clusterMean>, tail: number): number {
  const va = a.standardError ** 2;
  const vb = b.standardError ** 2;
  if (va + vb === 0) return 0;
  const degrees = (va + vb) ** 2 / (va ** 2 / a.degrees + vb ** 2 / b.degrees);
  return studentQuantile(tail, degrees) * Math.sqrt(va + vb);
}

/** The share of `tail` that a look at so many processes has (see `AlphaSpending`); none where no look is due. */
function tailOfLook(processes: number, tail: number, final: boolean): number | undefined {
  const passed = processes < FIRST_LOOK ? 0 : Math.floor(Math.log2(processes / FIRST_LOOK)) + 1;
  const isPlanned = passed > 0 && processes === FIRST_LOOK * 2 ** (passed - 1);
  const spentAfter = (looks: number): number => tail * (1 - 1 / (looks + 1));
  if (final) return tail - spentAfter(isPlanned ? passed - 1 : passed);
  return isPlanned ? spentAfter(passed) - spentAfter(passed - 1) : undefined;
}
