/** What labelled samples say of two models: the metric, and where their answers differ. */
import type { ComparisonResult } from '../../evaluate/comparison.js';
import { formatDifference, formatMetric } from '../comparison-words.js';
import { capital, formatInteger, plural } from '../format.js';
import { type Child, element, fragment, type Markup } from './markup.js';
import { type KeyFigure, lead, named, table } from './parts.js';

/** The metric of labelled data, to see first: that of B, and how far it is from that of A. */
export function metricFigures(comparison: ComparisonResult | undefined): readonly KeyFigure[] {
  const [metric] = comparison?.metrics ?? [];
  if (metric === undefined) return [];
  const [before, after] = [metric.a.value, metric.b.value].map((value) => formatMetric(metric, value));
  return [
    {
      name: capital(metric.metric),
      value: after ?? '',
      detail: `${before} → ${after}, ${formatDifference(metric)} on ${formatInteger(metric.a.n)}`,
    },
  ];
}

/** The labelled samples to which the models give different answers. */
export function changedAnswers({ changedAnswers: changed }: ComparisonResult): Markup | undefined {
  if (changed === undefined) return undefined;
  const { count, first } = changed;
  const title = element('h3', {}, 'Changed predictions');
  if (count === 0) return fragment(title, lead('Both models give the same prediction for every labelled sample.'));
  const some = count > first.length ? ` The first ${first.length}:` : '';
  const mark = (response: string, label: string): Child => [named(response), response === label ? ' ✓' : ''];
  return fragment(
    title,
    lead(`${plural(count, 'prediction')} ${count === 1 ? 'differs' : 'differ'}; ✓ marks the label.${some}`),
    table(
      'Changed predictions',
      [
        { title: 'Sample', kind: 'number' },
        { title: 'Label', kind: 'name' },
        { title: 'A', kind: 'name' },
        { title: 'B', kind: 'name' },
      ],
      first.map(({ sample, position, label, a, b }) => ({
        cells: [
          position === undefined
            ? formatInteger(sample)
            : `${formatInteger(sample)} (label ${formatInteger(position)})`,
          named(label),
          mark(a, label),
          mark(b, label),
        ],
      })),
    ),
  );
}
