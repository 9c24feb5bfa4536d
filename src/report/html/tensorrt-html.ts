import { formatLatency } from '../bench-format.js';
import { formatBytes, formatInteger, formatPercent } from '../format.js';
import { rankedBars } from '../svg/ranked-bars.js';
import { engineBench } from '../tensorrt-bench.js';
import type { EngineLayer, TensorRtReport } from '../tensorrt-types.js';
import {
  buildWords,
  conditionsWords,
  deviceWords,
  namedSpans,
  precisionShares,
  profileWords,
} from '../tensorrt-words.js';
import { configurationFigures } from './bench-configuration.js';
import { regressionsSection } from './bench-gates.js';
import { headline } from './bench-headline.js';
import { type Density, latencyPart } from './bench-latency.js';
import { budgetsSection } from './budgets-section.js';
import { figureText } from './figures.js';
import { element, type Markup } from './markup.js';
import { eyebrow, notesSection, warnings } from './model-change.js';
import { page } from './page.js';
import { contents, figure, keyFigures, keyValues, lead, named, section, table } from './parts.js';

const DENSITY: Density = { mostBins: 60, curvePoints: 240, isWide: true, columnWidth: 1, profileRows: 15, starts: 12 };
const MOST_BARS = 20;
const MOST_LAYERS = 400;
const MOST_FUSED = 12;

/** The report of an engine as one page that stands alone. */
export function tensorRtHtml(report: TensorRtReport): string {
  const { engine, model, measurement, budgets, regressions, notes, verdict } = report;
  const bench = engineBench(report);
  const parts = [
    {
      id: 'budgets',
      title: 'Budgets',
      part: budgetsSection(
        budgets,
        false,
        'A budget is held or broken only where the queries show it with 95 % confidence.',
      ),
    },
    { id: 'regression', title: 'Against the baseline', part: regressionsSection(regressions) },
    { id: 'latency', title: 'Measurements', part: latencySection(report) },
    { id: 'layers', title: 'Layers', part: layersSection(report.layers) },
    { id: 'engine', title: 'Engine', part: engineSection(report) },
    { id: 'notes', title: 'Notes', part: notesSection(notes) },
  ].filter(({ part }) => part !== undefined);
  const conditions = conditionsWords(report);
  return page(
    `${engine.name} – serve-opt tensorrt${verdict === undefined ? '' : `: ${verdict}`}`,
    element(
      'header',
      {},
      eyebrow('tensorrt', report),
      element('h1', {}, named(engine.name)),
      element(
        'p',
        { class: 'subject' },
        model === undefined ? undefined : ['built from ', named(model.name), ' · '],
        report.tensorRtVersion === undefined ? 'TensorRT' : `TensorRT ${report.tensorRtVersion}`,
        conditions === undefined ? undefined : ` · ${conditions}`,
      ),
      bench ? headline(bench) : warnings(report.warnings),
      keyFigures(
        measurement
          ? configurationFigures(measurement)
          : [{ name: 'Engine size', value: figureText(engine.sizeBytes, formatBytes) }],
      ),
      contents(parts),
    ),
    parts.map(({ part }) => part),
    element(
      'footer',
      {},
      element(
        'p',
        {},
        'Times are those of trtexec. TensorRT 11 leaves copies out and uses CUDA graphs by default; older versions are asked to do the same, so that versions compare.',
      ),
      element('p', {}, 'This page loads nothing and runs nothing.'),
    ),
  );
}

function latencySection(report: TensorRtReport): Markup | undefined {
  const { measurement, budgets } = report;
  const spans = namedSpans(report);
  if (measurement === undefined && spans.length === 0) return undefined;
  return section(
    'latency',
    'Measurements',
    measurement?.segments ? latencyPart(measurement, budgets, DENSITY) : undefined,
    spans.length === 0
      ? undefined
      : [
          element('h3', {}, 'Parts of a query'),
          lead('As trtexec sums them up, of the first process.'),
          table(
            'Parts of a query',
            [
              { title: 'Part' },
              { title: 'Min', kind: 'number' },
              { title: 'Median', kind: 'number' },
              { title: 'Mean', kind: 'number' },
              { title: 'Max', kind: 'number' },
              { title: 'Percentiles', kind: 'short' },
            ],
            spans.map(({ name, span }) => ({
              cells: [
                name,
                figureText(span.minMs, formatLatency),
                figureText(span.medianMs, formatLatency),
                figureText(span.meanMs, formatLatency),
                figureText(span.maxMs, formatLatency),
                span.percentiles.map(({ percent, ms }) => `p${percent} ${formatLatency(ms)}`).join(', '),
              ],
            })),
          ),
        ],
  );
}

