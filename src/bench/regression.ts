import { clusterInterval, clusterMean } from './cluster-interval.js';
import { concatenate } from './concatenate.js';
import { bootstrapMedians } from './hierarchical-bootstrap.js';
import { percent, plural } from './numbers-in-words.js';
import { type LogRatios, logRatios, type PairedRound, union } from './paired-rounds.js';
import { median, quantileOfSorted } from './quantiles.js';
import type { BenchVerdict, EstimateReport, RegressionReport } from './results.js';
import { hodgesLehmann, wilcoxonSignedRank } from './signed-rank.js';

export interface RegressionOptions {
  /** Smaller effects do not count: 0.03 is 3 %. */
  readonly minEffect?: number;
  readonly confidence?: number;
  readonly seed?: number;
  readonly resamples?: number;
  /** There will be no more rounds. */
  readonly final: boolean;
}

export interface RegressionJudgement {
  /** Undefined: go on measuring. */
  readonly verdict: BenchVerdict | undefined;
  /** Absent without a single pair. */
  readonly ratio?: EstimateReport;
  /** What the baseline differs by from itself here, at worst: 0.01 is 1 %. */
  readonly noise?: number;
  readonly rounds: RegressionReport['rounds'];
  /** Only with a verdict. */
  readonly hodgesLehmann?: number;
  readonly wilcoxonP?: number;
  readonly why: string;
}

export const REGRESSION_DEFAULTS = { minEffect: 0.03, confidence: 0.95, seed: 1, resamples: 2000 } as const;

/** Numbers of rounds at which there may be a verdict: to look after each one would find a difference sooner or later. */
export const REGRESSION_LOOKS = [5, 8, 12, 18, 27, 40, 60, 90, 135, 200] as const;
/** With fewer rounds than these there is no verdict even when there will be no more. */
export const REGRESSION_LEAST_ROUNDS = 3;

/**
 * Whether a candidate is slower than its baseline, of sessions that took turns. The effect is the median of the paired
 * ratios. Its interval is the wider of a bootstrap over rounds and blocks of pairs and Student's over the medians of
 * rounds: memory placement makes processes differ by more than a long run of one of them shows, and a bootstrap of few
 * rounds is too narrow. FAIL only when the interval excludes 1 and the effect is larger than `minEffect` and
 * than the noise: the far end of the interval of the baseline against itself, and the spread between rounds. PASS when
 * the interval ends below 1 + `minEffect`. Looks share the chance of error as in `AlphaSpending`. The outcome depends
 * on the rounds alone: whoever gets a verdict stops there, or keeps it.
 */
