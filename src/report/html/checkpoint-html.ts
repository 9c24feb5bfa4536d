import type { CheckpointReport } from '../checkpoint-types.js';
import { CHECKPOINT_MODE_WORDS, layerKinds, leftKinds } from '../checkpoint-words.js';
import { formatBytes, formatChange, formatInteger, plural } from '../format.js';
import { rankedBars } from '../svg/ranked-bars.js';
import { element, type Markup } from './markup.js';
import { eyebrow, notesSection, warnings } from './model-change.js';
import { page } from './page.js';
import { figure, keyFigures, lead, named, section, table } from './parts.js';

const MOST_BARS = 15;
const MOST_LAYERS = 400;
/** More than 8 bits give. */
const WHOLE_BAR_DB = 60;

/** The report of `quantize --for vllm` as one page that stands alone. */
export function checkpointHtml(report: CheckpointReport): string {
  const { input, output, parameters, mode } = report;
  return page(
    `${input.name} – serve-opt quantize`,
    element(
      'header',
      {},
      eyebrow('quantize', report),
      element('h1', {}, named(input.name)),
      element('p', { class: 'subject' }, `For vLLM: ${CHECKPOINT_MODE_WORDS[mode]}, ${report.format}`),
      warnings(report.warnings),
      keyFigures([
        {
          name: 'Weights',
          value: formatBytes(output.weightBytes),
          detail: `${formatChange(input.weightBytes, output.weightBytes)} of ${formatBytes(input.weightBytes)}`,
        },
        { name: 'Layers quantized', value: formatInteger(report.quantized.length) },
        {
          name: 'Parameters quantized',
          value: `${((100 * parameters.quantized) / Math.max(1, parameters.total)).toFixed(1)} %`,
          detail: `of ${formatInteger(parameters.total)}`,
        },
      ]),
    ),
    layersSection(report),
    leftSection(report),
    section(
      'files',
      'Files',
      table(
        'Files that were written',
        [
          { title: 'File', kind: 'name' },
          { title: 'Size', kind: 'number' },
        ],
        report.files.map(({ path, sizeBytes }) => ({ cells: [named(path), formatBytes(sizeBytes)] })),
      ),
      report.skipped.length > 0 ? lead(`Not taken along: ${report.skipped.join(', ')}.`) : undefined,
    ),
    notesSection(report.notes),
  );
}

function layersSection(report: CheckpointReport): Markup {
  const finite = report.quantized.filter(({ sqnrDb }) => Number.isFinite(sqnrDb));
  const worst = [...finite].sort((a, b) => a.sqnrDb - b.sqnrDb).slice(0, MOST_BARS);
  const shown = report.quantized.slice(0, MOST_LAYERS);
  return section(
    'layers',
    'Layers',
    lead('Signal over rounding noise of the weights: 6 dB more are half of the error.'),
    table(
      'Kinds of layers',
      [
        { title: 'Layers', kind: 'name' },
        { title: 'Count', kind: 'number' },
        { title: 'Parameters', kind: 'number' },
        { title: 'Least SQNR', kind: 'number' },
      ],
      layerKinds(report).map(({ kind, layers, parameters, leastSqnrDb }) => ({
        cells: [named(kind), formatInteger(layers), formatInteger(parameters), decibels(leastSqnrDb)],
      })),
    ),
    worst.length === 0
      ? undefined
      : figure(
          `The ${plural(worst.length, 'layer')} with the least SQNR`,
          'In dB, worst first.',
          rankedBars(
            'SQNR of weights by layer',
            worst.map(({ name, sqnrDb }) => ({
              name,
              value: decibels(sqnrDb),
              share: sqnrDb / WHOLE_BAR_DB,
              group: 'SQNR',
            })),
            ['SQNR'],
          ),
        ),
    table(
      shown.length < report.quantized.length ? `The first ${shown.length} layers` : 'All layers',
      [
        { title: 'Layer', kind: 'name' },
        { title: 'Outputs', kind: 'number' },
        { title: 'Inputs', kind: 'number' },
        { title: 'SQNR', kind: 'number' },
      ],
      shown.map(({ name, outputs, inputs, sqnrDb }) => ({
        cells: [named(name), formatInteger(outputs), formatInteger(inputs), decibels(sqnrDb)],
      })),
    ),
  );
}

function leftSection(report: CheckpointReport): Markup | undefined {
  const left = leftKinds(report);
  if (left.length === 0) return undefined;
  return section(
    'left',
    'Stays as it is',
    table(
      'Matrices that are not quantized',
      [
        { title: 'Layers', kind: 'name' },
        { title: 'Count', kind: 'number' },
        { title: 'Why', kind: 'why' },
      ],
      left.map(({ kind, count, reason }) => ({ cells: [named(kind), formatInteger(count), reason] })),
    ),
  );
}

function decibels(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(1)} dB` : '∞';
}
