import { quantileReports } from '../../bench/quantile-interval.js';
import { median } from '../../bench/quantiles.js';
import type { ConfigurationReport } from '../../report/bench-types.js';
import type { TokenTimes } from '../../serving/client.js';

const PROBABILITIES = [0.5, 0.9, 0.95, 0.99];

/** Time to first token, and tokens a second of one answer from its first token on; undefined without completions. */
export function tokenReport(answers: readonly TokenTimes[]): ConfigurationReport['tokens'] {
  if (answers.length === 0) return undefined;
  const first = Float64Array.from(answers, ({ firstMs }) => firstMs).sort();
  const rates = answers
    .filter(({ count, firstMs, lastMs }) => count > 1 && lastMs > firstMs)
    .map(({ count, firstMs, lastMs }) => ((count - 1) * 1000) / (lastMs - firstMs));
  return {
    firstTokenMs: quantileReports(first, PROBABILITIES),
    perSecond: { value: rates.length === 0 ? 0 : median(rates) },
    total: answers.reduce((sum, { count }) => sum + count, 0),
  };
}
