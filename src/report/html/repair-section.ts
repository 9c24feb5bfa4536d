import { plural } from '../format.js';
import type { LayerErrorReport, QuantizeRepairReport } from '../repair-types.js';
import { confirmedSentence, gain, layerErrorCells, layerErrorsSentence } from '../repair-words.js';
import { linePlot, type PlotLine } from '../svg/line-plot.js';
import type { Child, Markup } from './markup.js';
import { MOST_ROWS } from './model-change.js';
import { figure, lead, named, section, table } from './parts.js';

/** What each step of the repair gave, and why it was not kept. */
export function repairSection(repair: QuantizeRepairReport | undefined): Markup | undefined {
  if (repair === undefined) return undefined;
  const { steps, fitted, heldOut, givenUp, confirmed } = repair;
  if (givenUp !== undefined)
    return section('repair', 'Repair', lead(`Given up, and nothing of it is kept: ${givenUp}.`));
  const samples = `Steps were made from ${plural(fitted, 'calibration sample')}; ${heldOut} others decided whether each was kept.`;
  return section(
    'repair',
    'Repair',
    lead(`${samples} Signal to noise is that of the outputs of the model, averaged.`),
    table(
      'Steps of the repair',
      [{ title: 'Step' }, { title: 'Signal to noise' }, { title: 'Kept' }, { title: 'What', kind: 'why' }],
      steps.map((step) => ({
        cells: [step.step, gain(step).trim() || 'not tried', step.kept ? 'yes' : 'no', step.what],
      })),
    ),
    confirmed === undefined ? undefined : lead(`${confirmedSentence(confirmed)}.`),
    layersPart(repair),
  );
}

/** What the outputs of each layer keep, before and after. */
function layersPart(repair: QuantizeRepairReport): Child {
  const { layers = [] } = repair;
  const lines = linesOf(layers);
  if (lines.length === 0) return undefined;
  return [
    figure(
      'Signal to noise of the outputs of each layer',
      layerErrorsSentence(repair),
      linePlot('SQNR by layer, before and after the repair', lines, {
        x: 'layer, in the order of the graph',
        y: 'SQNR, dB',
      }),
    ),
    layers.length > MOST_ROWS ? lead(`The first ${MOST_ROWS} of ${plural(layers.length, 'layer')}.`) : undefined,
    table(
      'Layers before and after the repair',
      [
        { title: 'Layer', kind: 'name' },
        { title: 'Operator', kind: 'short' },
        { title: 'SQNR before', kind: 'number' },
        { title: 'SQNR after', kind: 'number' },
      ],
      layers.slice(0, MOST_ROWS).map((layer) => ({
        cells: [named(layer.name), named(layer.opType), ...layerErrorCells(layer)],
      })),
    ),
  ];
}

function linesOf(layers: readonly LayerErrorReport[]): PlotLine[] {
  const line = (name: string, of: (layer: LayerErrorReport) => number | undefined): PlotLine => ({
    name,
    points: layers
      .map((layer, at) => ({ x: at + 1, y: of(layer) ?? Number.NaN }))
      .filter(({ y }) => Number.isFinite(y)),
  });
  const both = [line('before', ({ sqnrBeforeDb }) => sqnrBeforeDb), line('after', ({ sqnrAfterDb }) => sqnrAfterDb)];
  return both.filter(({ points }) => points.length > 0);
}
