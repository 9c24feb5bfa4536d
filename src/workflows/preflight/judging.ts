import { ServeOptError } from '../../errors.js';
import type { MetricWish } from '../../evaluate/choose-metric.js';
import { SCORING_KINDS } from '../../evaluate/scoring-kinds.js';
import { suggest } from '../../suggest.js';
import type { JudgingOptions } from '../options.js';

/** What is to be scored, where the options say so. @throws SO1006 for a metric or an output that there is not, with the near miss */
export function metricWish({ metric, outputName }: JudgingOptions, outputs: readonly string[]): MetricWish {
  if (metric !== undefined && !SCORING_KINDS.includes(metric)) {
    const near = suggest(metric, SCORING_KINDS);
    throw new ServeOptError('SO1006', `The value "${metric}" of --metric is not allowed`, {
      why: `it must be one of ${SCORING_KINDS.join(', ')}`,
      ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }),
    });
  }
  if (outputName !== undefined && !outputs.includes(outputName)) {
    const near = suggest(outputName, outputs);
    const known = outputs.slice(0, 8).map((name) => `"${name}"`);
    throw new ServeOptError('SO1006', `The value "${outputName}" of --output-name is not allowed`, {
      why: `the outputs are ${known.join(', ')}${outputs.length > known.length ? ' …' : ''}`,
      hint: near === undefined ? 'serve-opt inspect MODEL lists the outputs' : `did you mean "${near}"?`,
    });
  }
  return {
    ...(metric === undefined ? {} : { metric }),
    ...(outputName === undefined ? {} : { output: outputName }),
  };
}

/** Whether labels have to be there and to fit, since something is asked of them. */
export function needsLabels({ metric, outputName, maxLoss, budgets = [] }: JudgingOptions): boolean {
  const isOfLabels = budgets.some((budget) => budget.metric === 'accuracy' || budget.metric === 'drop');
  return metric !== undefined || outputName !== undefined || maxLoss !== undefined || isOfLabels;
}
