import { formatInteger, formatPercent } from '../format.js';
import { decimal, element, type Markup } from '../html/markup.js';
import { CHART_WIDTH, chart, legend, path, tooltip, xAxis, yAxis } from './chart.js';
import { linearScale } from './scale.js';

/** One bin of one model. */
export interface ReliabilityMark {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  readonly confidence: number;
  readonly accuracy: number;
}

const HEIGHT = 340;

/** Share right over mean confidence, bin by bin; on the diagonal a model is as right as it is sure. Areas are counts. */
export function reliabilityDiagram(
  name: string,
  models: readonly { readonly name: string; readonly bins: readonly ReliabilityMark[] }[],
): Markup {
  const key = legend(
    models.map((model, i) => ({ name: model.name, style: `c${1 + (i % 6)}` })),
    0,
    CHART_WIDTH,
  );
  const top = key.height + 30;
  const area = { left: 58, right: CHART_WIDTH - 18, top, bottom: top + HEIGHT - 90 };
  const x = linearScale(0, 1, [area.left, area.right], 5);
  const y = linearScale(0, 1, [area.bottom, area.top], 5);
  const most = Math.max(1, ...models.flatMap(({ bins }) => bins.map(({ count }) => count)));
  return chart(
    name,
    CHART_WIDTH,
    area.bottom + 46,
    key.markup,
    yAxis(y, area, formatPercent, 'share right'),
    path(`M${decimal(x.at(0))} ${decimal(y.at(0))}L${decimal(x.at(1))} ${decimal(y.at(1))}`, 'front'),
    models.map((model, i) => {
      const filled = model.bins.filter(({ count }) => count > 0);
      const style = 1 + (i % 6);
      return [
        path(
          `M${filled.map(({ confidence, accuracy }) => `${decimal(x.at(confidence))} ${decimal(y.at(accuracy))}`).join('L')}`,
          `curve s${style}`,
        ),
        filled.map(({ confidence, accuracy, count, low, high }) =>
          element(
            'circle',
            {
              cx: x.at(confidence),
              cy: y.at(accuracy),
              r: 2.5 + 7 * Math.sqrt(count / most),
              class: `mark fill c${style}`,
            },
            tooltip(
              `${model.name}: ${formatInteger(count)} predictions with confidence ${formatPercent(low)} to ${formatPercent(high)}, mean ${formatPercent(confidence)}, ${formatPercent(accuracy)} right`,
            ),
          ),
        ),
      ];
    }),
    xAxis(x, area, formatPercent, 'mean confidence'),
  );
}
