import type { ComparisonResult, MetricComparison } from './comparison.js';

/** What a result must keep of the original. */
export interface ComparisonGates {
  /** Most that the metric may get worse: points of a share (0.01 is one), a share of an error. */
  readonly maxLoss?: number;
  /** Least SQNR of every float output, in dB. */
  readonly minSqnr?: number;
}

/** A gate and what was found. */
export interface GateFinding {
  readonly gate: 'max-loss' | 'min-sqnr';
  readonly limit: number;
  /** What was measured; absent where nothing could be. */
  readonly measured?: number;
  readonly verdict: 'pass' | 'fail';
  /** One clause: `top-1 accuracy falls by 2.3 points, from 0.8810 to 0.8580`. */
  readonly why: string;
}

/**
 * Holds a comparison against gates. What cannot be compared, as where one side is NaN alone, keeps none.
 * @param accuracy the comparison on labelled samples, where that is another one
 */
export function judgeGates(
  { maxLoss, minSqnr }: ComparisonGates,
  comparison: ComparisonResult,
  accuracy: ComparisonResult = comparison,
): readonly GateFinding[] {
  const broken = [comparison, accuracy].flatMap(({ outputs }) => outputs).find(isBroken);
  const why = broken && whyBroken(broken);
  return [
    ...(maxLoss === undefined
      ? []
      : [why === undefined ? lossGate(maxLoss, accuracy) : lost('max-loss', maxLoss, why)]),
    ...(minSqnr === undefined
      ? []
      : [why === undefined ? sqnrGate(minSqnr, comparison) : lost('min-sqnr', minSqnr, why)]),
  ];
}

type Output = ComparisonResult['outputs'][number];

/** Whether an output cannot be compared, or lost numbers to NaN and infinity. */
export function isBroken({ incomparable, nonFinite }: Output): boolean {
  return incomparable !== undefined || nonFinite.lost > 0;
}

/** One clause on it. */
export function whyBroken({ name, incomparable, nonFinite }: Output): string {
  if (incomparable !== undefined) return `output "${name}" cannot be compared: ${incomparable}`;
  const values = nonFinite.lost === 1 ? 'value is' : 'values are';
  return `output "${name}" cannot be compared as a whole: ${nonFinite.lost} ${values} NaN or infinite where A has numbers`;
}

function lost(gate: GateFinding['gate'], limit: number, why: string): GateFinding {
  return { gate, limit, verdict: 'fail', why };
}

function lossGate(limit: number, { metrics = [], metricsSkipped }: ComparisonResult): GateFinding {
  const [metric] = metrics;
  if (!metric) return lost('max-loss', limit, metricsSkipped ?? 'there are no labels to score');
  const measured = lossOf(metric);
  const verdict = measured <= limit ? 'pass' : 'fail';
  const { a, b } = metric;
  const change = `from ${a.value.toFixed(4)} to ${b.value.toFixed(4)}`;
  if (Number.isNaN(measured)) return lost('max-loss', limit, `${metric.metric} cannot be computed, ${change}`);
  return { gate: 'max-loss', limit, measured, verdict, why: `${metric.metric} goes ${change}` };
}

/** How much worse B is: points of a share, a share of an error; negative where it is better. */
function lossOf({ higherIsBetter, a, b, difference }: MetricComparison): number {
  if (higherIsBetter) return a.value - b.value;
  if (a.value === 0) return b.value === 0 ? 0 : Number.POSITIVE_INFINITY;
  return difference / a.value;
}

function sqnrGate(limit: number, { outputs }: ComparisonResult): GateFinding {
  const [worst] = outputs
    .flatMap(({ name, sqnrDb }) => (sqnrDb === undefined ? [] : [{ name, sqnrDb }]))
    .sort((a, b) => a.sqnrDb - b.sqnrDb);
  if (!worst) return lost('min-sqnr', limit, 'no output is of floats');
  const measured = worst.sqnrDb;
  const verdict = measured >= limit ? 'pass' : 'fail';
  const size = Number.isFinite(measured) ? `${measured.toFixed(1)} dB` : 'equal';
  return { gate: 'min-sqnr', limit, measured, verdict, why: `output "${worst.name}" has ${size}` };
}
