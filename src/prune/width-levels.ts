import { lowest, type ScoredGroup } from './allocate.js';

/** A width that a group may be cut to. */
export interface WidthLevel {
  readonly removed: number;
  /** What it costs in accuracy, in any unit that adds up over groups; 0 where nothing is removed. */
  readonly loss: number;
}

/** Widths of a group that are looked at. */
const MOST_LEVELS = 12;
/** At least this share of a group stays: no layer becomes a bottleneck. */
const SMALLEST_SHARE = 0.1;

/**
 * Numbers of units that may be removed from a group, ascending from 0: what is left is a multiple of the group's alignment where
 * it is large enough. At most `MOST_LEVELS`, spread evenly.
 */
export function widthLevels({ group, align }: ScoredGroup): number[] {
  const size = group.units.length;
  const step = align > 1 && size >= 2 * align ? align : 1;
  const least = Math.max(1, Math.ceil(size * SMALLEST_SHARE));
  const levels: number[] = [];
  for (let kept = Math.ceil(size / step) * step - step; kept >= least; kept -= step) levels.push(size - kept);
  const stride = levels.length / (MOST_LEVELS - 1);
  const chosen =
    stride <= 1
      ? levels
      : Array.from({ length: MOST_LEVELS - 1 }, (_, at) => levels[Math.floor((at + 1) * stride) - 1] as number);
  return [0, ...new Set(chosen)];
}

/** The share of a group's score that goes with its lowest units. @param squares the scores are norms, whose squares add up */
export function scoreLosses({ scores }: ScoredGroup, levels: readonly number[], squares: boolean): WidthLevel[] {
  const weight = (score: number): number => (squares ? score * score : score);
  const order = lowest(scores).map((unit) => weight(scores[unit] as number));
  const total = order.reduce((sum, each) => sum + each, 0) || 1;
  let at = 0;
  let sum = 0;
  return levels.map((removed) => {
    for (; at < removed; at++) sum += order[at] ?? 0;
    return { removed, loss: sum / total };
  });
}

/** A loss that was measured at some numbers of removed units. */
export interface MeasuredLoss {
  readonly removed: number;
  readonly loss: number;
}

/**
 * Losses by scores, scaled so that they are what was measured: the slope is the mean of measured loss over loss by scores. Measured losses
 * themselves would not do, since an output that has nothing to do with the original any more cannot become worse, and the last
 * units would be free. Towards the whole group a loss grows without bound: fewer units can make up for less.
 */
export function scaledLosses(
  size: number,
  byScores: readonly WidthLevel[],
  measured: readonly MeasuredLoss[],
): WidthLevel[] {
  const slopes = measured.flatMap(({ removed, loss }) => {
    const own = byScores.find((level) => level.removed === removed)?.loss ?? 0;
    return own > 0 && Number.isFinite(loss) ? [loss / own] : [];
  });
  const slope = slopes.length === 0 ? 1 : slopes.reduce((sum, each) => sum + each, 0) / slopes.length;
  return byScores.map(({ removed, loss }) => ({ removed, loss: (slope * loss * size) / (size - removed) }));
}
