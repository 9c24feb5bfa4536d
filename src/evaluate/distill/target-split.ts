/**
 * The divergence split into that of the class that is right against all others, and that among the others. Source: B. Zhao
 * et al., "Decoupled Knowledge Distillation", CVPR 2022: KL = target + (1 - p(label)) · others.
 */
import type { SoftmaxRows } from '../../tensor/softmax-rows.js';

/** Below this share of the others, what is left of the total when the target is taken away is mostly rounding. */
const LEAST_SHARE = 1e-6;

/** @param forward Σ p₀·d of all classes @returns undefined where too little is left beside the target */
export function targetSplit(
  { scores, exponentials }: SoftmaxRows,
  totals: readonly [number, number],
  maxima: readonly [number, number],
  scale: number,
  label: number,
  forward: number,
): readonly [target: number, others: number] | undefined {
  const [eT, eS] = [exponentials[0][label] as number, exponentials[1][label] as number];
  const [restT, restS] = [totals[0] - eT, totals[1] - eS];
  if (restT < LEAST_SHARE * totals[0] || restS < LEAST_SHARE * totals[1] || eT === 0 || eS === 0) return undefined;
  const d = (scores[0][label] as number) - maxima[0] - ((scores[1][label] as number) - maxima[1]);
  const [pT, qT] = [eT / totals[0], restT / totals[0]];
  const logTotals = Math.log(totals[0]) - Math.log(totals[1]);
  const logRests = Math.log(restT) - Math.log(restS);
  const target = pT * (scale * d - logTotals) + qT * (logRests - logTotals);
  const others = (scale * (forward - pT * d)) / qT - logRests;
  return [Math.max(0, target), Math.max(0, others)];
}

/** The same from logarithms, for rows where the others, or the target, have next to no probability. */
export function exactTargetSplit(
  { scores }: SoftmaxRows,
  label: number,
  scale: number,
  masks: readonly [Uint8Array, Uint8Array] | undefined,
): readonly [target: number, others: number] {
  const [t, s] = scores.map((row, side) => logShares(row, label, scale, masks?.[side as 0 | 1])) as [
    LogShares,
    LogShares,
  ];
  const term = (logP: number, logQ: number): number => {
    const p = Math.exp(logP);
    return p === 0 ? 0 : p * (logP - logQ);
  };
  const target = term(t.target, s.target) + term(t.rest, s.rest);
  let others = 0;
  for (let i = 0; i < scores[0].length; i++) {
    if (i === label || masks?.[0][i]) continue;
    const logP = scale * (scores[0][i] as number) - t.restTotal;
    const logQ = masks?.[1][i] ? Number.NEGATIVE_INFINITY : scale * (scores[1][i] as number) - s.restTotal;
    others += term(logP, logQ);
  }
  return [Math.max(0, target), Number.isNaN(others) ? 0 : Math.max(0, others)];
}

interface LogShares {
  readonly target: number;
  readonly rest: number;
  /** ln Σ exp over the others. */
  readonly restTotal: number;
}

function logShares(row: Float64Array, label: number, scale: number, mask: Uint8Array | undefined): LogShares {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < row.length; i++) if (i !== label && !mask?.[i]) max = Math.max(max, (row[i] as number) * scale);
  let sum = 0;
  for (let i = 0; i < row.length; i++) if (i !== label && !mask?.[i]) sum += Math.exp((row[i] as number) * scale - max);
  // Without others, all is the target.
  const restTotal = sum === 0 ? Number.NEGATIVE_INFINITY : max + Math.log(sum);
  const own = mask?.[label] ? Number.NEGATIVE_INFINITY : (row[label] as number) * scale;
  const larger = Math.max(own, restTotal);
  const total = larger + Math.log(Math.exp(own - larger) + Math.exp(restTotal - larger));
  return { target: own - total, rest: restTotal - total, restTotal };
}