export function judgeRegression(allRounds: readonly PairedRound[], options: RegressionOptions): RegressionJudgement {
  const { minEffect, confidence, seed, resamples, final } = { ...REGRESSION_DEFAULTS, ...options };
  const rounds = allRounds.map(logRatios).filter(({ ratios }) => ratios.length > 0);
  const shown = rounds.map(({ ratios, self }) => ({
    ratio: Math.exp(median(ratios)),
    ...(self.length > 0 && { selfRatio: Math.exp(median(self)) }),
    pairs: ratios.length,
  }));
  if (rounds.length === 0) {
    return { verdict: final ? 'inconclusive' : undefined, rounds: shown, why: 'no pairs were timed' };
  }
  const sorted = concatenate(rounds.map(({ ratios }) => ratios)).sort();
  const effect = median(sorted);
  const medians = rounds.map(({ ratios }) => median(ratios));
  const tail = (1 - confidence) / 2;
  // Both sessions of a pair were made alike: where the control shows that sessions differ, they do so here as well.
  const control = clusterMean(rounds.filter(({ self }) => self.length > 0).map(({ self }) => median(self)));
  const error = control.degrees === medians.length - 1 && control.degrees > 0 ? control.standardError : 0;
  const between = clusterInterval(medians, tail, error);
  const noise = noiseOf(rounds, between, tail);
  const spent = tailOfLook(rounds.length, tail, final);
  let interval = union(effect, between.low, between.high);
  const judged = { verdict: final ? ('inconclusive' as const) : undefined, noise, rounds: shown };

  const enough = rounds.length >= REGRESSION_LEAST_ROUNDS;
  const look = spent === undefined || !enough ? undefined : clusterInterval(medians, spent, error);
  const limit = Math.log1p(minEffect);
  // The bootstrap can only widen the interval: it is not needed where Student's leaves no verdict.
  const mayFail = (look?.low ?? -1) > 0 && effect > limit && Math.expm1(effect) > noise;
  // Three or four processes may all have been placed in memory alike: then the baseline against itself must be calm, too.
  const calm = rounds.length >= REGRESSION_LOOKS[0] || noise < minEffect;
  const mayPass = (look?.high ?? limit) < limit && calm;
  if (final || mayFail || mayPass) {
    const resampled = bootstrapMedians(
      rounds.map(({ ratios }) => ratios),
      resamples,
      seed,
    );
    interval = union(
      effect,
      between.low,
      between.high,
      quantileOfSorted(resampled, tail),
      quantileOfSorted(resampled, 1 - tail),
    );
  }
  const verdict = mayFail && interval.low > 0 ? 'fail' : mayPass && interval.high < limit ? 'pass' : judged.verdict;
  const ratio = { value: Math.exp(effect), low: Math.exp(interval.low), high: Math.exp(interval.high) };
  const why = reason({ verdict, ratio, noise, minEffect, confidence, rounds: rounds.length });
  if (verdict === undefined) return { ...judged, ratio, why };
  return {
    ...judged,
    verdict,
    ratio,
    hodgesLehmann: Math.exp(hodgesLehmann(sorted)),
    wilcoxonP: wilcoxonSignedRank(sorted),
    why,
  };
}

function noiseOf(rounds: readonly LogRatios[], between: EstimateReport, tail: number): number {
  const own = clusterInterval(
    rounds.filter(({ self }) => self.length > 0).map(({ self }) => median(self)),
    tail,
  );
  const worst = Math.max(
    0,
    ...[own.value, own.low, own.high, (between.high ?? 0) - (between.high === undefined ? 0 : between.value)]
      .filter((end) => end !== undefined && Number.isFinite(end))
      .map((end) => Math.abs(end as number)),
  );
  return Math.expm1(worst);
}

/** The chance of error that a look at so many rounds has; none where no look is due. */
function tailOfLook(rounds: number, tail: number, final: boolean): number | undefined {
  const passed = REGRESSION_LOOKS.filter((look) => look <= rounds).length;
  const isPlanned = REGRESSION_LOOKS.some((look) => look === rounds);
  const spentAfter = (looks: number): number => tail * (1 - 1 / (looks + 1));
  if (final) return tail - spentAfter(isPlanned ? passed - 1 : passed);
  return isPlanned ? spentAfter(passed) - spentAfter(passed - 1) : undefined;
}

interface Reasons {
  readonly verdict: BenchVerdict | undefined;
  readonly ratio: { readonly value: number; readonly low: number; readonly high: number };
  readonly noise: number;
  readonly minEffect: number;
  readonly confidence: number;
  readonly rounds: number;
}

function reason({ verdict, ratio, noise, minEffect, confidence, rounds }: Reasons): string {
  const seen = `${change(ratio.value)} (${percent(confidence)}: ${change(ratio.low)} to ${change(ratio.high)})`;
  if (verdict === 'fail') return `${seen}; noise is ${percent(noise)}`;
  if (verdict === 'pass') return `${seen}; at most ${percent(minEffect)} slower is allowed`;
  if (rounds < REGRESSION_LEAST_ROUNDS) {
    return `${seen}; needs ${plural(REGRESSION_LEAST_ROUNDS, 'process', 'processes')}, had ${rounds}`;
  }
  const effect = ratio.value - 1;
  if (noise >= Math.max(effect, minEffect)) {
    return `${seen}; this machine's own noise of ${percent(noise)} hides ${effect > minEffect ? 'it' : `effects of ${percent(minEffect)}`}`;
  }
  return `${seen}; more rounds are needed to decide`;
}

/** `3.1 % slower`, `0.4 % faster`. */
export function change(ratio: number): string {
  return ratio >= 1 ? `${percent(ratio - 1)} slower` : `${percent(1 - ratio)} faster`;
}
