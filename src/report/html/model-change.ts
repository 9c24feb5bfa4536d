/** What the pages of commands that make or compare models share. */

import type { LatencyComparison } from '../../bench/results.js';
import type { ComparisonResult, OutputDifference } from '../../evaluate/comparison.js';
import {
  channelPhrase,
  formatDifference,
  formatMetric,
  formatSqnr,
  scoringSentence,
  sourcePhrase,
} from '../comparison-words.js';
import {
  capital,
  formatBytes,
  formatChange,
  formatDuration,
  formatInteger,
  formatNumber,
  formatPercent,
  plural,
} from '../format.js';
import { latencyChange, latencyPhrase, latencyVerdict } from '../latency-words.js';
import { measurePhrase } from '../measure-words.js';
import { modelSizeBytes } from '../model-size.js';
import { ratioPlot } from '../svg/ratio-plot.js';
import type { ReportHeader, ReportModel, StepReport } from '../types.js';
import type { Checks } from '../verification-words.js';
import { changedAnswers } from './answers.js';
import { figureText, MISSING } from './figures.js';
import { type Child, element, fragment, type Markup } from './markup.js';
import { banner, figure, type KeyFigure, keyValues, lead, list, named, notice, section, table } from './parts.js';

/** Rows of a list that a reader may still want on a page; the JSON document has them all. */
export const MOST_ROWS = 300;

/** The line above the heading: the tool, its version, and that of the runtime. */
export function eyebrow(command: string, { version, onnxRuntimeVersion }: ReportHeader): Markup {
  return element(
    'p',
    { class: 'eyebrow' },
    element('b', {}, `serve-opt ${command}`),
    ` ${version}`,
    onnxRuntimeVersion === undefined ? undefined : ` · ONNX Runtime ${onnxRuntimeVersion}`,
  );
}

/** Warnings of a report as notices. */
export function warnings(texts: readonly string[]): readonly Markup[] {
  return texts.map((warning) => notice('warning', 'Warning.', named(warning)));
}

/** Notes of a report; nothing where there are none. */
export function notesSection(notes: readonly string[]): Markup | undefined {
  return notes.length === 0 ? undefined : section('notes', 'Notes', list(notes.map(named)));
}

/** What was checked of the result. */
export function checksBanner({ done, text }: Checks): Markup {
  const [title = '', ...rest] = text.split(': ');
  return banner(
    done ? 'pass' : 'inconclusive',
    capital(title),
    rest.length === 0 ? [] : [named(capital(rest.join(': ')))],
  );
}

