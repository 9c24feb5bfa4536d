import type { ComparisonResult, MetricComparison } from '../evaluate/comparison.js';

export interface Findings {
  /** Held-out or made-up samples. */
  readonly comparison: ComparisonResult;
  /** Evaluation data. */
  readonly accuracy: ComparisonResult | undefined;
}

/** What counts as worth a warning. None of these fails a run: gates do that. */
export const JUDGEMENT = {
  /** Loss of a share-of-samples metric, from 0 to 1. */
  metricLoss: 0.01,
  /** Share of samples on which the two models name the same class. */
  top1Agreement: 0.97,
  /** Signal to noise of an output without classes, in dB. */
  sqnrDb: 20,
} as const;

/** What a user must hear about a result, in plain words; empty when all is well. */
export function judge({ comparison, accuracy }: Findings): string[] {
  const warnings: string[] = [];
  for (const { name, nonFinite } of comparison.outputs) {
    if (nonFinite.b > nonFinite.a) {
      warnings.push(
        `Output "${name}" of the result holds ${nonFinite.b} NaN or infinite values, the original's ${nonFinite.a}.`,
      );
    }
  }
  const metric = accuracy?.metrics?.[0] ?? comparison.metrics?.[0];
  const loss = metric && lossOf(metric);
  if (loss !== undefined) {
    if (loss) warnings.push(loss);
  } else warnings.push(...differences(comparison));
  return [...warnings, ...comparison.warnings, ...(accuracy?.warnings ?? [])];
}

/** The warning about a metric; '' when it holds, undefined when it is no share of samples. */
function lossOf({ metric, a, b, difference, higherIsBetter }: MetricComparison): string | undefined {
  if (!higherIsBetter || a.value > 1) return undefined;
  if (-difference <= JUDGEMENT.metricLoss) return '';
  const points = (-difference * 100).toFixed(1);
  return `The ${metric} falls by ${points} points, from ${a.value.toFixed(4)} to ${b.value.toFixed(4)}: leave layers in float with --exclude, or try --mode dynamic or fp16.`;
}

function differences(comparison: ComparisonResult): string[] {
  const warnings: string[] = [];
  for (const { name, top1Agreement, sqnrDb } of comparison.outputs) {
    const far = top1Agreement
      ? top1Agreement.value < JUDGEMENT.top1Agreement
      : (sqnrDb ?? Number.POSITIVE_INFINITY) < JUDGEMENT.sqnrDb;
    if (!far) continue;
    const measure = top1Agreement
      ? `same class on ${(top1Agreement.value * 100).toFixed(1)} % of samples`
      : `SQNR ${(sqnrDb ?? 0).toFixed(1)} dB`;
    warnings.push(
      `Output "${name}" is not close to the original (${measure}): measure the accuracy with --eval on labelled samples.`,
    );
  }
  return warnings;
}
