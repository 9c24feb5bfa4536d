import type { MetricChoice } from './choose-metric.js';
import type { MetricComparison, MetricName, MetricValue } from './comparison.js';
import { accuracyOf, type DecisionCounts, f1 } from './decisions.js';
import type { ScoreSums } from './label-scorer.js';
import { perplexity, perplexityDifference, type Spread } from './perplexity.js';
import { proportion } from './proportion.js';
import { rocAuc } from './roc-auc.js';

/** One way to score, with what it counted of both models. */
export interface ScoredChoice {
  readonly choice: MetricChoice;
  readonly a: ScoreSums;
  readonly b: ScoreSums;
}

/**
 * The reading of labels that is meant, of those that fit (`metricChoices`): the one under which the reference model answers
 * best. An output that names classes as well as its scores do is the answer itself.
 */
export function settleChoice<T extends ScoredChoice>(scored: readonly [T, ...T[]]): T {
  const [first, ...others] = scored;
  let best = first;
  let most = quality(first);
  for (const other of others) {
    const value = quality(other);
    if (other.choice.kind === 'accuracy' ? value < most || best.choice.kind === 'accuracy' : value <= most) continue;
    best = other;
    most = value;
  }
  if (others.length === 0) return best;
  const rest = scored.filter((each) => each !== best).map((each) => reading(each.choice));
  const explanation = `${best.choice.explanation}; ${[...new Set(rest)].join(' and ')} would fit the labels less well`;
  return { ...best, choice: { ...best.choice, explanation } };
}

function reading({ kind, output }: MetricChoice): string {
  if (kind === 'accuracy') return `output "${output}" as the prediction`;
  return kind === 'ctc' ? 'a text (CTC)' : kind === 'top-1' ? 'the largest score of each position' : `"${output}"`;
}

/** How well the reference answers, from 0 to 1. */
function quality({ choice, a: sums }: ScoredChoice): number {
  if (choice.kind === 'ctc') return Math.max(0, 1 - sums.sequences.edits / Math.max(1, sums.sequences.symbols));
  if (choice.kind === 'auc') return correctAt(sums, sums.logits ? 0 : 0.5) / Math.max(1, sums.n);
  if (choice.kind === 'multi-label') return f1(sums.logits ? sums.atZero : sums.atHalf, 1);
  const { correct, n } = choice.kind === 'accuracy' ? answered(sums, sums.answersNegative) : sums;
  return correct / Math.max(1, n);
}

/** The metrics of two scorers that saw the same samples, the one to quote first. */
export function compareMetrics(choice: MetricChoice, a: ScoreSums, b: ScoreSums): MetricComparison[] {
  const metric = (
    name: MetricName,
    higherIsBetter: boolean,
    of: (sums: ScoreSums) => MetricValue,
    how?: string,
  ): MetricComparison => {
    const [valueA, valueB] = [of(a), of(b)];
    return {
      metric: name,
      output: choice.output,
      higherIsBetter,
      a: valueA,
      b: valueB,
      difference: valueB.value - valueA.value,
      explanation: [choice.explanation, ...(how === undefined ? [] : [how]), ...unscoredText(choice, a, b)].join('; '),
    };
  };
  const share = (sums: ScoreSums) => proportion(sums.correct, sums.n);
  // Scores beyond 0 and 1 are no probabilities; logits are cut at 0. One threshold for both models: that of A.
  const threshold = a.logits ? 0 : 0.5;
  switch (choice.kind) {
    case 'accuracy': {
      const signed = a.answersNegative || b.answersNegative;
      const of = (sums: ScoreSums) => {
        const { correct, n } = answered(sums, signed);
        return proportion(correct, n);
      };
      return [metric('accuracy', true, of)];
    }
    case 'top-1':
      return [metric('top-1 accuracy', true, share)];
    case 'ctc':
      return [
        metric('exact sequence match', true, ({ sequences }) => sequences.exact),
        metric('character error rate', false, ({ sequences }) => ({
          value: sequences.errorRate,
          n: sequences.symbols,
        })),
      ];
    case 'auc': {
      const accuracy = metric(threshold === 0 ? 'accuracy at 0' : 'accuracy at 0.5', true, (s) =>
        proportion(correctAt(s, threshold), s.n),
      );
      const auc = metric('ROC AUC', true, (s) => ({ value: rocAuc(s.scores, s.classes), n: s.n }));
      // Without labels of both classes there is no curve.
      return new Set(a.classes).size < 2 ? [accuracy] : [auc, accuracy];
    }
    case 'multi-label': {
      const counts = (s: ScoreSums): DecisionCounts => (threshold === 0 ? s.atZero : s.atHalf);
      const how = `a label counts as predicted from a score of ${threshold}`;
      return [
        metric('micro F1', true, (s) => ({ value: f1(counts(s), 1), n: s.n }), how),
        metric('label accuracy', true, (s) => ({ value: accuracyOf(counts(s)).value, n: s.n }), how),
      ];
    }
    case 'perplexity': {
      const { value, low, high } = perplexityDifference(a.nextTokens, b.nextTokens);
      const spread = metric('perplexity', false, ({ nextTokens }) => ({
        ...known(perplexity(nextTokens)),
        n: nextTokens.tokens,
      }));
      const interval =
        Number.isFinite(low) && Number.isFinite(high) ? { differenceLow: low, differenceHigh: high } : {};
      return [
        { ...spread, difference: value, ...interval },
        metric('next-token accuracy', true, ({ nextTokens }) => proportion(nextTokens.correct, nextTokens.tokens)),
      ];
    }
    case 'error':
      return [
        metric('mean absolute error', false, (s) => ({ value: whole(s, s.errors.mae), n: s.n })),
        metric('root mean square error', false, (s) => ({ value: whole(s, s.errors.rmse), n: s.n })),
      ];
  }
}

/** Without an interval where one sample tells nothing of others. */
function known({ value, low, high }: Spread): Omit<MetricValue, 'n'> {
  return Number.isFinite(high) ? { value, low, high } : { value };
}

/** With labels below 0 as classes, or without them. */
function answered(sums: ScoreSums, signed: boolean): { readonly correct: number; readonly n: number } {
  if (!signed) return sums;
  return { correct: sums.correct + sums.negativeCorrect, n: sums.n + sums.negative };
}

function unscoredText({ kind, ignored }: MetricChoice, a: ScoreSums, b: ScoreSums): readonly string[] {
  const signed = a.answersNegative || b.answersNegative;
  const count = kind === 'accuracy' && !signed ? a.negative : a.unscored;
  if (count === 0) return [];
  const which = ignored === undefined ? 'below 0' : `below 0 or of ${ignored}`;
  return [`${count} ${count === 1 ? 'label' : 'labels'} ${which} ${count === 1 ? 'is' : 'are'} not scored`];
}

/** An error of all labels: a prediction that is not finite leaves none. */
function whole({ errors, n }: ScoreSums, value: number): number {
  return errors.finite === n ? value : Number.NaN;
}

function correctAt({ scores, classes }: ScoreSums, threshold: number): number {
  let correct = 0;
  for (const [i, score] of scores.entries()) if ((score >= threshold ? 1 : 0) === classes[i]) correct++;
  return correct;
}