/** Size, nodes and latency before and after as figures to see first. */
export function changeFigures(
  before: ReportModel,
  after: ReportModel,
  nodes: readonly [number, number] | undefined,
  latency: LatencyComparison | undefined,
): readonly KeyFigure[] {
  const [from, to] = [modelSizeBytes(before), modelSizeBytes(after)];
  const figures: KeyFigure[] = [
    { name: 'Size', value: formatChange(from, to), detail: `${formatBytes(from)} → ${formatBytes(to)}` },
  ];
  if (nodes !== undefined) {
    const [first, last] = nodes;
    const detail = `${formatInteger(first)} → ${formatInteger(last)}`;
    figures.push({ name: 'Nodes', value: formatChange(first, last), detail });
  }
  if (latency !== undefined) {
    figures.push({
      name: 'p50 latency',
      value:
        latencyVerdict(latency) === 'unclear' ? 'no clear difference' : latencyPhrase(latency).replace(/ \(.*/, ''),
      detail: latencyChange(latency).replace('p50 ', ''),
    });
  }
  return figures;
}

/** Latency of two models drawn as a ratio. `names` are the one measured against, and the other. */
export function latencySection(
  latency: LatencyComparison | undefined,
  names: readonly [string, string],
): Markup | undefined {
  if (latency === undefined) return undefined;
  const { ratio, ratioLow, ratioHigh, runs, threads, batchSize, p50MsA, p50MsB } = latency;
  const [first, second] = names;
  const data = {
    ratio: {
      value: ratio,
      ...(ratioLow === undefined || ratioHigh === undefined ? {} : { low: ratioLow, high: ratioHigh }),
    },
    rounds: [],
  };
  return section(
    'latency',
    'Latency',
    lead(capital(latencyPhrase(latency))),
    element(
      'div',
      { class: 'charts' },
      figure(
        'Ratio of latencies',
        'Both ran in turns on the same sample. The dot is the ratio, with its 95 % interval; where that includes 1, there is no clear difference.',
        ratioPlot(`Latency of ${second} over that of ${first}`, data, first),
      ),
      keyValues(
        [
          [`p50 of ${first}`, figureText(p50MsA, formatDuration)],
          [`p50 of ${second}`, figureText(p50MsB, formatDuration)],
          ['Runs of each', formatInteger(runs)],
          ['Threads', threads === undefined ? undefined : formatInteger(threads)],
          ['Batch size', formatInteger(batchSize)],
        ],
        true,
      ),
    ),
  );
}

/** Output by output how far B is from A, then the metrics where there are labels. `models` says which A and B are. */
export function comparisonSection(
  title: string,
  comparison: ComparisonResult | undefined,
  models = '',
): Markup | undefined {
  if (comparison === undefined) return undefined;
  const { outputs, unmatched, metrics = [], metricsSkipped } = comparison;
  const scoring = scoringSentence(comparison);
  const remarks: Child[] = [
    ...unmatched.a.map((name) => [named(name), ' is an output of A only']),
    ...unmatched.b.map((name) => [named(name), ' is an output of B only']),
    ...outputs.flatMap(remarksOf),
    ...(metricsSkipped === undefined ? [] : [['No metric: ', named(metricsSkipped)]]),
    ...comparison.warnings.map(named),
  ];
  return section(
    'outputs',
    title,
    lead('On ', named(sourcePhrase(comparison)), '.', models, ...(scoring === undefined ? [] : [' ', named(scoring)])),
    metrics.length === 0
      ? undefined
      : table(
          'Metrics',
          [{ title: 'Metric' }, { title: 'Output', kind: 'name' }, ...['A', 'B', 'B − A', 'Samples'].map(number)],
          metrics.map((metric) => ({
            cells: [
              metric.metric,
              named(metric.output),
              formatMetric(metric, metric.a.value),
              formatMetric(metric, metric.b.value),
              formatDifference(metric),
              formatInteger(metric.a.n),
            ],
          })),
        ),
    table(
      'Outputs',
      [
        { title: 'Output', kind: 'name' },
        { title: 'Type', kind: 'short' },
        ...['Largest |A − B|', 'Mean |A − B|', 'SQNR', 'Cosine', 'Same'].map(number),
      ],
      outputs.map((output) => ({ cells: outputCells(output) })),
    ),
    remarks.length === 0 ? undefined : list(remarks),
    changedAnswers(comparison),
  );
}

function number(title: string) {
  return { title, kind: 'number' } as const;
}

function outputCells(output: OutputDifference): readonly Child[] {
  const { name, dataTypeA, dataTypeB, maxAbs, meanAbs, sqnrDb, cosine, top1Agreement, exactEqual, incomparable } =
    output;
  const type = dataTypeA === dataTypeB ? dataTypeA : `${dataTypeA} / ${dataTypeB}`;
  const cells = [named(name), type];
  if (incomparable !== undefined) return [...cells, ...Array.from({ length: 5 }, () => MISSING)];
  return [
    ...cells,
    figureText(maxAbs, formatNumber),
    figureText(meanAbs, formatNumber),
    sqnrDb === undefined ? MISSING : formatSqnr(sqnrDb),
    figureText(cosine, (value) => value.toFixed(5)),
    top1Agreement === undefined
      ? figureText(exactEqual, formatPercent)
      : `${figureText(top1Agreement.value, formatPercent)} top-1`,
  ];
}

function remarksOf(output: OutputDifference): readonly Child[] {
  const { name, nonFinite, shapeMismatches, incomparable } = output;
  const { a, b } = nonFinite;
  const remarks: Child[] = [];
  const measure = measurePhrase(output);
  if (measure !== undefined) remarks.push([named(name), ': ', named(measure)]);
  const channel = output.measure?.kind === 'values' ? undefined : channelPhrase(output);
  if (channel !== undefined) remarks.push([named(name), ': ', channel]);
  if (incomparable !== undefined) remarks.push([named(name), ': ', named(incomparable)]);
  if (a > 0 || b > 0) {
    remarks.push([named(name), `: ${formatInteger(a)} values of A and ${formatInteger(b)} of B are NaN or infinite`]);
  }
  if (shapeMismatches > 0) remarks.push([named(name), `: shapes differ in ${plural(shapeMismatches, 'run')}`]);
  return remarks;
}

/** Passes in their order, with what each did or why it did nothing. */
export function stepsTable(steps: readonly StepReport[]): Markup | undefined {
  if (steps.length === 0) return undefined;
  const someRefused = steps.some(({ refused }) => refused !== undefined);
  return table(
    'Steps',
    [
      { title: 'Step', kind: 'name' },
      ...['Changes', 'Nodes before', 'Nodes after'].map(number),
      ...(someRefused ? [{ title: 'Why not', kind: 'why' as const }] : []),
    ],
    steps.map(({ pass, changes, nodesBefore, nodesAfter, refused }) => ({
      cells: [
        named(pass),
        ...[changes, nodesBefore, nodesAfter].map(formatInteger),
        ...(someRefused ? [refused === undefined ? undefined : named(refused)] : []),
      ],
    })),
  );
}

/** The files of the models, with their hashes. */
export function filesSection(models: readonly (readonly [role: string, model: ReportModel])[]): Markup {
  return section(
    'files',
    'Files',
    keyValues(
      models.flatMap(([role, model]) => fileRows(role, model)),
      true,
    ),
  );
}

/** Rows of a list of files: the model, then what it refers to. */
export function fileRows(role: string, model: ReportModel): readonly (readonly [string, Child])[] {
  return [model, ...(model.externalData ?? [])].map((file, i) => [
    i === 0 ? role : `${role}, data`,
    fragment(
      named(file.name),
      `, ${formatBytes(file.sizeBytes)}`,
      file.sha256 === undefined ? undefined : [', SHA-256 ', element('code', {}, file.sha256)],
    ),
  ]);
}
