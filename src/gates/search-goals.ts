import type { ComparisonResult } from '../evaluate/comparison.js';
import { METRICS } from './metrics.js';
import type { Budget } from './parse-budget.js';

/** What a search for a model aims at. */
export interface SearchGoals {
  /** Most that the metric may fall, as a share: 0.005 is half a point of an accuracy. Without labels, of predictions or of the signal. */
  readonly maxDrop?: number;
  /** Largest file, in bytes. */
  readonly maxSize?: number;
  /** Least speed-up over the original. */
  readonly minSpeedup?: number;
}

/** What `maxDrop` means: on labels, on class scores, or on other outputs. */
export type DropMeasure = 'drop' | 'agreement' | 'sqnr';

/** The measure that there is: the metric where samples are labelled, else agreement, else SQNR. */
export function dropMeasure({ comparison, accuracy }: GoalEvidence): DropMeasure {
  if (accuracy) return 'drop';
  return comparison?.outputs.some(({ top1Agreement, random }) => top1Agreement && !random) ? 'agreement' : 'sqnr';
}

/** Outputs of both models, and the same on labelled samples where there are such. */
export interface GoalEvidence {
  readonly comparison?: ComparisonResult | undefined;
  readonly accuracy?: ComparisonResult | undefined;
}

/**
 * The budgets that goals imply. A drop of 0.5 % is half a point of the metric; without labels, 99.5 % of the predictions that stay the
 * same; without class scores, noise of 0.5 % of the power of the signal (23 dB).
 */
export function goalBudgets({ maxDrop, maxSize, minSpeedup }: SearchGoals, evidence: GoalEvidence): Budget[] {
  return [
    ...(maxDrop === undefined ? [] : [dropBudget(maxDrop, dropMeasure(evidence))]),
    ...(maxSize === undefined ? [] : [budget('size', `${maxSize}B`, maxSize)]),
    ...(minSpeedup === undefined ? [] : [budget('speed-up', `${minSpeedup}x`, minSpeedup)]),
  ];
}

function dropBudget(maxDrop: number, measure: DropMeasure): Budget {
  if (measure === 'drop') return budget('drop', percent(maxDrop), maxDrop);
  if (measure === 'agreement') {
    const share = Number((1 - maxDrop).toPrecision(12));
    return budget('agreement', percent(share), share);
  }
  const limit = maxDrop === 0 ? Number.POSITIVE_INFINITY : -10 * Math.log10(maxDrop);
  return budget('sqnr', `${limit.toFixed(1)}dB`, limit);
}

function budget(metric: 'drop' | 'agreement' | 'sqnr' | 'size' | 'speed-up', text: string, limit: number): Budget {
  const { unit, wants, test } = METRICS[metric];
  return { metric, text, limit, unit, wants, test };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(12))}%`;
}
