import { agreementOf, formatSqnr } from '../../report/comparison-words.js';
import { formatBytes, plural } from '../../report/format.js';
import { safeText } from '../../report/safe-text.js';
import type { SensitivityReport } from '../../report/sensitivity-types.js';
import { halfOfNoise, rankingPhrase } from '../../report/sensitivity-words.js';
import { floatLayersText } from './layers-text.js';
import { type Cell, renderTable } from './table.js';
import type { TextOptions } from './text-options.js';
import { wrapLine } from './wrap.js';

/** Rows of the table without `-v`. */
const SHORT_LIST = 20;

/** The answer of `serve-opt sensitivity` for people: the ranking, how it was measured, and what all layers together lose. */
export async function renderSensitivity(report: SensitivityReport, options: TextOptions): Promise<string> {
  const { style, columns, verbosity } = options;
  const { layers, leftInFloat, allTogether, calibration } = report;
  const line = (text: string): string => wrapLine(safeText(text), columns);
  const parts: string[] = [];
  if (layers.length > 0) {
    const shown = verbosity > 0 ? layers : layers.slice(0, SHORT_LIST);
    parts.push(await layersTable(report, shown, options));
    if (shown.length < layers.length) parts.push(`and ${plural(layers.length - shown.length, 'layer')} more: add -v`);
    parts.push('', line(`Ranked by the SQNR of the outputs: ${rankingPhrase(report)}`));
    const half = halfOfNoise(report);
    if (half !== undefined) parts.push(line(`Half of the noise comes from ${half}`));
  }
  if (calibration)
    parts.push(
      line(
        `Ranges of activations: ${calibration.method} over ${plural(calibration.samples, 'sample')} of ${calibration.source}`,
      ),
    );
  const together = allTogether && agreementOf(allTogether);
  if (allTogether && together)
    parts.push(
      line(
        `All layers together: ${together.value} ${together.what}${together.beside === undefined ? '' : `, ${together.beside}`}, n = ${allTogether.samples}`,
      ),
    );
  if (leftInFloat.length > 0) parts.push('', style.bold('Not quantized:'), floatLayersText(leftInFloat, options));
  for (const note of report.notes) parts.push(line(`note: ${note}`));
  return parts.join('\n');
}

function layersTable(
  { layers }: SensitivityReport,
  shown: SensitivityReport['layers'],
  options: TextOptions,
): Promise<string> {
  const hasAgreement = layers.some(({ agreement }) => agreement !== undefined);
  const titles = [
    { title: '', align: 'right' },
    { title: 'layer', flexible: true },
    { title: 'operator' },
    { title: 'weights', align: 'right' },
    { title: 'SQNR', align: 'right' },
    ...(hasAgreement ? [{ title: 'agreement', align: 'right' } as const] : []),
  ] as const;
  const rows = shown.map(
    ({ name, opType, weightBytes, sqnrDb, together, agreement, failure }, index): readonly Cell[] => [
      String(index + 1),
      safeText(name),
      safeText(opType),
      formatBytes(weightBytes),
      failure === undefined ? `${together > 1 ? '~' : ''}${formatSqnr(sqnrDb)}` : 'fails',
      ...(hasAgreement ? [agreement === undefined ? '' : `${(100 * agreement).toFixed(1)} %`] : []),
    ],
  );
  return renderTable(titles, rows, options);
}

/** `most sensitive: conv1 (12.3 dB), head (20.1 dB)`. */
export function sensitivitySummary({ model, layers }: SensitivityReport): string {
  const worst = layers.slice(0, 3).map(({ name, sqnrDb }) => `${safeText(name)} ${formatSqnr(sqnrDb)}`);
  return `${model.name} ${plural(layers.length, 'layer')}${worst.length > 0 ? ` · most sensitive: ${worst.join(', ')}` : ''}`;
}
