import { formatNumber } from './format.js';
import type { LayerSparsityReport } from './sparsity-types.js';

/** `48 %`; `<0.1 %` where there are some. */
export function zeroShare(zeros: number, elements: number): string {
  if (zeros === 0) return '0 %';
  const percent = (100 * zeros) / Math.max(1, elements);
  if (percent < 0.1) return '<0.1 %';
  return `${formatNumber(Math.round(10 * percent) / 10)} %`;
}

/** `2:4 along the inputs`. */
export function patternPhrase(pattern: LayerSparsityReport['pattern']): string {
  if (pattern === undefined) return '';
  return `${pattern.name} along ${pattern.alongInputs ? 'the inputs' : `axis ${pattern.axis}`}`;
}
