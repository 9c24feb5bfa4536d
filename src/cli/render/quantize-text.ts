import { observerCounts } from '../../report/calibration-words.js';
import { agreementOf, metricPhrase, scoringSentence } from '../../report/comparison-words.js';
import { plural } from '../../report/format.js';
import { latencyChange } from '../../report/latency-words.js';
import { layersPhrase } from '../../report/layers-phrase.js';
import { measurePhrase } from '../../report/measure-words.js';
import { MODE_WORDS, nodeCounts, slowerSentence } from '../../report/quantize-words.js';
import { repairLines } from '../../report/repair-words.js';
import { safeText } from '../../report/safe-text.js';
import type { QuantizeReport } from '../../report/types.js';
import { checksOf } from '../../report/verification-words.js';
import { weightOnlyLines } from '../../report/weight-only-words.js';
import { judgedText } from './budgets-text.js';
import { agreementRows, countRow, latencyRows, metricRows, sizePhrase, sizeRow } from './change-rows.js';
import { changesTableText } from './changes-table.js';
import { checksLine } from './checks-line.js';
import { floatLayersText } from './layers-text.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

export interface QuantizeTextOptions extends TextOptions {
  /** Where the model was written, as the user would type it; undefined when it was not. */
  readonly outputPath: string | undefined;
}

/** The answer of `serve-opt quantize` for people: one table, what stayed in float and why, and where the model is. */
export async function renderQuantize(report: QuantizeReport, options: QuantizeTextOptions): Promise<string> {
  const { style } = options;
  const line = (text: string): string => wrapLine(text, options.columns);
  const parts = report.headline === undefined ? [] : [line(`${style.warning} ${safeText(report.headline)}`), ''];
  parts.push(await changesTable(report, options), '');
  // A model with nothing to quantize says so in a note.
  if (report.mode !== 'none') {
    const verb = report.mode === 'fp16' || report.mode === 'bf16' ? 'Converted' : 'Quantized';
    const layers = report.quantized.length > 0 ? layersPhrase(report.quantized) : 'no large layer with weights';
    parts.push(line(safeText(`${verb} ${layers}`)));
    if (report.calibration !== undefined) {
      const { samples, source, method, observer } = report.calibration;
      const counts = observer === 'auto' ? observerCounts(report.calibration) : undefined;
      const by = counts === undefined ? '' : ` (${counts})`;
      parts.push(
        line(safeText(`Ranges of activations: ${method}${by} over ${plural(samples, 'sample')} of ${source}`)),
      );
    }
  }
  if (report.weightOnly !== undefined)
    parts.push(...weightOnlyLines(report.weightOnly).map((text) => line(safeText(text))));
  if (report.repair !== undefined) parts.push(...repairLines(report.repair).map((text) => line(safeText(text))));
  if (report.leftInFloat.length > 0) {
    parts.push(style.bold('Stays in FP32:'), floatLayersText(report.leftInFloat, options));
  }
  for (const output of report.verification.comparison?.outputs ?? []) {
    const measure = measurePhrase(output);
    if (measure !== undefined) parts.push(line(`Judged: ${safeText(`${output.name}, ${measure}`, 400)}`));
  }
  const slower = slowerSentence(report);
  if (slower !== undefined) parts.push(line(`${style.warning} ${slower}`));
  const scoring = report.accuracy && scoringSentence(report.accuracy);
  if (scoring !== undefined) parts.push(line(safeText(scoring)));
  parts.push(line(checksLine(checksOf(report), options)));
  for (const note of report.notes) parts.push(line(`note: ${safeText(note)}`));
  parts.push(...(await judgedText(report, options)));
  if (options.outputPath !== undefined) parts.push('', safeText(options.outputPath));
  return parts.join('\n');
}

/** `resnet50.onnx 97.8 MB → 25.1 MB (−74 %) · 122 → 76 nodes · p50 42.6 ms → 14.8 ms · top-1 accuracy −0.2 pt`. */
export function quantizeSummary(report: QuantizeReport): string {
  const parts = [sizePhrase(report)];
  const nodes = nodeCounts(report);
  if (nodes !== undefined && nodes[0] !== nodes[1]) parts.push(`${nodes[0]} → ${nodes[1]} nodes`);
  if (report.latency !== undefined) parts.push(latencyChange(report.latency));
  const metric = report.accuracy?.metrics?.[0];
  const agreement = report.verification.comparison && agreementOf(report.verification.comparison);
  if (metric !== undefined) parts.push(metricPhrase(metric));
  else if (agreement !== undefined) {
    const { value, what, beside } = agreement;
    parts.push(`${value} ${what}${beside === undefined ? '' : `, ${beside}`}`);
  }
  return parts.join(' · ');
}

async function changesTable(report: QuantizeReport, options: TextOptions): Promise<string> {
  const rows = [sizeRow(report)];
  const nodes = nodeCounts(report);
  if (nodes !== undefined) rows.push(countRow('nodes', ...nodes));
  rows.push(
    ...latencyRows(report.latency),
    ...metricRows(report.accuracy),
    ...agreementRows(report.verification.comparison),
  );
  return changesTableText(report.input.name, MODE_WORDS[report.mode], rows, options);
}
