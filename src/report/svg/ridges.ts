import { formatLatency } from '../bench-format.js';
import { decimal, element, type Markup } from '../html/markup.js';
import { binSamples } from './bins.js';
import { CHART_WIDTH, chart, fitted, label, path, timeUnit, tooltip, xAxis } from './chart.js';
import { atRank } from './samples.js';
import { createScale, type Scale } from './scale.js';

/** Samples under a name. */
export interface Ridge {
  readonly name: string;
  /** Sorted, finite, at least one. */
  readonly sorted: Float64Array;
  /** Left out where there are too few runs to know it. */
  readonly p99Ms?: number;
}

const ROW = 62;
const RISE = 34;

/** Histograms below each other on one axis, each as high as its fullest bin, with the median and the 99th percentile. */
export function ridges(name: string, rows: readonly Ridge[], width = CHART_WIDTH): Markup {
  const low = Math.min(...rows.map(({ sorted }) => sorted[0] ?? 0));
  const high = Math.max(...rows.map(({ sorted }) => sorted.at(-1) ?? 0));
  // One kind of bins for all, or their shapes would not compare.
  const kind: Scale['kind'] = low > 0 && high / low > 8 ? 'log' : 'linear';
  const area = { left: 8, right: width - 14, top: 6, bottom: 6 + rows.length * ROW };
  const x = createScale(kind, low, high, [area.left, area.right], 6);
  const unit = timeUnit(high);
  return chart(
    name,
    width,
    area.bottom + 46,
    rows.map(({ name: rowName, sorted, p99Ms: p99 }, row) => {
      const base = area.top + (row + 1) * ROW - 4;
      const { bins } = binSamples(sorted, kind);
      const most = bins.reduce((largest, { count }) => Math.max(largest, count), 1);
      const shape = bins
        .map(({ low: from, high: to, count }) => {
          const start = x.at(from);
          const end = Math.max(x.at(to), start + 1);
          return `H${decimal(start)}V${decimal(base - (RISE * count) / most)}H${decimal(end)}`;
        })
        .join('');
      const first = decimal(x.at(sorted[0] ?? 0));
      const median = atRank(sorted, 0.5);
      return element(
        'g',
        { class: 'ridge' },
        path(`M${area.left} ${base}H${area.right}`, 'track'),
        path(`M${first} ${base}${shape}V${base}Z`, `mark fill c${1 + (row % 6)}`),
        path(`M${decimal(x.at(median))} ${base + 4}v${-RISE - 6}`, 'median'),
        p99 === undefined ? undefined : path(`M${decimal(x.at(p99))} ${base + 4}v-14`, 'p99'),
        label(fitted(rowName, width - 30), area.left, base - RISE - 10),
        tooltip(`${rowName}: p50 ${formatLatency(median)}${p99 === undefined ? '' : `, p99 ${formatLatency(p99)}`}`),
      );
    }),
    xAxis(x, area, unit.format, `latency, ${unit.name}${kind === 'log' ? ' (log)' : ''}`),
  );
}