function layersSection(layers: readonly EngineLayer[]): Markup | undefined {
  if (layers.length === 0) return undefined;
  const timed = layers.filter(({ averageMs }) => averageMs !== undefined);
  const shares = precisionShares(layers);
  const groups = shares.map(({ precision }) => precision);
  const groupOf = ({ precision }: EngineLayer): string => precision ?? 'type not told';
  const untyped = layers.filter(({ precision }) => precision === undefined).length;
  const shown = timed.slice(0, MOST_BARS);
  const longest = shown[0]?.share ?? 0;
  const listed = layers.slice(0, MOST_LAYERS);
  return section(
    'layers',
    'Layers',
    shown.length === 0
      ? undefined
      : element(
          'div',
          { class: 'charts' },
          figure(
            'Slowest layers',
            `The ${shown.length} slowest of ${formatInteger(timed.length)}. Profiling takes time, so sums can exceed the latency.`,
            rankedBars(
              'Layers by time',
              shown.map((layer) => ({
                name: layer.name,
                value: `${figureText(layer.averageMs, formatLatency)} · ${figureText(layer.share, formatPercent)}`,
                share: longest > 0 ? (layer.share ?? 0) / longest : 0,
                group: groupOf(layer),
              })),
              groups.length > 0 ? [...groups, ...(untyped > 0 ? ['type not told'] : [])] : ['type not told'],
            ),
          ),
          shares.length === 0
            ? undefined
            : figure(
                'Types of outputs',
                untyped > 0
                  ? `Of ${formatInteger(untyped)} ${untyped === 1 ? 'layer' : 'layers'} TensorRT tells no type.`
                  : 'What layers compute with, by their time.',
                rankedBars(
                  'Time by type',
                  shares.map((each) => ({
                    name: `${each.precision}  ×${formatInteger(each.layers)}`,
                    value: formatPercent(each.share),
                    share: each.share,
                    group: each.precision,
                  })),
                  groups,
                ),
              ),
        ),
    table(
      'Layers of the engine',
      [
        { title: 'Layer', kind: 'name' },
        { title: 'Nodes of the model', kind: 'name' },
        { title: 'Kind', kind: 'short' },
        { title: 'Type', kind: 'short' },
        { title: 'Mean time', kind: 'number' },
        { title: 'Share', kind: 'number' },
      ],
      listed.map((layer) => ({
        cells: [
          named(layer.name),
          fusedText(layer.fused),
          layer.type ?? '',
          layer.precision ?? '',
          figureText(layer.averageMs, formatLatency),
          figureText(layer.share, formatPercent),
        ],
      })),
    ),
    layers.length > listed.length
      ? lead(`${formatInteger(layers.length - listed.length)} more layers are in the JSON report.`)
      : undefined,
  );
}

function fusedText(fused: readonly string[]): string {
  if (fused.length === 0) return '–';
  const more = fused.length - MOST_FUSED;
  return `${fused.slice(0, MOST_FUSED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function engineSection(report: TensorRtReport): Markup {
  const { engine, model, converted, inputs, outputs, profiles, trtexec, image, precision, environment } = report;
  const shape = (dims: readonly number[] | undefined): string =>
    dims === undefined ? '?' : dims.join('×') || 'scalar';
  return section(
    'engine',
    'Engine',
    keyValues(
      [
        ['Engine', [named(engine.name), `, ${formatBytes(engine.sizeBytes)}`]],
        ['Model', model === undefined ? undefined : named(model.name)],
        [
          'Converted before',
          converted === undefined
            ? undefined
            : `to ${converted.mode.toUpperCase()}, ${formatInteger(converted.layers)} layers`,
        ],
        ['Precision', precision],
        ['Build', buildWords(report)],
        ['GPU', deviceWords(report)],
        ['Driver', environment?.gpus?.[0]?.driver],
        ['Image', image === undefined ? undefined : named(image)],
        ...profiles.map(({ inputs: shapes }, i) => [`Profile ${i}`, shapes.map(profileWords).join('; ')] as const),
        ['Arguments of trtexec', element('code', {}, trtexec.join(' '))],
      ],
      true,
    ),
    table(
      'Inputs and outputs',
      [{ title: 'Name', kind: 'name' }, { title: 'Direction' }, { title: 'Type' }, { title: 'Dimensions' }],
      [
        ...inputs.map((each) => ({ cells: [named(each.name), 'input', each.type, shape(each.dims)] })),
        ...outputs.map((each) => ({ cells: [named(each.name), 'output', each.type, shape(each.dims)] })),
      ],
    ),
  );
}
