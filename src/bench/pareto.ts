import { percent } from './numbers-in-words.js';

/** A setting of a sweep and what it reaches. Ranges are intervals of confidence; without them the figures are exact. */
export interface SweepPoint {
  readonly latencyMs: number;
  readonly latencyRange?: readonly [number, number];
  /** Samples a second. */
  readonly throughput: number;
  readonly throughputRange?: readonly [number, number];
  readonly memoryBytes?: number;
  readonly threads?: number;
}

/**
 * Which points nothing else beats: no other point is at least as good in latency, throughput and memory and better in one
 * of them. Memory counts only where all points know it.
 */
export function paretoFront(points: readonly SweepPoint[]): boolean[] {
  const costs = points.map(({ latencyMs, throughput, memoryBytes }) => [latencyMs, -throughput, memoryBytes ?? 0]);
  if (points.some(({ memoryBytes }) => memoryBytes === undefined)) for (const cost of costs) cost[2] = 0;
  return nonDominated(costs);
}

/** Which points nothing else beats: no other is at most as much in every cost and less in one. Costs are of equal number. */
export function nonDominated(costs: readonly (readonly number[])[]): boolean[] {
  return costs.map((mine) => !costs.some((other) => dominates(other, mine)));
}

function dominates(a: readonly number[], b: readonly number[]): boolean {
  return a.every((cost, i) => cost <= (b[i] as number)) && a.some((cost, i) => cost < (b[i] as number));
}

/** What a setting is to be best at: throughput, or latency where requests come one at a time. */
export type Objective = 'throughput' | 'latency';

export interface Suggestion {
  readonly index: number;
  /** One clause. */
  readonly why: string;
}

/** A difference within the noise counts as none, but not one so large that only the noise hides it. */
const MOST_WITHIN_NOISE = 0.25;
/** Peaks of the same model differ by this much from process to process. */
const MEMORY_NOISE_BYTES = 4_000_000;

/**
 * The setting to take: of those as good as the best in throughput, or latency, the cheapest: fewest threads, then least memory,
 * then the other of latency and throughput. As good is what lies within a share (5 %) of the best, or within 25 % where the
 * intervals of both overlap. Nothing for no points.
 */
export function suggest(
  points: readonly SweepPoint[],
  objective: Objective = 'throughput',
  withinShare = 0.05,
): Suggestion | undefined {
  const usable = points.filter((point) => Number.isFinite(costOf(point, objective)));
  const [first, ...rest] = usable;
  if (first === undefined) return undefined;
  const better = (a: SweepPoint, b: SweepPoint, by: Objective): SweepPoint => (costOf(b, by) < costOf(a, by) ? b : a);
  const best = rest.reduce((a, b) => better(a, b, objective), first);
  const alike = usable.filter(
    (point) =>
      isWithin(point, best, objective, withinShare) ||
      (isWithin(point, best, objective, MOST_WITHIN_NOISE) && overlap(point, best, objective)),
  );
  let near = least(alike, ({ threads = 0 }) => threads, 0, 0);
  if (near.every(({ memoryBytes }) => memoryBytes !== undefined)) {
    near = least(near, ({ memoryBytes = 0 }) => memoryBytes, withinShare, MEMORY_NOISE_BYTES);
  }
  const other = objective === 'latency' ? 'throughput' : 'latency';
  const chosen = near.reduce((a, b) => better(a, b, other));
  return { index: points.indexOf(chosen), why: reason(chosen, best, objective, withinShare, alike.length > 1) };
}

/** Lower is better for both. */
function costOf({ latencyMs, throughput }: SweepPoint, objective: Objective): number {
  return objective === 'latency' ? latencyMs : 1 / Math.max(throughput, Number.MIN_VALUE);
}

/** Within 5 % of the best throughput is 1 / 0.95 of its cost. */
function isWithin(point: SweepPoint, best: SweepPoint, objective: Objective, share: number): boolean {
  const limit = costOf(best, objective) * (objective === 'latency' ? 1 + share : 1 / (1 - share));
  return costOf(point, objective) <= limit * (1 + 1e-12);
}

/** Whether the intervals of two settings have anything in common, so that either may be the better one. */
function overlap(a: SweepPoint, b: SweepPoint, objective: Objective): boolean {
  const range = ({ latencyMs, latencyRange, throughput, throughputRange }: SweepPoint): readonly [number, number] =>
    objective === 'latency' ? (latencyRange ?? [latencyMs, latencyMs]) : (throughputRange ?? [throughput, throughput]);
  const [[lowA, highA], [lowB, highB]] = [range(a), range(b)];
  return lowA <= highB && lowB <= highA;
}

/** Those with the least cost, or within a share of it or a distance from it. */
function least(
  points: readonly SweepPoint[],
  cost: (point: SweepPoint) => number,
  share: number,
  distance: number,
): readonly SweepPoint[] {
  const lowest = Math.min(...points.map(cost));
  const limit = Math.max(lowest * (1 + share), lowest + distance);
  return points.filter((point) => cost(point) <= limit);
}

function reason(
  point: SweepPoint,
  best: SweepPoint,
  objective: Objective,
  withinShare: number,
  hasRivals: boolean,
): string {
  const what = objective === 'latency' ? 'lowest latency' : 'highest throughput';
  if (point === best) return hasRivals ? `${what}, by no clear margin` : what;
  const ratio = objective === 'latency' ? point.latencyMs / best.latencyMs - 1 : 1 - point.throughput / best.throughput;
  const near =
    ratio < 0.0005
      ? `as good as the ${what}`
      : ratio > withinShare
        ? `no clear difference from the ${what}`
        : `within ${percent(ratio)} of the ${what}`;
  const gains = gainsOf(point, best, objective);
  return gains.length === 0 ? near : `${near} with ${gains.join(', ')}`;
}

/** What is clearly better than at the best. */
function gainsOf(point: SweepPoint, best: SweepPoint, objective: Objective): readonly string[] {
  const gains: string[] = [];
  if (point.threads !== undefined && best.threads !== undefined && point.threads < best.threads) {
    gains.push(`${best.threads - point.threads} fewer thread${best.threads - point.threads === 1 ? '' : 's'}`);
  }
  if (
    point.memoryBytes !== undefined &&
    best.memoryBytes !== undefined &&
    point.memoryBytes < Math.min(best.memoryBytes * 0.95, best.memoryBytes - MEMORY_NOISE_BYTES)
  ) {
    gains.push(`${percent(1 - point.memoryBytes / best.memoryBytes)} less memory`);
  }
  const isClear = !overlap(point, best, objective === 'latency' ? 'throughput' : 'latency');
  if (objective === 'throughput' && isClear && point.latencyMs < best.latencyMs * 0.99) {
    gains.push(`${percent(1 - point.latencyMs / best.latencyMs)} lower latency`);
  }
  if (objective === 'latency' && isClear && point.throughput > best.throughput * 1.01) {
    gains.push(`${percent(point.throughput / best.throughput - 1)} more throughput`);
  }
  return gains;
}
