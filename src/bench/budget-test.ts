import { AlphaSpending } from './alpha-spending.js';
import { binomialAtLeast, binomialAtMost, clopperPearsonLower, clopperPearsonUpper, leastRuns } from './binomial.js';
import { designEffect } from './dispersion.js';
import { count, percent, plural } from './numbers-in-words.js';
import type { BenchVerdict } from './results.js';
import type { Segment } from './segment.js';

export { leastRuns } from './binomial.js';

export interface PercentileBudget {
  /** 0.99 for a budget of p99. */
  readonly probability: number;
  readonly limitMs: number;
  /** Of each verdict; 0.95 unless told. */
  readonly confidence?: number;
  /** No verdict before so many rounds, since processes differ; 5 unless told, 1 for a server that runs on. */
  readonly minRounds?: number;
}

export interface BudgetJudgement {
  /** Undefined: go on measuring. */
  readonly verdict: BenchVerdict | undefined;
  /** Runs over the limit, failed ones included. */
  readonly over: number;
  readonly runs: number;
  /** So many independent runs would tell as much. */
  readonly effectiveRuns: number;
  /**
   * Bounds of the share of runs over the limit, each one-sided, with the confidence that the last look may claim; 0 and 1
   * before the first one.
   */
  readonly upper: number;
  readonly lower: number;
  /** One clause with the numbers. */
  readonly why: string;
}

/** The first look for a failure: a budget that most runs break is broken after this many runs. */
const FIRST_FAIL_LOOK = 20;

/**
 * Whether a percentile stays within a limit: a one-sided binomial test on the number of runs over it, as MLPerf LoadGen's
 * early stopping does, in both directions. PASS when the upper Clopper-Pearson bound of the share of runs over the limit
 * is below what the percentile allows, FAIL when the lower bound is above it. Each side is wrong in at most
 * 1 - confidence of all cases although the data are looked at again and again: looks are taken at sizes planned
 * beforehand (twice the fewest runs that could pass, then twice as many each time; any number at the end) and split that chance (`AlphaSpending`).
 * Runs that come in bursts, and processes that differ, count as the fewer independent runs that they are worth
 * (`designEffect`). Several streams at once reach a number of runs in a fraction of the time, in which nothing may have held them
 * up, or one event all of them: looks are planned by the runs of one stream.
 */
export class PercentileBudgetTest {
  readonly #limitMs: number;
  readonly #allowed: number;
  readonly #needed: number;
  readonly #confidence: number;
  readonly #minRounds: number;
  readonly #pass: AlphaSpending;
  readonly #fail: AlphaSpending;
  /** Runs over the limit, by segment: nothing is counted twice. */
  readonly #counts = new WeakMap<Segment, number>();
  #effect = 1;
  #upper = 1;
  #lower = 0;
  #decided: BudgetJudgement | undefined;

  constructor({ probability, limitMs, confidence = 0.95, minRounds = 5 }: PercentileBudget) {
    const alpha = 1 - confidence;
    this.#limitMs = limitMs;
    this.#allowed = 1 - probability;
    this.#confidence = confidence;
    this.#minRounds = minRounds;
    this.#needed = leastRuns(probability, confidence);
    // Twice the fewest that could do: so few may all lie between two bursts, and then nothing hints at bursts.
    const first = 2 * leastRuns(probability, 1 - alpha / 2);
    this.#pass = new AlphaSpending(alpha, (look) => first * 2 ** (look - 1));
    this.#fail = new AlphaSpending(alpha, (look) => FIRST_FAIL_LOOK * 2 ** (look - 1));
  }

