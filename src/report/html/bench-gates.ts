import type { RegressionReport } from '../../bench/results.js';
import { formatInteger, formatNumber, formatPercent } from '../format.js';
import { ratioPlot } from '../svg/ratio-plot.js';
import { figureText, isFigure, ratioText } from './figures.js';
import { type Child, element, fragment, type Markup } from './markup.js';
import { empty, figure, keyValues, lead, named, result, section } from './parts.js';

/** Every comparison with a baseline, drawn. */
export function regressionsSection(regressions: readonly RegressionReport[]): Markup | undefined {
  if (regressions.length === 0) return undefined;
  return section(
    'regression',
    regressions.length === 1 ? 'Against the baseline' : 'Against baselines',
    lead(
      '"Slower" requires the whole interval above 1, and an effect above both the least effect that counts and the noise of this run.',
    ),
    ...regressions.map(regression),
  );
}

function regression(report: RegressionReport): Markup {
  const { configuration, baseline, kind, ratio, noise, minEffect, rounds, hodgesLehmann, wilcoxonP } = report;
  const name = `Latency of ${configuration} over that of ${baseline}`;
  const canDraw = isFigure(ratio?.value) || rounds.some((round) => isFigure(round.ratio));
  return fragment(
    element('h3', {}, named(configuration), ' against ', named(baseline), ' ', result(report.verdict)),
    lead(named(report.why)),
    element(
      'div',
      { class: 'charts' },
      figure(
        'Ratio of latencies',
        regressionWords(report),
        canDraw ? ratioPlot(name, report) : empty('No ratio to draw.'),
      ),
      element(
        'div',
        {},
        keyValues(
          [
            [
              kind === 'model' ? 'Ratio, median of paired blocks' : 'Ratio of process medians',
              figureText(ratio?.value, ratioText),
            ],
            [
              '95 % interval',
              isFigure(ratio?.low) && isFigure(ratio.high)
                ? `${ratioText(ratio.low)}–${ratioText(ratio.high)}`
                : undefined,
            ],
            ['Noise, baseline against itself', noise === undefined ? undefined : figureText(noise, formatPercent)],
            ['Smallest effect that counts', figureText(minEffect, formatPercent)],
            ['Fresh processes', rounds.length === 0 ? undefined : formatInteger(rounds.length)],
            [
              'Hodges-Lehmann estimate (decides nothing)',
              hodgesLehmann === undefined ? undefined : figureText(hodgesLehmann, ratioText),
            ],
            ['Wilcoxon p (decides nothing)', wilcoxonP === undefined ? undefined : figureText(wilcoxonP, formatNumber)],
            ['Baseline', kind === 'model' ? 'a model, measured in turns in the same run' : 'an earlier report'],
          ],
          true,
        ),
      ),
    ),
  );
}

function regressionWords({ ratio, noise, rounds }: RegressionReport): Child {
  const parts = ['The large dot is the ratio of all rounds, with its 95 % interval.'];
  if (ratio === undefined) parts[0] = 'No ratio could be computed.';
  if (rounds.length > 0) parts.push('Below it each round, a fresh process.');
  if (noise !== undefined) parts.push('A/A is the baseline against itself: what noise alone does.');
  return parts.join(' ');
}
