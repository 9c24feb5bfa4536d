import { formatLatency } from '../../report/bench-format.js';
import { formatBytes, formatInteger, formatPercent, formatRate, plural } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import { engineBench } from '../../report/tensorrt-bench.js';
import type { TensorRtPlanReport, TensorRtReport } from '../../report/tensorrt-types.js';
import {
  buildWords,
  conditionsWords,
  deviceWords,
  namedSpans,
  precisionShares,
  profileWords,
} from '../../report/tensorrt-words.js';
import { shellWord } from '../../targets/shell-word.js';
import { configurationText } from './bench-configuration.js';
import { regressionsText, verdictText } from './bench-gates.js';
import { fact } from './bench-layout.js';
import { budgetsText } from './budgets-text.js';
import { shareBar } from './sparkline.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

export interface TensorRtTextOptions extends TextOptions {
  /** Where the engine was written; undefined when it was not. */
  readonly outputPath: string | undefined;
}

/** Layers listed, and with `-v`. */
const TOP = 8;
const TOP_VERBOSE = 40;
const BAR_CELLS = 12;

/** The answer of `serve-opt tensorrt` for people: what was built, for what, how fast it is, and where the time goes. */
export async function renderTensorRt(report: TensorRtReport, options: TensorRtTextOptions): Promise<string> {
  const { style } = options;
  const bench = engineBench(report);
  const parts: string[] = [];
  if (bench && report.measurement) parts.push(await configurationText(report.measurement, bench, options), '');
  else parts.push(`${style.bold(safeText(report.engine.name, 120))} ${formatBytes(report.engine.sizeBytes)}`, '');
  parts.push(...factLines(report, options));
  if (namedSpans(report).length > 0) parts.push('', await spansTable(report, options));
  if (report.layers.some(({ averageMs }) => averageMs !== undefined)) parts.push('', await layersText(report, options));
  if (report.budgets.length > 0) parts.push('', await budgetsText(report.budgets, false, options));
  if (bench && report.regressions.length > 0) parts.push('', await regressionsText(bench, options));
  for (const note of report.notes) parts.push('', wrapLine(`note: ${safeText(note)}`, options.columns));
  if (bench && report.verdict !== undefined) parts.push('', verdictText(bench, options));
  if (options.outputPath !== undefined) parts.push('', safeText(options.outputPath));
  return parts.join('\n');
}

/** `model.plan · TensorRT 10.16.0 · 12.1 MB · p50 0.84 ms · 1,155/s`. */
export function tensorRtSummary({ engine, tensorRtVersion, measurement, verdict }: TensorRtReport): string {
  const p50 = measurement?.latency?.quantiles.find(({ probability }) => probability === 0.5)?.ms;
  return [
    engine.name,
    ...(tensorRtVersion === undefined ? [] : [`TensorRT ${tensorRtVersion}`]),
    formatBytes(engine.sizeBytes),
    ...(p50 === undefined ? [] : [`p50 ${formatLatency(p50)}`]),
    ...(measurement?.throughput === undefined ? [] : [formatRate(measurement.throughput.value)]),
    ...(verdict === undefined ? [] : [verdict]),
  ].join(' · ');
}

/** Commands to paste, one a line; warnings go to stderr. */
export function renderTensorRtPlan({ commands }: TensorRtPlanReport): string {
  return commands.map((words) => words.map(shellWord).join(' ')).join('\n');
}

function factLines(report: TensorRtReport, options: TextOptions): readonly string[] {
  const { tensorRtVersion, image, precision, profiles, layers } = report;
  const lines: string[] = [];
  const version = tensorRtVersion === undefined ? undefined : `TensorRT ${tensorRtVersion}`;
  const engine = [
    ...(version === undefined ? [] : [version]),
    ...(image === undefined ? [] : [safeText(image, 100)]),
    ...(precision === 'model' ? [] : [precision]),
    buildWords(report),
  ].filter((text) => text !== undefined);
  if (engine.length > 0) lines.push(fact('Engine', engine.join(' · '), options));
  const device = deviceWords(report);
  if (device !== undefined) lines.push(fact('GPU', safeText(device, 200), options));
  for (const [index, { inputs }] of profiles.entries()) {
    const name = profiles.length > 1 ? `Profile ${index}` : 'Profile';
    lines.push(fact(name, inputs.map((shape) => safeText(profileWords(shape), 120)).join('; '), options));
  }
  const conditions = conditionsWords(report);
  if (conditions !== undefined) lines.push(fact('Measured', conditions, options));
  const shares = precisionShares(layers).slice(0, 5);
  if (shares.length > 0) {
    const words = shares.map(
      (each) => `${safeText(each.precision, 40)} ${plural(each.layers, 'layer')} ${formatPercent(each.share)}`,
    );
    lines.push(fact('Precision', words.join(' · '), options));
  }
  return lines;
}

/** What trtexec sums up, of the first process. */
function spansTable(report: TensorRtReport, options: TextOptions): Promise<string> {
  const rows = namedSpans(report).map(({ name, span }): readonly Cell[] => [
    name,
    formatLatency(span.minMs),
    formatLatency(span.medianMs),
    formatLatency(span.meanMs),
    formatLatency(span.maxMs),
  ]);
  const right = 'right' as const;
  return renderTable(
    [
      { title: 'of one query' },
      { title: 'min', align: right },
      { title: 'median', align: right },
      { title: 'mean', align: right },
      { title: 'max', align: right },
    ],
    rows,
    { ...options, indent: 2 },
  );
}

async function layersText({ layers }: TensorRtReport, options: TextOptions): Promise<string> {
  const { style, verbosity } = options;
  const timed = layers.filter(({ averageMs }) => averageMs !== undefined);
  const shown = timed.slice(0, verbosity > 0 ? TOP_VERBOSE : TOP);
  const typed = shown.some(({ precision }) => precision !== undefined);
  const rows = shown.map(({ name, fused, precision, averageMs = 0, share = 0 }): readonly Cell[] => [
    safeText(name, 200),
    fused.length > 1 ? formatInteger(fused.length) : '',
    ...(typed ? [safeText(precision ?? '', 20)] : []),
    formatLatency(averageMs),
    formatPercent(share),
    { text: shareBar(share, BAR_CELLS), style: 'cyan' },
  ]);
  const right = 'right' as const;
  const table = await renderTable(
    [
      { title: 'layer', flexible: true },
      { title: 'fused', align: right },
      ...(typed ? [{ title: 'type' }] : []),
      { title: 'a run', align: right },
      { title: 'share', align: right },
      { title: '' },
    ],
    rows,
    { ...options, indent: 2 },
  );
  const hidden = timed.length - shown.length;
  return [
    `${style.bold('Layers')} by time`,
    table,
    ...(hidden > 0 ? [`  and ${formatInteger(hidden)} more`] : []),
  ].join('\n');
}
