import type { ComparisonResult } from '../../evaluate/comparison.js';
import { formatBytes, formatChange, formatDuration, formatInteger, plural } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import type { QuantizeReport } from '../../report/types.js';
import { agreementOf, formatDifference, formatMetric, metricPhrase } from './comparison-text.js';
import { latencyChange, latencyPhrase, latencyVerdict } from './latency-text.js';
import { floatLayersText, layersPhrase } from './layers-text.js';
import { modelSizeBytes } from './model-size.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

const MODE_WORDS = {
  static: 'static INT8',
  dynamic: 'dynamic INT8',
  fp16: 'FP16',
  none: 'unchanged',
} as const;

export interface QuantizeTextOptions extends TextOptions {
  /** Where the model was written, as the user would type it; undefined when it was not. */
  readonly outputPath: string | undefined;
}

/** The answer of `serve-opt quantize` for people: one table, what stayed in float and why, and where the model is. */
export async function renderQuantize(report: QuantizeReport, options: QuantizeTextOptions): Promise<string> {
  const { style } = options;
  const line = (text: string): string => wrapLine(text, options.columns);
  const parts = [await changesTable(report, options), ''];
  // A model with nothing to quantize says so in a note.
  if (report.mode !== 'none') {
    const verb = report.mode === 'fp16' ? 'Converted' : 'Quantized';
    parts.push(line(safeText(`${verb} ${layersPhrase(report.quantized)}`)));
    if (report.calibration !== undefined) {
      const { samples, source, method } = report.calibration;
      parts.push(line(safeText(`Ranges of activations: ${method} over ${plural(samples, 'sample')} of ${source}`)));
    }
  }
  if (report.leftInFloat.length > 0) {
    parts.push(style.bold('Stays in float:'), floatLayersText(report.leftInFloat, options));
  }
  if (report.latency !== undefined && latencyVerdict(report.latency) === 'slower') {
    const threads = report.latency.threads === undefined ? '' : ` with ${plural(report.latency.threads, 'thread')}`;
    parts.push(
      line(
        `${style.warning} slower here: on this machine${threads} the result takes longer than the original (${latencyChange(report.latency)})`,
      ),
    );
  }
  parts.push(line(verificationLine(report, options)));
  for (const note of report.notes) parts.push(line(`note: ${safeText(note)}`));
  if (options.outputPath !== undefined) parts.push('', safeText(options.outputPath));
  return parts.join('\n');
}

/** `resnet50.onnx 97.8 MB → 25.1 MB (−74 %) · 122 → 76 nodes · p50 42.6 ms → 14.8 ms · top-1 accuracy −0.2 pt`. */
export function quantizeSummary(report: QuantizeReport): string {
  const [before, after] = [modelSizeBytes(report.input), modelSizeBytes(report.output)];
  const parts = [
    `${report.input.name} ${formatBytes(before)} → ${formatBytes(after)} (${formatChange(before, after)})`,
  ];
  const nodes = nodeCounts(report);
  if (nodes !== undefined && nodes[0] !== nodes[1]) parts.push(`${nodes[0]} → ${nodes[1]} nodes`);
  if (report.latency !== undefined) parts.push(latencyChange(report.latency));
  const metric = report.accuracy?.metrics?.[0];
  const agreement = report.verification.comparison && agreementOf(report.verification.comparison);
  if (metric !== undefined) parts.push(metricPhrase(metric));
  else if (agreement !== undefined) parts.push(`${agreement.value} ${agreement.what}`);
  return parts.join(' · ');
}

async function changesTable(report: QuantizeReport, options: TextOptions): Promise<string> {
  const [before, after] = [modelSizeBytes(report.input), modelSizeBytes(report.output)];
  const rows: (readonly Cell[])[] = [['size', formatBytes(before), formatBytes(after), formatChange(before, after)]];
  const nodes = nodeCounts(report);
  if (nodes !== undefined) {
    rows.push(['nodes', formatInteger(nodes[0]), formatInteger(nodes[1]), formatChange(nodes[0], nodes[1])]);
  }
  if (report.latency !== undefined) {
    const { p50MsA, p50MsB } = report.latency;
    rows.push(['p50 latency', formatDuration(p50MsA), formatDuration(p50MsB), latencyPhrase(report.latency)]);
  }
  for (const metric of report.accuracy?.metrics ?? []) {
    rows.push([
      metric.metric,
      formatMetric(metric, metric.a.value),
      formatMetric(metric, metric.b.value),
      `${formatDifference(metric)} on ${metric.a.n}`,
    ]);
  }
  const { comparison } = report.verification;
  const agreement = comparison && agreementOf(comparison);
  if (comparison !== undefined && agreement !== undefined) {
    rows.push(['agreement', '', agreement.value, `${agreement.what} on ${samplesPhrase(comparison)}`]);
  }
  const titles = [
    { title: report.input.name, flexible: true },
    { title: 'before', align: 'right' },
    { title: MODE_WORDS[report.mode], align: 'right' },
    { title: '', flexible: true },
  ] as const;
  return renderTable(titles, rows, options);
}

function nodeCounts(report: QuantizeReport): readonly [number, number] | undefined {
  const first = report.steps[0];
  const last = report.steps.at(-1);
  return first === undefined || last === undefined ? undefined : [first.nodesBefore, last.nodesAfter];
}

/** `64 held-out samples`, `8 made-up samples`. */
function samplesPhrase({ source, samples }: ComparisonResult): string {
  if (source.kind === 'seeded') return plural(samples, 'made-up sample');
  // What follows the calibration samples took no part in the calibration.
  return plural(samples, source.first > 0 ? 'held-out sample' : 'sample');
}

/** What was really done to the written file, no more. */
function verificationLine({ verification }: QuantizeReport, { style }: TextOptions): string {
  const { loads, runs } = verification;
  const why = verification.reason === undefined ? '' : `: ${safeText(verification.reason)}`;
  if (runs === 'passed') return `${style.ok} verified: read back, loaded and run beside the original in ONNX Runtime`;
  if (loads === 'passed') return `${style.warning} only loaded in ONNX Runtime, not run${why}`;
  return `${style.warning} not verified: the file was read back, but neither loaded nor run in ONNX Runtime${why}`;
}
