import { AlphaSpending } from './alpha-spending.js';
import { amount, percent, plural } from './numbers-in-words.js';
import type { BenchVerdict, EstimateReport } from './results.js';
import type { Scenario } from './scenario.js';
import type { Segment } from './segment.js';
import { roundsOf } from './segment.js';
import { summarizeThroughput } from './throughput.js';

export interface ThroughputBudget {
  readonly limitPerSecond: number;
  readonly scenario: Scenario;
  /** Of each verdict; 0.95 unless told. */
  readonly confidence?: number;
  /** No verdict before so many rounds, since processes differ; 5 unless told, 1 for a server that runs on. */
  readonly minRounds?: number;
  readonly seed?: number;
}

export interface ThroughputJudgement {
  /** Undefined: go on measuring. */
  readonly verdict: BenchVerdict | undefined;
  /** One clause with the numbers. */
  readonly why: string;
}

/** Where there is one process only, looks are planned by requests: the first after so many. */
const FIRST_LOOK_REQUESTS = 50;

/**
 * A budget on samples a second, at least: decided once the interval lies wholly on one side of the limit. Looks are taken
 * at twice as many rounds each and split the chance of error (`AlphaSpending`); between them nothing is computed, as the
 * bootstrap takes a while.
 */
export class ThroughputBudgetTest {
  readonly #limit: number;
  readonly #scenario: Scenario;
  readonly #seed: number;
  readonly #confidence: number;
  readonly #minRounds: number;
  readonly #spending: AlphaSpending;
  #decided: ThroughputJudgement | undefined;

  constructor({ limitPerSecond, scenario, confidence = 0.95, minRounds = 5, seed = 1 }: ThroughputBudget) {
    this.#limit = limitPerSecond;
    this.#scenario = scenario;
    this.#seed = seed;
    this.#confidence = confidence;
    this.#minRounds = minRounds;
    const first = minRounds > 1 ? minRounds : FIRST_LOOK_REQUESTS;
    // Each side may be wrong with 1 - confidence: only one of them can be.
    this.#spending = new AlphaSpending(1 - confidence, (look) => first * 2 ** (look - 1));
  }

  /**
   * Judges all that was measured so far; `final`: there will be no more. A verdict stays as it was taken.
   * @param samplesPerRequest of all requests so far, on average
   */
  judge(segments: readonly Segment[], samplesPerRequest: number, final: boolean): ThroughputJudgement {
    if (this.#decided !== undefined) return this.#decided;
    const judgement = this.#look(segments, samplesPerRequest, final);
    if (judgement.verdict !== undefined) this.#decided = judgement;
    return judgement;
  }

  #look(segments: readonly Segment[], samplesPerRequest: number, final: boolean): ThroughputJudgement {
    const rounds = roundsOf(segments).length;
    const requests = segments.reduce((sum, { latencyMs }) => sum + latencyMs.length, 0);
    const size = this.#minRounds > 1 ? rounds : requests;
    const tail = rounds >= this.#minRounds && requests > 0 ? this.#spending.due(size, final) : undefined;
    const estimate = (confidence: number): EstimateReport =>
      summarizeThroughput(segments, samplesPerRequest, this.#scenario, { confidence, seed: this.#seed });
    if (tail !== undefined && tail > 0) {
      this.#spending.spend(size, final);
      const { low, high } = estimate(1 - 2 * tail);
      if (low !== undefined && low >= this.#limit) return this.#verdict('pass', `at least ${amount(low)}`);
      if (high !== undefined && high <= this.#limit) return this.#verdict('fail', `at most ${amount(high)}`);
    }
    if (final) return { verdict: 'inconclusive', why: this.#whyUnknown(estimate(this.#confidence), rounds) };
    return { verdict: undefined, why: 'more requests are needed to decide' };
  }

  #verdict(verdict: BenchVerdict, bound: string): ThroughputJudgement {
    return { verdict, why: `${bound}/s with ${percent(this.#confidence)} confidence` };
  }

  #whyUnknown({ value, low, high }: EstimateReport, rounds: number): string {
    if (rounds < this.#minRounds) {
      return `${amount(value)}/s; needs ${plural(this.#minRounds, 'process', 'processes')}, had ${rounds}`;
    }
    if (low === undefined || high === undefined) return `${amount(value)}/s; too few requests for an interval`;
    return `between ${amount(low)} and ${amount(high)}/s with ${percent(this.#confidence)} confidence`;
  }
}
