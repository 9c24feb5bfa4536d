import { ServeOptError } from '../../../errors.js';
import type { Model } from '../../../ir/model.js';
import { formatDuration } from '../../../report/format.js';
import type { PruneAttemptReport } from '../../../report/prune-types.js';
import type { LatencyTarget } from '../../options.js';
import type { Stages } from '../../stages.js';

/** A time of a candidate beside the original. */
export interface PairedTime {
  /** Candidate over original. */
  readonly ratio: number;
  readonly originalMs: number;
}

/** What a search for a latency looks at. */
export interface LatencySearched<Choice> {
  /** Most of it that may go: 1, or a number of blocks. */
  readonly most: number;
  /** The smallest difference between two amounts that is one: 1 for blocks. */
  readonly grain: number;
  readonly choose: (amount: number) => Choice;
  /** What a choice is reported as. */
  readonly amountOf: (choice: Choice) => number;
  readonly build: (choice: Choice) => Promise<Model>;
  readonly time: (model: Model) => Promise<PairedTime>;
  /** How far cutting can go, for the message where that is not enough. */
  readonly limit: string;
}

export interface FoundLatency<Choice> {
  readonly choice: Choice;
  readonly targetSpeedUp: number;
  readonly attempts: readonly PruneAttemptReport[];
}

/** Attempts, of which each is a cut and a paired measurement. */
const MOST_ATTEMPTS = 9;
/** A ratio this close to the target is not made better: measurements differ by as much. */
const CLOSE = 0.03;
/** The result has to be within this of the target. */
const TOLERANCE = 0.1;

interface Point {
  readonly amount: number;
  readonly ratio: number;
}

/**
 * Finds the amount at which a model is as fast as wanted: times a candidate beside the original, corrects the amount by straight
 * lines between what was measured, and so on.
 * @throws SO7005 where the target cannot be reached within a tenth, SO3101 where the original is as fast already
 */
export async function searchLatency<Choice>(
  searched: LatencySearched<Choice>,
  target: LatencyTarget,
  stages: Stages,
): Promise<FoundLatency<Choice>> {
  const { most, grain, choose, amountOf, build, time, limit } = searched;
  stages.start('reach the latency', MOST_ATTEMPTS);
  const first = await time(await build(choose(0)));
  const wanted = 'ms' in target ? target.ms / first.originalMs : 1 / target.speedUp;
  if (wanted >= 1) throw asFast(target, first.originalMs);
  const targetSpeedUp = 1 / wanted;
  const attempts: (PruneAttemptReport & { readonly choice: Choice })[] = [];
  let slow: Point = { amount: 0, ratio: Math.max(first.ratio, wanted * 1.001) };
  let fast: Point | undefined;
  let amount = round(most * Math.min(0.9, 1 - wanted), grain, most);
  const tried = new Set<number>();
  for (let attempt = 1; attempt <= MOST_ATTEMPTS && !tried.has(amount); attempt++) {
    tried.add(amount);
    const choice = choose(amount);
    const { ratio } = await time(await build(choice));
    attempts.push({ amount: amountOf(choice), speedUp: 1 / ratio, choice });
    stages.advance(attempt, MOST_ATTEMPTS);
    if (Math.abs(ratio / wanted - 1) <= CLOSE) break;
    if (ratio > wanted) slow = { amount, ratio };
    else fast = { amount, ratio };
    if (fast === undefined && amount >= most) break;
    amount = round(nextAmount(slow, fast, wanted, most), grain, most);
  }
  // Among what is within the tolerance, a little too fast is no worse than a little too slow.
  const best = attempts.reduce((a, b) => (missOf(b, targetSpeedUp) < missOf(a, targetSpeedUp) ? b : a));
  const reached = best.speedUp ?? 0;
  if (missOf(best, targetSpeedUp) > TOLERANCE) throw notReached(targetSpeedUp, attempts, limit, first.originalMs);
  stages.end(`${reached.toFixed(2)}x after ${attempts.length} attempts`);
  return {
    choice: best.choice,
    targetSpeedUp,
    attempts: attempts.map(({ amount: of, speedUp = 0 }) => ({ amount: of, speedUp })),
  };
}

function missOf({ speedUp = 0 }: PruneAttemptReport, target: number): number {
  return Math.abs(speedUp / target - 1);
}

function nextAmount(slow: Point, fast: Point | undefined, wanted: number, most: number): number {
  if (fast === undefined) {
    // Straight on from the whole model, and at least half of what is left.
    const slope = slow.amount > 0 ? (1 - slow.ratio) / slow.amount : 0;
    const straight = slope > 0 ? (1 - wanted) / slope : most;
    return Math.min(most, Math.max(straight, slow.amount + (most - slow.amount) / 3));
  }
  const share = (slow.ratio - wanted) / (slow.ratio - fast.ratio);
  // Never so close to an end that nothing is learnt.
  return slow.amount + (fast.amount - slow.amount) * Math.min(0.9, Math.max(0.1, share));
}

function round(amount: number, grain: number, most: number): number {
  return Math.min(most, Math.max(grain, Math.round(amount / grain) * grain));
}

function asFast(target: LatencyTarget, originalMs: number): ServeOptError {
  const wanted = 'ms' in target ? formatDuration(target.ms) : `${target.speedUp}x`;
  return new ServeOptError('SO3101', 'The model is as fast as wanted already', {
    why: `it takes ${formatDuration(originalMs)} here, ${wanted} were asked for`,
    hint: 'give a smaller --target-latency',
  });
}

function notReached(
  target: number,
  attempts: readonly PruneAttemptReport[],
  limit: string,
  originalMs: number,
): ServeOptError {
  const speedUps = attempts.map(({ speedUp = 0 }) => speedUp);
  const most = Math.max(...speedUps);
  const x = (value: number): string => `${value.toFixed(2)}x`;
  const why =
    most < target
      ? `${limit}, it is ${x(most)} as fast as the original (${formatDuration(originalMs)})`
      : `widths go in steps here: ${speedUps
          .sort((a, b) => a - b)
          .map(x)
          .join(', ')} were measured`;
  return new ServeOptError('SO7005', `The result is not written: ${x(target)} cannot be reached within 10 %`, {
    why,
    hint:
      most < target
        ? `write --target-latency ${(Math.floor(most * 20) / 20).toFixed(2)}x, or add --method layers`
        : 'give another --target-latency, or a smaller --align',
  });
}
