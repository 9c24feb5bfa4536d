/** What is said of what students cost, and of the classes that they lose. */
import type { LabelledResult } from '../evaluate/distill/class-result.js';
import { formatLatency } from './bench-format.js';
import { type FigureRow, row } from './distill-figure-rows.js';
import type { DistillReport, DistillStudent } from './distill-types.js';
import { formatBytes, formatCount, formatNumber, formatPercent, formatPoints, plural } from './format.js';

/** The class that a student has right least often, and the one that lost most. */
export function classSentences({ byClass }: LabelledResult): readonly string[] {
  const { classes } = byClass;
  const worst = [...classes].sort((a, b) => a.student.value - b.student.value)[0];
  const lost = [...classes].sort((a, b) => a.difference - b.difference)[0];
  return [
    ...(worst
      ? [
          `worst class: ${worst.label}, ${formatPercent(worst.student.value)} of ${plural(worst.student.n, 'sample')} right`,
        ]
      : []),
    ...(lost && lost.difference < 0
      ? [
          `largest loss: class ${lost.label}, ${formatPoints(lost.difference)} (95 %: ${formatPoints(lost.differenceLow)} to ${formatPoints(lost.differenceHigh)})`,
        ]
      : []),
  ];
}

/** Size, parameters, multiply-accumulates, latency and memory of a student beside those of the teacher. */
export function costRows(teacher: DistillReport['teacher'], student: DistillStudent): readonly FigureRow[] {
  const [t, s] = [teacher.cost, student.cost];
  if (!t || !s) return [];
  const ratio = (a: number, b: number): string => (a === b ? '×1' : `×${formatNumber(b / a)}`);
  const latency = s.latency;
  const range =
    latency?.ratioLow === undefined || latency.ratioHigh === undefined
      ? ''
      : ` (95 %: ${formatNumber(latency.ratioLow)}–${formatNumber(latency.ratioHigh)})`;
  return [
    row('size', formatBytes(t.sizeBytes), formatBytes(s.sizeBytes), ratio(t.sizeBytes, s.sizeBytes)),
    row('parameters', formatCount(t.parameters), formatCount(s.parameters), ratio(t.parameters, s.parameters)),
    ...(t.macs !== undefined && s.macs !== undefined
      ? [row('multiply-accumulates', formatCount(t.macs), formatCount(s.macs), ratio(t.macs, s.macs))]
      : []),
    ...(t.latency && latency
      ? [
          row(
            'p50 latency',
            formatLatency(t.latency.p50Ms),
            formatLatency(latency.p50Ms),
            latency.ratio === undefined ? '' : `×${formatNumber(latency.ratio)}${range}`,
          ),
          row('p95 latency', formatLatency(t.latency.p95Ms), formatLatency(latency.p95Ms)),
        ]
      : []),
    ...(t.memoryBytes !== undefined && s.memoryBytes !== undefined
      ? [
          row(
            'peak memory',
            formatBytes(t.memoryBytes),
            formatBytes(s.memoryBytes),
            t.memoryBytes > 0 ? ratio(t.memoryBytes, s.memoryBytes) : '',
          ),
        ]
      : []),
  ];
}
