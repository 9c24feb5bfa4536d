import { percent } from './numbers-in-words.js';

/** A setting of a sweep and what it reaches. */
export interface SweepPoint {
  readonly latencyMs: number;
  /** Samples a second. */
  readonly throughput: number;
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

/**
 * The setting to take: of those within a share (5 %) of the best throughput, or latency, the cheapest: fewest threads,
 * then least memory (differences below that share do not count), then the other of latency and throughput. Nothing
 * for no points.
 */
export function suggest(
  points: readonly SweepPoint[],
  objective: Objective = 'throughput',
  withinShare = 0.05,
): Suggestion | undefined {
  // Lower is better for both.
  const cost = ({ latencyMs, throughput }: SweepPoint): number =>
    objective === 'latency' ? latencyMs : 1 / Math.max(throughput, Number.MIN_VALUE);
  const usable = [...points.keys()].filter((i) => Number.isFinite(cost(points[i] as SweepPoint)));
  if (usable.length === 0) return undefined;
  const of = (i: number): SweepPoint => points[i] as SweepPoint;
  const best = usable.reduce((a, b) => (cost(of(b)) < cost(of(a)) ? b : a));
  // Within 5 % of the best throughput is 1 / 0.95 of its cost.
  const limit = objective === 'latency' ? cost(of(best)) * (1 + withinShare) : cost(of(best)) / (1 - withinShare);
  let near = usable.filter((i) => cost(of(i)) <= limit * (1 + 1e-12));
  near = least(near, (i) => of(i).threads ?? 0, 0);
  if (near.every((i) => of(i).memoryBytes !== undefined))
    near = least(near, (i) => of(i).memoryBytes ?? 0, withinShare);
  const other = ({ latencyMs, throughput }: SweepPoint): number => (objective === 'latency' ? -throughput : latencyMs);
  const index = near.reduce((a, b) => (other(of(b)) < other(of(a)) ? b : a));
  return { index, why: reason(of(index), of(best), objective) };
}

/** Those with the least cost, or within a share of it. */
function least(indices: readonly number[], cost: (index: number) => number, share: number): number[] {
  const limit = Math.min(...indices.map(cost)) * (1 + share);
  return indices.filter((index) => cost(index) <= limit);
}

function reason(point: SweepPoint, best: SweepPoint, objective: Objective): string {
  const what = objective === 'latency' ? 'lowest latency' : 'highest throughput';
  if (point === best) return what;
  const ratio = objective === 'latency' ? point.latencyMs / best.latencyMs - 1 : 1 - point.throughput / best.throughput;
  const near = ratio < 0.0005 ? `as good as the ${what}` : `within ${percent(ratio)} of the ${what}`;
  const gains = [];
  if (point.threads !== undefined && best.threads !== undefined && point.threads < best.threads) {
    gains.push(`${best.threads - point.threads} fewer thread${best.threads - point.threads === 1 ? '' : 's'}`);
  }
  if (
    point.memoryBytes !== undefined &&
    best.memoryBytes !== undefined &&
    point.memoryBytes < best.memoryBytes * 0.99
  ) {
    gains.push(`${percent(1 - point.memoryBytes / best.memoryBytes)} less memory`);
  }
  if (objective === 'throughput' && point.latencyMs < best.latencyMs * 0.99) {
    gains.push(`${percent(1 - point.latencyMs / best.latencyMs)} lower latency`);
  }
  if (objective === 'latency' && point.throughput > best.throughput * 1.01) {
    gains.push(`${percent(point.throughput / best.throughput - 1)} more throughput`);
  }
  return gains.length === 0 ? near : `${near} with ${gains.join(', ')}`;
}
