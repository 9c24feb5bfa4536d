/** Rows of the table of changes that several commands share, and the beginning of their summaries. */
import type { LatencyComparison } from '../../bench/results.js';
import type { ComparisonResult } from '../../evaluate/comparison.js';
import { agreementOf, formatDifference, formatMetric } from '../../report/comparison-words.js';
import { formatBytes, formatChange, formatDuration, formatInteger } from '../../report/format.js';
import { latencyPhrase } from '../../report/latency-words.js';
import { modelSizeBytes } from '../../report/model-size.js';
import { samplesPhrase } from '../../report/quantize-words.js';
import type { ReportModel } from '../../report/types.js';
import type { ChangeRow } from './changes-table.js';

/** The files of a report. */
interface Files {
  readonly input: ReportModel;
  readonly output: ReportModel;
}

/** `model.onnx 97.8 MB → 25.1 MB (−74 %)`. */
export function sizePhrase({ input, output }: Files): string {
  const [before, after] = [modelSizeBytes(input), modelSizeBytes(output)];
  return `${input.name} ${formatBytes(before)} → ${formatBytes(after)} (${formatChange(before, after)})`;
}

export function sizeRow({ input, output }: Files): ChangeRow {
  const [before, after] = [modelSizeBytes(input), modelSizeBytes(output)];
  return ['size', formatBytes(before), formatBytes(after), formatChange(before, after)];
}

/** A number before and after. */
export function countRow(what: string, before: number, after: number): ChangeRow {
  return [what, formatInteger(before), formatInteger(after), formatChange(before, after)];
}

/** None where latency was not measured. */
export function latencyRows(latency: LatencyComparison | undefined): ChangeRow[] {
  if (latency === undefined) return [];
  return [['p50 latency', formatDuration(latency.p50MsA), formatDuration(latency.p50MsB), latencyPhrase(latency)]];
}

/** One for each metric of labelled samples. */
export function metricRows(accuracy: ComparisonResult | undefined): ChangeRow[] {
  return (accuracy?.metrics ?? []).map((metric) => [
    metric.metric,
    formatMetric(metric, metric.a.value),
    formatMetric(metric, metric.b.value),
    `${formatDifference(metric)} on ${metric.a.n}`,
  ]);
}

/** How far the outputs of both models agree; none where they were not run. */
export function agreementRows(comparison: ComparisonResult | undefined): ChangeRow[] {
  const agreement = comparison && agreementOf(comparison);
  if (comparison === undefined || agreement === undefined) return [];
  const { value, what, beside } = agreement;
  const more = beside === undefined ? '' : `, ${beside}`;
  return [['agreement', '', value, `${what} on ${samplesPhrase(comparison)}${more}`]];
}
