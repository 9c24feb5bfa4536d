import { agreementOf, formatSqnr } from '../comparison-words.js';
import { capital, formatBytes, plural } from '../format.js';
import type { SensitivityLayerReport } from '../search-types.js';
import type { SensitivityReport } from '../sensitivity-types.js';
import { halfOfNoise, rankingPhrase } from '../sensitivity-words.js';
import { rankedBars } from '../svg/ranked-bars.js';
import { element, type Markup } from './markup.js';
import { comparisonSection, eyebrow, MOST_ROWS, notesSection, warnings } from './model-change.js';
import { page } from './page.js';
import { figure, keyFigures, lead, named, section, table } from './parts.js';

/** Layers that get a bar. */
const MOST_BARS = 40;

/** The report of `sensitivity` as one page that stands alone. */
export function sensitivityHtml(report: SensitivityReport): string {
  const { model, layers, allTogether } = report;
  const together = allTogether && agreementOf(allTogether);
  const [worst] = layers;
  const half = halfOfNoise(report);
  return page(
    `${model.name} – serve-opt sensitivity`,
    element(
      'header',
      {},
      eyebrow('sensitivity', report),
      element('h1', {}, named(model.name)),
      element('p', { class: 'subject' }, named(`${capital(rankingPhrase(report))}.`)),
      warnings(report.warnings),
      keyFigures([
        ...(worst === undefined
          ? []
          : [{ name: 'Most sensitive', value: sqnrText(worst), detail: `${worst.opType} ${worst.name}` }]),
        ...(half === undefined
          ? []
          : [{ name: 'Half of the noise', value: half, detail: 'from the first of the ranking' }]),
        ...(together === undefined ? [] : [{ name: 'All together', value: together.value, detail: together.what }]),
      ]),
    ),
    rankingSection(report),
    comparisonSection('All layers together', allTogether, ' A is the original, B has every layer quantized.'),
    leftSection(report),
    notesSection(report.notes),
  );
}

function rankingSection({ layers }: SensitivityReport): Markup | undefined {
  if (layers.length === 0) return undefined;
  const shown = layers.slice(0, MOST_BARS);
  const finite = layers.map(({ sqnrDb }) => sqnrDb).filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const shareOf = ({ sqnrDb }: SensitivityLayerReport): number => {
    if (sqnrDb === Number.NEGATIVE_INFINITY) return 1;
    if (!Number.isFinite(sqnrDb)) return 0;
    return high > low ? 0.04 + (0.96 * (high - sqnrDb)) / (high - low) : 1;
  };
  const groups = [...new Set(shown.map(({ opType }) => opType))];
  const more = layers.length - shown.length;
  return section(
    'ranking',
    'Ranking',
    lead('What the outputs keep when one layer is quantized and the others are not: a low SQNR is a sensitive layer.'),
    figure(
      'SQNR of the outputs by layer',
      `Longer bars lose more; lengths are in dB, from ${formatSqnr(high)} to ${formatSqnr(low)}.${more > 0 ? ` The ${shown.length} most sensitive of ${plural(layers.length, 'layer')}.` : ''}`,
      rankedBars(
        'SQNR of the outputs with one layer quantized, most sensitive first',
        shown.map((layer) => ({
          name: layer.name,
          value: sqnrText(layer),
          share: shareOf(layer),
          group: layer.opType,
        })),
        groups,
      ),
    ),
    table(
      'Layers, most sensitive first',
      [
        { title: 'Layer', kind: 'name' },
        { title: 'Operator', kind: 'short' },
        { title: 'Weights', kind: 'number' },
        { title: 'SQNR', kind: 'number' },
        { title: 'Worst channel', kind: 'number' },
        { title: 'Agreement', kind: 'number' },
      ],
      layers.slice(0, MOST_ROWS).map((layer) => ({
        cells: [
          named(layer.name),
          named(layer.opType),
          formatBytes(layer.weightBytes),
          sqnrText(layer),
          layer.worstChannelDb === undefined ? '' : formatSqnr(layer.worstChannelDb),
          layer.agreement === undefined ? '' : `${(100 * layer.agreement).toFixed(1)} %`,
        ],
      })),
    ),
  );
}

function leftSection({ leftInFloat }: SensitivityReport): Markup | undefined {
  if (leftInFloat.length === 0) return undefined;
  return section(
    'left',
    'Not quantized',
    table(
      'Layers that this mode does not quantize',
      [
        { title: 'Layer', kind: 'name' },
        { title: 'Operator', kind: 'short' },
        { title: 'Weights', kind: 'number' },
        { title: 'Why', kind: 'why' },
      ],
      leftInFloat.slice(0, MOST_ROWS).map(({ name, opType, weightBytes, reason }) => ({
        cells: [named(name), named(opType), formatBytes(weightBytes), named(reason)],
      })),
    ),
  );
}

function sqnrText({ sqnrDb, together, failure }: SensitivityLayerReport): string {
  return failure === undefined ? `${together > 1 ? '≈ ' : ''}${formatSqnr(sqnrDb)}` : 'fails';
}
