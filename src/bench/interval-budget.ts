import type { BenchVerdict, EstimateReport } from '../report/bench-types.js';
import { AlphaSpending } from './alpha-spending.js';
import { clusterInterval } from './cluster-interval.js';
import { amount, percent, plural } from './numbers-in-words.js';
import type { Scenario } from './scenario.js';
import type { Segment } from './segment.js';
import { roundsOf, summarizeLatency } from './summarize.js';
import { summarizeThroughput } from './throughput.js';

export interface IntervalBudgetOptions {
  /** Of each verdict; 0.95 unless told. */
  readonly confidence?: number;
  /** No verdict before so many rounds, since processes differ; 5 unless told, 1 for a server that runs on. */
  readonly minRounds?: number;
  readonly seed?: number;
}

interface IntervalBudget extends IntervalBudgetOptions {
  readonly limit: number;
  readonly unit: string;
  /** Whether the limit is the least or the most allowed. */
  readonly wants: 'at least' | 'at most';
  readonly estimate: (segments: readonly Segment[], confidence: number) => EstimateReport;
  /** Failed requests have no value to average: with any there is no pass. */
  readonly failuresBreak: boolean;
}

export interface IntervalJudgement {
  /** Undefined: go on measuring. */
  readonly verdict: BenchVerdict | undefined;
  /** With the two-sided interval of the confidence in use: a verdict was taken with a wider one. */
  readonly estimate: EstimateReport;
  /** One clause with the numbers. */
  readonly why: string;
}

/** Where there is one process only, looks are planned by requests: the first after so many. */
const FIRST_LOOK_REQUESTS = 50;

/**
 * A budget on a mean or a rate: decided once the interval lies wholly on one side of the limit. Looks are taken at twice as
 * many rounds each and split the chance of error (`AlphaSpending`).
 */
export class IntervalBudgetTest {
  readonly #budget: IntervalBudget;
  readonly #confidence: number;
  readonly #minRounds: number;
  readonly #spending: AlphaSpending;
  #decided: IntervalJudgement | undefined;

  constructor(budget: IntervalBudget) {
    this.#budget = budget;
    this.#confidence = budget.confidence ?? 0.95;
    this.#minRounds = budget.minRounds ?? 5;
    const first = this.#minRounds > 1 ? this.#minRounds : FIRST_LOOK_REQUESTS;
    // Each side may be wrong with 1 - confidence: only one of them can be.
    this.#spending = new AlphaSpending(1 - this.#confidence, (look) => first * 2 ** (look - 1));
  }

  /** Judges all that was measured so far; `final`: there will be no more. A verdict stays as it was taken. */
  judge(segments: readonly Segment[], final: boolean): IntervalJudgement {
    if (this.#decided !== undefined) return this.#decided;
    const judgement = this.#look(segments, final);
    if (judgement.verdict !== undefined) this.#decided = judgement;
    return judgement;
  }

  #look(segments: readonly Segment[], final: boolean): IntervalJudgement {
    const { estimate, limit, wants, failuresBreak } = this.#budget;
    const rounds = roundsOf(segments).length;
    const requests = segments.reduce((sum, { latencyMs }) => sum + latencyMs.length, 0);
    const size = this.#minRounds > 1 ? rounds : requests;
    const tail = rounds >= this.#minRounds && requests > 0 ? this.#spending.due(size, final) : undefined;
    const shown = estimate(segments, this.#confidence);
    let verdict: BenchVerdict | undefined = final ? 'inconclusive' : undefined;
    let used = shown;
    if (tail !== undefined && tail > 0) {
      used = estimate(segments, 1 - 2 * tail);
      this.#spending.spend(size, final);
      const { low, high } = used;
      const above = low !== undefined && low >= limit;
      const below = high !== undefined && high <= limit;
      if (above || below) verdict = above === (wants === 'at least') ? 'pass' : 'fail';
    }
    const failures = segments.reduce((sum, each) => sum + each.failures, 0);
    if (failuresBreak && failures > 0 && verdict !== undefined && verdict !== 'fail') {
      return { verdict: 'fail', estimate: shown, why: `${plural(failures, 'request')} failed` };
    }
    return { verdict, estimate: shown, why: this.#why(verdict, used, rounds) };
  }

  #why(verdict: BenchVerdict | undefined, { value, low, high }: EstimateReport, rounds: number): string {
    const { unit } = this.#budget;
    const sure = `with ${percent(this.#confidence)} confidence`;
    const end = (verdict === 'pass') === (this.#budget.wants === 'at least') ? low : high;
    if ((verdict === 'pass' || verdict === 'fail') && end !== undefined) {
      return `${end === low ? 'at least' : 'at most'} ${amount(end)}${unit} ${sure}`;
    }
    if (rounds < this.#minRounds) {
      return `${amount(value)}${unit}; needs ${plural(this.#minRounds, 'process', 'processes')}, had ${rounds}`;
    }
    if (low === undefined || high === undefined) return `${amount(value)}${unit}; too few requests for an interval`;
    return `between ${amount(low)} and ${amount(high)}${unit} ${sure}`;
  }
}

/** A budget on throughput: samples a second, at least. */
export function throughputBudget(
  limitPerSecond: number,
  samplesPerRequest: number,
  scenario: Scenario,
  options: IntervalBudgetOptions = {},
): IntervalBudgetTest {
  const { seed = 1 } = options;
  return new IntervalBudgetTest({
    ...options,
    limit: limitPerSecond,
    unit: '/s',
    wants: 'at least',
    estimate: (segments, confidence) =>
      summarizeThroughput(segments, samplesPerRequest, scenario, { confidence, seed }),
    failuresBreak: false,
  });
}

/** A budget on the mean latency, at most. */
export function meanBudget(limitMs: number, options: IntervalBudgetOptions = {}): IntervalBudgetTest {
  return new IntervalBudgetTest({
    ...options,
    limit: limitMs,
    unit: ' ms',
    wants: 'at most',
    estimate: meanLatency,
    failuresBreak: true,
  });
}

/**
 * The mean latency: of one process with the effective number of its runs, of several by Student's interval over the
 * means of processes.
 */
export function meanLatency(segments: readonly Segment[], confidence: number): EstimateReport {
  const rounds = roundsOf(segments)
    .map((round) => round.flatMap(({ latencyMs }) => [...latencyMs]))
    .filter(({ length }) => length > 0);
  const tail = (1 - confidence) / 2;
  const all = rounds.flat();
  if (all.length === 0) return { value: 0 };
  const pooled = clusterInterval(all, tail);
  const widen = Math.sqrt(all.length / Math.max(1, summarizeLatency(segments).effectiveRuns));
  const between = clusterInterval(
    rounds.map((round) => round.reduce((sum, ms) => sum + ms, 0) / round.length),
    tail,
  );
  if (pooled.low === undefined) return { value: pooled.value };
  const half = Math.max((pooled.value - pooled.low) * widen, between.value - (between.low ?? between.value));
  return { value: pooled.value, low: pooled.value - half, high: pooled.value + half };
}
