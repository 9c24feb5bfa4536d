/** What reports say of a student where only the best classes of its teacher are known. */
import type { Bounds, TopKResult } from '../evaluate/distill/top-k-pairs.js';
import { type FigureGroup, row, shareRow } from './distill-figure-rows.js';
import { formatCount, formatNumber, formatPercent } from './format.js';

const DASH = '–';

/** What the best classes of the teacher tell. */
export function topKGroups({
  labelled,
  agreement,
  topK,
  kl,
  totalVariation,
  tailMass,
  k,
  losses = [],
  bins,
}: TopKResult) {
  const quality: FigureGroup[] = labelled
    ? [
        {
          title: 'Quality',
          rows: [
            shareRow(
              'top-1 accuracy',
              labelled.teacher.top1.value,
              labelled.student.top1.value,
              labelled.top1Difference,
            ),
            shareRow(`top-${topK.k} accuracy`, labelled.teacher.topK.value, labelled.student.topK.value),
            row('NLL', DASH, labelled.student.nll === undefined ? DASH : formatNumber(labelled.student.nll)),
            shareRow(`ECE, ${bins} bins`, labelled.teacher.equalWidth.ece, labelled.student.equalWidth.ece),
            row('right → wrong', DASH, formatCount(labelled.flips.lost)),
            row('wrong → right', DASH, formatCount(labelled.flips.gained)),
            row('McNemar p', DASH, formatNumber(labelled.flips.mcnemarP)),
          ],
        },
      ]
    : [];
  const { value, low, high } = agreement.top1;
  return [
    ...quality,
    {
      title: `Fidelity, by the ${k} best classes`,
      rows: [
        row('agreement', DASH, formatPercent(value), `95 %: ${formatPercent(low)}–${formatPercent(high)}`),
        row(`top-${topK.k} overlap`, DASH, formatPercent(topK.overlap)),
        row("Cohen's kappa", DASH, formatNumber(agreement.kappa)),
        row('KL', DASH, boundsText(kl), 'bounds'),
        row('total variation', DASH, boundsText(totalVariation), 'bounds'),
        row('mass of the other classes', DASH, formatPercent(tailMass), 'of the teacher'),
      ],
    },
    {
      title: 'Loss',
      rows: losses.map((loss) => row(`T = 1, α = ${loss.alpha}`, DASH, boundsText(loss), 'bounds')),
    },
  ];
}

/** `0.12–0.14`. */
export function boundsText({ low, high }: Bounds): string {
  const [from, to] = [formatNumber(low), formatNumber(high)];
  return from === to ? from : `${from}–${to}`;
}
