import { agreementOf } from '../comparison-words.js';
import { capital, formatBytes, plural } from '../format.js';
import { layersPhrase } from '../layers-phrase.js';
import { MODE_WORDS, nodeCounts, samplesPhrase, slowerSentence } from '../quantize-words.js';
import { rankedBars } from '../svg/ranked-bars.js';
import type { LayerReport, QuantizeReport } from '../types.js';
import { checksOf } from '../verification-words.js';
import { weightOnlyLines } from '../weight-only-words.js';
import { metricFigures } from './answers.js';
import { judgedBanner, judgedSection } from './budgets-section.js';
import { calibrationSection } from './calibration-section.js';
import { element, type Markup } from './markup.js';
import {
  changeFigures,
  checksBanner,
  comparisonSection,
  eyebrow,
  filesSection,
  latencySection,
  MOST_ROWS,
  notesSection,
  stepsTable,
  warnings,
} from './model-change.js';
import { page } from './page.js';
import { figure, keyFigures, lead, named, section, table } from './parts.js';
import { repairSection } from './repair-section.js';
import { alternativesSection, searchSection } from './search-section.js';
import { verificationSection } from './verification-section.js';

/** Operators that get a bar. */
const MOST_BARS = 15;

/** The report of `quantize` as one page that stands alone. */
export function quantizeHtml(report: QuantizeReport): string {
  const { input, output, mode, latency, accuracy, verification, calibration } = report;
  const agreement = verification.comparison && agreementOf(verification.comparison);
  const slower = slowerSentence(report);
  return page(
    `${input.name} – serve-opt quantize`,
    element(
      'header',
      {},
      eyebrow('quantize', report),
      element('h1', {}, named(input.name)),
      element(
        'p',
        { class: 'subject' },
        MODE_WORDS[mode],
        calibration === undefined
          ? undefined
          : [
              `; ranges of activations: ${calibration.method} over ${plural(calibration.samples, 'sample')} of `,
              named(calibration.source),
            ],
      ),
      report.weightOnly === undefined
        ? undefined
        : weightOnlyLines(report.weightOnly).map((text) => element('p', { class: 'subject' }, named(text))),
      checksBanner(checksOf(report)),
      judgedBanner(report),
      warnings([...report.warnings, ...(slower === undefined ? [] : [`${capital(slower)}.`])]),
      keyFigures([
        ...changeFigures(input, output, nodeCounts(report), latency),
        ...metricFigures(accuracy ?? verification.comparison),
        ...(agreement === undefined || verification.comparison === undefined
          ? []
          : [
              {
                name: 'Agreement',
                value: agreement.value,
                detail: `${agreement.what} on ${samplesPhrase(verification.comparison)}`,
              },
            ]),
      ]),
    ),
    judgedSection(report),
    layersSection(report),
    searchSection(report.search),
    alternativesSection(report.alternatives),
    calibrationSection(calibration),
    repairSection(report.repair),
    comparisonSection('Accuracy', accuracy ?? verification.comparison, ' A is the original, B the result.'),
    latencySection(latency, ['the original', 'the result']),
    verificationSection(verification),
    report.steps.length === 0 ? undefined : section('steps', 'Steps', stepsTable(report.steps)),
    filesSection([
      ['Original', input],
      ['Result', output],
    ]),
    notesSection(report.notes),
  );
}

function layersSection({ quantized, leftInFloat }: QuantizeReport): Markup | undefined {
  if (quantized.length + leftInFloat.length === 0) return undefined;
  const bars = barsOf(quantized, leftInFloat);
  return section(
    'layers',
    'Layers',
    lead('Quantized: ', named(layersPhrase(quantized)), '.'),
    bars.length === 0
      ? undefined
      : figure(
          'Weights by operator',
          'Bytes of weights before, quantized and kept in FP32 separately.',
          rankedBars('Weights by operator, quantized or kept in FP32', bars, ['quantized', 'kept in FP32']),
        ),
    leftInFloat.length === 0
      ? undefined
      : [
          element('h3', {}, 'Kept in FP32'),
          leftInFloat.length > MOST_ROWS
            ? lead(`The ${MOST_ROWS} heaviest of ${plural(leftInFloat.length, 'layer')}.`)
            : undefined,
          table(
            'Layers kept in FP32',
            [
              { title: 'Layer', kind: 'name' },
              { title: 'Operator', kind: 'short' },
              { title: 'Weights', kind: 'number' },
              { title: 'Why', kind: 'why' },
            ],
            [...leftInFloat]
              .sort((a, b) => b.weightBytes - a.weightBytes)
              .slice(0, MOST_ROWS)
              .map(({ name, opType, weightBytes, reason }) => ({
                cells: [named(name), named(opType), formatBytes(weightBytes), named(reason)],
              })),
          ),
        ],
  );
}

/** Bytes of weights of each operator, the heaviest first. */
function barsOf(quantized: readonly LayerReport[], leftInFloat: readonly LayerReport[]) {
  const sums = [...bytesByOperator(quantized, 'quantized'), ...bytesByOperator(leftInFloat, 'kept in FP32')]
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, MOST_BARS);
  const most = sums[0]?.bytes ?? 1;
  return sums.map(({ name, bytes, group }) => ({ name, value: formatBytes(bytes), share: bytes / most, group }));
}

function bytesByOperator(layers: readonly LayerReport[], group: string) {
  const sums = new Map<string, number>();
  for (const { opType, weightBytes } of layers) sums.set(opType, (sums.get(opType) ?? 0) + weightBytes);
  return [...sums].map(([name, bytes]) => ({ name, bytes, group }));
}