  /**
   * Judges all that was measured so far; `final`: there will be no more. A verdict stays as it was taken: whoever goes on
   * measuring for other reasons must not have it tested again.
   */
  judge(segments: readonly Segment[], final: boolean): BudgetJudgement {
    if (this.#decided !== undefined) return this.#decided;
    const judgement = this.#look(segments, final);
    if (judgement.verdict !== undefined) this.#decided = judgement;
    return judgement;
  }

  #look(segments: readonly Segment[], final: boolean): BudgetJudgement {
    let runs = 0;
    let over = 0;
    for (const segment of segments) {
      runs += segment.latencyMs.length + segment.failures;
      over += this.#over(segment);
    }
    const rounds = new Set(segments.map(({ round }) => round)).size;
    const allowed = this.#allowed;
    let passTail: number | undefined;
    let failTail: number | undefined;
    const streams = new Set(segments.map(({ stream }) => stream)).size;
    const planned = (effect: number): number => runs / Math.max(streams, effect);
    if (runs > 0 && rounds >= this.#minRounds && (final || this.#due(planned(0.8 * this.#effect)))) {
      this.#effect = designEffect(segments, this.#limitMs, this.#pass.due(runs, final) ?? this.#pass.next());
      passTail = this.#pass.due(planned(this.#effect), final);
      failTail = this.#fail.due(planned(this.#effect), final);
    }
    const seen = { runs: runs / this.#effect, over: over / this.#effect };
    let verdict: BenchVerdict | undefined;
    if (passTail !== undefined && binomialAtMost(seen.over, seen.runs, allowed) <= passTail * (1 + 1e-12)) {
      verdict = 'pass';
    } else if (failTail !== undefined && binomialAtLeast(seen.over, seen.runs, allowed) <= failTail * (1 + 1e-12)) {
      verdict = 'fail';
    } else if (final) verdict = 'inconclusive';
    if (passTail !== undefined) {
      this.#upper = clopperPearsonUpper(seen.over, seen.runs, passTail);
      this.#pass.spend(planned(this.#effect), final);
    }
    if (failTail !== undefined) {
      this.#lower = clopperPearsonLower(seen.over, seen.runs, failTail);
      this.#fail.spend(planned(this.#effect), final);
    }
    const judgement = {
      verdict,
      over,
      runs,
      effectiveRuns: Math.floor(seen.runs),
      upper: this.#upper,
      lower: this.#lower,
    };
    return { ...judgement, why: this.#why(judgement, rounds) };
  }

  #over(segment: Segment): number {
    const known = this.#counts.get(segment);
    if (known !== undefined) return known;
    let over = segment.failures;
    for (let i = 0; i < segment.latencyMs.length; i++) if ((segment.latencyMs[i] as number) > this.#limitMs) over++;
    this.#counts.set(segment, over);
    return over;
  }

  /** A guess by the design effect of the last time, which is costly to compute and may have become a little smaller. */
  #due(runs: number): boolean {
    return this.#pass.due(runs, false) !== undefined || this.#fail.due(runs, false) !== undefined;
  }

  #why({ verdict, over, runs, effectiveRuns, upper, lower }: Omit<BudgetJudgement, 'why'>, rounds: number): string {
    const seen = `${count(over)} of ${plural(runs, 'run')} over`;
    const allowed = `${percent(this.#allowed)} allowed`;
    const sure = `with ${percent(this.#confidence)} confidence`;
    if (verdict === 'pass') return `${seen}; at most ${percent(upper)} ${sure}, ${allowed}`;
    if (verdict === 'fail') return `${seen}; at least ${percent(lower)} ${sure}, ${allowed}`;
    if (runs < this.#needed) return `${seen}; needs ${plural(this.#needed, 'run')}`;
    if (rounds < this.#minRounds)
      return `${seen}; needs ${plural(this.#minRounds, 'process', 'processes')}, had ${rounds}`;
    const worth =
      effectiveRuns < 0.8 * runs
        ? `; they come in bursts and carry as much information as ${count(effectiveRuns)} independent ones`
        : '';
    return `${seen}: between ${percent(lower)} and ${percent(upper)} ${sure}, ${allowed}${worth}`;
  }
}
