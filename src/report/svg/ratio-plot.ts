import type { RegressionReport } from '../../bench/results.js';
import { formatNumber, plural } from '../format.js';
import { decimal, element, type Markup } from '../html/markup.js';
import { CHART_WIDTH, chart, label, legend, path, tooltip, xAxis } from './chart.js';
import { logScale, type Scale } from './scale.js';

const ROW = 34;

/** Ratios that can be drawn. */
function isRatio(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

/** What is drawn of a comparison of latencies; a regression is one. */
export type RatioData = Pick<RegressionReport, 'ratio' | 'noise' | 'rounds'> & { readonly minEffect?: number };

/**
 * A ratio of latencies with its interval against 1, the effect that counts and the noise of the run itself; below them the
 * ratio of each round, and of the baseline against itself. The axis is logarithmic: half and twice are as far from 1, and
 * nothing of it is negative.
 */
export function ratioPlot(name: string, { ratio, noise, minEffect, rounds }: RatioData, than = 'the baseline'): Markup {
  const own = rounds.filter((round) => isRatio(round.ratio));
  const self = rounds.flatMap(({ selfRatio, pairs }) => (isRatio(selfRatio) ? [{ ratio: selfRatio, pairs }] : []));
  const main = ratio !== undefined && isRatio(ratio.value) ? ratio : undefined;
  const bands = [
    { name: 'effects that do not count', style: 'effect', size: minEffect },
    { name: 'noise of this run (A/A)', style: 'noise', size: noise },
  ].filter((band): band is typeof band & { size: number } => isRatio(band.size));
  const key = legend(
    bands.map((band) => ({ name: band.name, style: band.style })),
    0,
    CHART_WIDTH,
  );
  const rows = [main && 'ratio', own.length > 0 && 'rounds', self.length > 0 && 'A/A'].filter(
    (row) => typeof row === 'string',
  );
  const area = { left: 66, right: CHART_WIDTH - 20, top: key.height + 22, bottom: key.height + 28 + rows.length * ROW };
  const far = [main?.value, main?.low, main?.high, ...own.map((each) => each.ratio), ...self.map((each) => each.ratio)]
    .filter(isRatio)
    .concat(bands.flatMap(({ size }) => [1 + size, 1 / (1 + size)]));
  const [least, most] = [Math.min(1, ...far), Math.max(1, ...far)];
  const room = Math.max(1.01, most / least) ** 0.08;
  const x = logScale(least / room, most * room, [area.left, area.right], 6);
  const height = area.bottom - area.top;
  const centre = (row: string): number => area.top + 4 + (rows.indexOf(row) + 0.5) * ROW;
  return chart(
    name,
    CHART_WIDTH,
    area.bottom + 42,
    key.markup,
    bands.map(({ name: bandName, style, size }) =>
      element(
        'rect',
        {
          x: x.at(1 / (1 + size)),
          y: area.top,
          width: x.at(1 + size) - x.at(1 / (1 + size)),
          height,
          class: `fill ${style}`,
        },
        tooltip(`${bandName}: ±${formatNumber(size * 100)} %`),
      ),
    ),
    path(`M${decimal(x.at(1))} ${area.top - 4}V${area.bottom}`, 'one'),
    label(
      `same as ${than}`,
      x.at(1),
      area.top - 9,
      'quiet',
      x.at(1) > area.right - 120 ? 'end' : x.at(1) < area.left + 70 ? 'start' : 'middle',
    ),
    rows.map((row) => label(row, area.left - 12, centre(row) + 4, '', 'end')),
    main === undefined ? undefined : interval(main, x, centre('ratio')),
    own.map((each) =>
      dot(
        x.at(each.ratio),
        centre('rounds'),
        'mark round-dot',
        `${formatNumber(each.ratio, 4)}: ${plural(each.pairs, 'pair')}`,
      ),
    ),
    self.map((each) =>
      dot(
        x.at(each.ratio),
        centre('A/A'),
        'mark self-dot',
        `A/A ${formatNumber(each.ratio, 4)}: ${plural(each.pairs, 'pair')}`,
      ),
    ),
    xAxis(x, area, (value) => formatNumber(value, 4), `latency over that of ${than} (above 1 is slower)`),
  );
}

function interval(
  ratio: { readonly value: number; readonly low?: number; readonly high?: number },
  x: Scale,
  y: number,
) {
  const { value, low, high } = ratio;
  const ends = isRatio(low) && isRatio(high) ? ([low, high] as const) : undefined;
  const text = ends === undefined ? '' : ` (95 %: ${formatNumber(ends[0], 4)}–${formatNumber(ends[1], 4)})`;
  return element(
    'g',
    { class: 'interval' },
    ends === undefined
      ? undefined
      : path(
          `M${decimal(x.at(ends[0]))} ${y}H${decimal(x.at(ends[1]))}M${decimal(x.at(ends[0]))} ${y - 6}v12M${decimal(x.at(ends[1]))} ${y - 6}v12`,
        ),
    element('circle', { cx: x.at(value), cy: y, r: 5, class: 'mark' }),
    tooltip(`${formatNumber(value, 4)}${text}`),
  );
}

function dot(cx: number, cy: number, style: string, text: string): Markup {
  return element('circle', { cx, cy, r: 4, class: style }, tooltip(text));
}
