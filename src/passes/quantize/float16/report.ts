import { type ConversionStatistics, newConversionStatistics } from '../../../tensor/conversion.js';
import type { NarrowFloat } from './narrow-float.js';

/** What the conversion did to one constant. */
export interface ConvertedTensor {
  readonly name: string;
  /** Complete once the tensor's bytes were read: at once for a small tensor, when the model is written for a large one. */
  readonly statistics: ConversionStatistics;
}

/**
 * What a conversion to 16-bit floats did to the constants. Large ones are converted while the model is written, so the numbers
 * are complete only after that: pass a report as option, write the model, then read it.
 */
export interface Float16Report {
  readonly tensors: ConvertedTensor[];
  /** Nodes that compute in 16 bits, topologically, by the names of their first outputs. */
  readonly nodes: string[];
}

export function newFloat16Report(): Float16Report {
  return { tensors: [], nodes: [] };
}

/** Sums over all tensors. */
export function float16Totals(report: Float16Report): ConversionStatistics {
  const total = newConversionStatistics();
  for (const { statistics } of report.tensors) {
    total.elements += statistics.elements;
    total.overflowed += statistics.overflowed;
    total.underflowed += statistics.underflowed;
  }
  return total;
}

/** Sentences for a user, one a tensor that has values beyond ±65504 and one for all that have values below 6e-8. */
export function describeFloat16Report(
  report: Float16Report,
  { max, smallest }: Pick<NarrowFloat, 'max' | 'smallest'>,
): string[] {
  const notes: string[] = [];
  let small = 0;
  let smallTensors = 0;
  for (const { name, statistics } of report.tensors) {
    if (statistics.overflowed > 0) {
      notes.push(`${count(statistics.overflowed, 'value')} of "${name}" clamped to ±${max}`);
    }
    small += statistics.underflowed;
    if (statistics.underflowed > 0) smallTensors++;
  }
  if (small > 0)
    notes.push(
      `${count(small, 'value')} below ${(smallest / 2).toExponential(0)} in ${count(smallTensors, 'constant')} rounded`,
    );
  return notes;
}

/** Kept nodes that a note names one by one; the rest are counted. */
const MOST_NAMED = 12;

/** Sentences about nodes that stay in FLOAT although their operators take FLOAT16, those of one reason together. */
export function describeKept(kept: readonly { readonly node: string; readonly reason: string }[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { node, reason } of kept) byReason.set(reason, [...(byReason.get(reason) ?? []), node]);
  const notes: string[] = [];
  for (const [reason, nodes] of [...byReason].slice(0, MOST_NAMED)) {
    const named = nodes.slice(0, MOST_NAMED).map((node) => `"${node}"`);
    const more = nodes.length - named.length;
    const rest = more > 0 ? ` and ${more} more` : '';
    notes.push(`stays FLOAT: ${named.join(', ')}${rest}: ${reason}`);
  }
  const unsaid = byReason.size - notes.length;
  if (unsaid > 0) notes.push(`${count(unsaid, 'more node')} or groups stay FLOAT: the report lists all`);
  return notes;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
