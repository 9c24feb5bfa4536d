/** What reports of models that were made or compared have in common, for CI. */
import type { ComparisonResult } from '../../evaluate/comparison.js';
import { sourcePhrase } from '../comparison-words.js';
import type { ModelReport } from '../model-report.js';
import type { ReportModel } from '../types.js';
import { type Checks, checksOf as checksOfResult } from '../verification-words.js';

/** The original and the result. */
export function modelsOf(report: ModelReport): readonly [before: ReportModel, after: ReportModel] {
  return report.command === 'compare' ? [report.a, report.b] : [report.input, report.output];
}

/** The comparison to quote: that on labelled samples, where there is one. */
export function comparisonOf(report: ModelReport): ComparisonResult | undefined {
  if (report.command === 'compare') return report.comparison;
  return report.command === 'quantize' ? (report.accuracy ?? report.verification.comparison) : undefined;
}

/** What was really done to see that the result is right. */
export function checksOf(report: ModelReport): Checks {
  if (report.command !== 'compare') return checksOfResult(report);
  return { done: true, text: `compared on ${sourcePhrase(report.comparison)}` };
}
