import { formatSqnr } from '../comparison-words.js';
import { formatBytes, formatNumber, plural } from '../format.js';
import { ratioInterval } from '../latency-words.js';
import type { AlternativeReport, SearchReport } from '../search-types.js';
import { FORM_WORDS, notTriedSentence, stepWords } from '../search-words.js';
import { rankedBars } from '../svg/ranked-bars.js';
import type { Markup } from './markup.js';
import { figure, lead, named, result, section, table } from './parts.js';

/** Layers that get a bar. */
const MOST_BARS = 15;

/** Every choice of layers that was tried, and what each layer loses alone. */
export function searchSection(search: SearchReport | undefined): Markup | undefined {
  if (search === undefined) return undefined;
  const { maxDrop, samples, source, layers, kept, met, steps, notTried, ranking = [] } = search;
  const goal =
    maxDrop === undefined
      ? 'Outputs should keep what they say'
      : `Largest drop ${Number((100 * maxDrop).toPrecision(6))} %`;
  const outcome = met ? `${kept} of ${plural(layers, 'layer')} stay in FP32` : 'no choice of layers keeps it';
  return section(
    'search',
    'Layers kept for accuracy',
    lead(`${goal} on ${plural(samples, 'sample')} of `, named(source), `: ${outcome}.`),
    table(
      'Choices of layers that were tried',
      [{ title: 'Layers in FP32', kind: 'number' }, { title: 'Verdict' }, { title: 'Measured', kind: 'why' }],
      steps.map((step) => ({
        cells: [String(step.keptLayers), result(step.verdict), named(stepWords(step))],
      })),
    ),
    notTried === undefined ? undefined : lead(notTriedSentence(notTried)),
    ranking.length === 0 ? undefined : rankingFigure(ranking),
  );
}

function rankingFigure(ranking: NonNullable<SearchReport['ranking']>): Markup {
  const shown = ranking.slice(0, MOST_BARS);
  const finite = ranking.map(({ sqnrDb }) => sqnrDb).filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const more = ranking.length > shown.length ? ` The ${shown.length} most sensitive of ${ranking.length}.` : '';
  return figure(
    'SQNR of the outputs with one layer quantized',
    `Longer bars lose more.${more}`,
    rankedBars(
      'SQNR of the outputs with one layer quantized, most sensitive first',
      shown.map(({ name, opType, sqnrDb, weightBytes }) => ({
        name,
        value: `${formatSqnr(sqnrDb)} · ${formatBytes(weightBytes)}`,
        share: !Number.isFinite(sqnrDb) ? (sqnrDb < 0 ? 1 : 0) : high > low ? (high - sqnrDb) / (high - low) : 1,
        group: opType,
      })),
      [...new Set(shown.map(({ opType }) => opType))],
    ),
  );
}

/** Forms of the model that were timed beside the original, and what was delivered. */
export function alternativesSection(alternatives: readonly AlternativeReport[] = []): Markup | undefined {
  if (alternatives.length === 0) return undefined;
  return section(
    'alternatives',
    'Forms beside the original',
    lead('INT8 was slower than the original on this machine, in several processes: other forms were timed.'),
    table(
      'Forms that were timed',
      [
        { title: 'Form' },
        { title: 'Time of the original', kind: 'number' },
        { title: 'Outcome', kind: 'short' },
        { title: 'Why', kind: 'why' },
      ],
      alternatives.map(({ form, ratio, ratioLow, ratioHigh, outcome, why }) => ({
        cells: [
          FORM_WORDS[form],
          ratio === undefined ? 'not timed' : `${formatNumber(ratio)}×${ratioInterval(ratioLow, ratioHigh)}`,
          outcome,
          named(why),
        ],
        isBest: outcome === 'delivered',
      })),
    ),
  );
}
