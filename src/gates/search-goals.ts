import type { ComparisonResult, OutputDifference } from '../evaluate/comparison.js';
import { keptPredictions } from '../evaluate/kept-predictions.js';
import { METRICS } from './metrics.js';
import type { Budget } from './parse-budget.js';

/** What a search for a model aims at. */
export interface SearchGoals {
  /** Most that the metric may fall, as a share: 0.005 is half a point of an accuracy. Without labels, of predictions or of the power of the signal. */
  readonly maxDrop?: number;
  /** Largest file, in bytes. */
  readonly maxSize?: number;
  /** Least speed-up over the original. */
  readonly minSpeedup?: number;
}

/** Outputs of both models, and the same on labelled samples where there are such. */
export interface GoalEvidence {
  readonly comparison?: ComparisonResult | undefined;
  readonly accuracy?: ComparisonResult | undefined;
}

/**
 * The budgets that goals imply. A drop of 0.5 % is half a point of the metric. Without labels each output is held to the measure that it is
 * judged by: 99.5 % of the predictions that stay the same (classes, decisions, tokens), or noise of 0.5 % of the power of the signal (23 dB)
 * for values. Integers and texts count where the model gives nothing else.
 */
export function goalBudgets({ maxDrop, maxSize, minSpeedup }: SearchGoals, evidence: GoalEvidence): Budget[] {
  return [
    ...(maxDrop === undefined ? [] : dropBudgets(maxDrop, evidence)),
    ...(maxSize === undefined ? [] : [budget('size', `${maxSize}B`, maxSize)]),
    ...(minSpeedup === undefined ? [] : [budget('speed-up', `${minSpeedup}x`, minSpeedup)]),
  ];
}

function dropBudgets(maxDrop: number, { comparison, accuracy }: GoalEvidence): Budget[] {
  if (accuracy) return [budget('drop', percent(maxDrop), maxDrop)];
  const judged = comparison?.outputs.filter(({ random }) => !random) ?? [];
  const answers = judged.filter(({ measure }) => measure?.kind === 'answers');
  const predicting = judged.filter((output) => !answers.includes(output) && keptPredictions(output));
  const values = judged.filter((output) => output.sqnrDb !== undefined && !predicting.includes(output));
  const share = Number((1 - maxDrop).toPrecision(12));
  const limitDb = maxDrop === 0 ? Number.POSITIVE_INFINITY : -10 * Math.log10(maxDrop);
  const agreement = budget('agreement', percent(share), share);
  const noise = budget('sqnr', `${limitDb.toFixed(1)}dB`, limitDb);
  const found = [...about(predicting, agreement), ...about(values, noise)];
  if (found.length > 0) return found;
  // Where nothing was compared, this budget says why.
  return answers.length > 0 ? about(answers, agreement) : [noise];
}

function about(outputs: readonly OutputDifference[], of: Budget): Budget[] {
  return outputs.length === 0 ? [] : [{ ...of, outputs: outputs.map(({ name }) => name) }];
}

function budget(metric: 'drop' | 'agreement' | 'sqnr' | 'size' | 'speed-up', text: string, limit: number): Budget {
  const { unit, wants, test } = METRICS[metric];
  return { metric, text, limit, unit, wants, test };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(12))}%`;
}
