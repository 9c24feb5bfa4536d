import { quantileRanks, quantileReports } from '../../bench/quantile-interval.js';
import { median } from '../../bench/quantiles.js';
import type { EstimateReport } from '../../bench/results.js';
import type { ConfigurationReport } from '../../report/bench-types.js';
import type { TokenTimes } from '../../serving/client.js';

/** Time to first token, and tokens per second of one response from its first token on; undefined without completions. */
export function tokenReport(responses: readonly TokenTimes[]): ConfigurationReport['tokens'] {
  if (responses.length === 0) return undefined;
  const first = Float64Array.from(responses, ({ firstMs }) => firstMs).sort();
  const rates = responses
    .filter(({ count, firstMs, lastMs }) => count > 1 && lastMs > firstMs)
    .map(({ count, firstMs, lastMs }) => ((count - 1) * 1000) / (lastMs - firstMs));
  return {
    firstTokenMs: quantileReports(first),
    perSecond: medianRate(rates),
    total: responses.reduce((sum, { count }) => sum + count, 0),
  };
}

/** The median over responses, with its interval from order statistics. */
function medianRate(rates: readonly number[]): EstimateReport {
  if (rates.length === 0) return { value: 0 };
  const sorted = Float64Array.from(rates).sort();
  const { low, high } = quantileRanks(sorted.length, 0.5);
  return {
    value: median(sorted),
    ...(low === undefined ? {} : { low: sorted[low - 1] as number }),
    ...(high === undefined ? {} : { high: sorted[high - 1] as number }),
  };
}
