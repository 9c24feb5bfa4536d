import { observerCounts, triedRows } from '../calibration-words.js';
import { formatNumber, formatPercent, plural } from '../format.js';
import { rangeBars } from '../svg/range-bars.js';
import type { CalibrationReport, ObservedRangeReport } from '../types.js';
import type { Markup } from './markup.js';
import { MOST_ROWS } from './model-change.js';
import { figure, lead, named, section, table } from './parts.js';

/** Tensors that are drawn. */
const MOST_BARS = 16;

/** On what ranges of activations were measured, how they were chosen, and how they lie over the values that were seen. */
export function calibrationSection(calibration: CalibrationReport | undefined): Markup | undefined {
  if (calibration === undefined) return undefined;
  const { source, samples, method, tensors = [], tried = [] } = calibration;
  const ranked = [...tensors].sort((a, b) => cutShare(b) - cutShare(a));
  const counts = observerCounts(calibration);
  return section(
    'calibration',
    'Calibration',
    lead(
      `Ranges of activations: ${method} over ${plural(samples, 'sample')} of `,
      named(source),
      counts === undefined ? '.' : ` (${counts}). Samples that judge the result took no part.`,
    ),
    tried.length === 0
      ? undefined
      : table(
          'Ranges tried on the outputs of held-out samples',
          [
            { title: 'Ranges' },
            { title: 'SQNR of each half', kind: 'number' },
            { title: 'Agreement', kind: 'number' },
            { title: 'Samples', kind: 'number' },
          ],
          triedRows(calibration).map(({ cells, isChosen }) => ({ cells, isBest: isChosen })),
        ),
    ranked.length === 0
      ? undefined
      : [
          figure(
            'Ranges over the values seen',
            `Those that cut off most come first.${ranked.length > MOST_BARS ? ` ${MOST_BARS} of ${plural(ranked.length, 'tensor')}.` : ''}`,
            rangeBars(
              'Range of each tensor over the values that were seen',
              ranked.slice(0, MOST_BARS).map((each) => ({
                name: each.name,
                value: `${rangeText(each.min, each.max)} · ${each.observer}`,
                low: each.min,
                high: each.max,
                seenLow: each.seenMin,
                seenHigh: each.seenMax,
              })),
            ),
          ),
          table(
            'Ranges of activations',
            [
              { title: 'Tensor', kind: 'name' },
              { title: 'Observer', kind: 'short' },
              { title: 'Range', kind: 'number' },
              { title: 'Values seen', kind: 'number' },
              { title: 'Span cut off', kind: 'number' },
              { title: 'Expected squared error', kind: 'number' },
            ],
            ranked.slice(0, MOST_ROWS).map((each) => ({
              cells: [
                named(each.name),
                each.observer,
                rangeText(each.min, each.max),
                rangeText(each.seenMin, each.seenMax),
                formatPercent(cutShare(each)),
                formatNumber(each.expectedError),
              ],
            })),
          ),
        ],
  );
}

function rangeText(low: number, high: number): string {
  return `${formatNumber(low)} to ${formatNumber(high)}`;
}

/** Share of the span of the values seen that lies outside the range. */
function cutShare({ min, max, seenMin, seenMax }: ObservedRangeReport): number {
  const span = seenMax - seenMin;
  return span > 0 ? (Math.max(0, min - seenMin) + Math.max(0, seenMax - max)) / span : 0;
}
