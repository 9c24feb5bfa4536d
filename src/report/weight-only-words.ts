import { formatBytes, plural } from './format.js';
import type { WeightOnlyReport } from './weight-only-types.js';

/** The methods, in words. */
export const METHOD_WORDS = {
  rtn: 'round to nearest',
  kquant: 'scale search',
  hqq: 'HQQ',
  gptq: 'GPTQ',
} as const;

/** What was done to weights, a sentence a line. */
export function weightOnlyLines(report: WeightOnlyReport): string[] {
  const { bits, block, symmetric, method, methodReason, tried = [], accuracyLevel, weights } = report;
  const zeros = symmetric ? 'symmetric' : 'with zero points';
  const others = weights.filter((weight) => weight.bits !== bits);
  const lines = [
    `Weights: ${bits} bits in blocks of ${block}, ${zeros}, ${METHOD_WORDS[method]}${methodReason === undefined ? '' : `: ${methodReason}`}; ${plural(weights.length, 'weight')} ${formatBytes(report.bytesBefore)} → ${formatBytes(report.bytesAfter)}`,
  ];
  if (tried.length > 1) {
    const parts = tried.map((each) => `${METHOD_WORDS[each.method]} ${each.sqnrDb?.toFixed(1) ?? '–'} dB`);
    lines.push(`Methods held against the original: ${parts.join(', ')}`);
  }
  if (accuracyLevel !== undefined)
    lines.push(`accuracy_level ${accuracyLevel.level} of MatMulNBits: ${accuracyLevel.reason}`);
  for (const [what, names] of byReason(others))
    lines.push(`${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ''}: ${what}`);
  return lines;
}

function byReason(weights: WeightOnlyReport['weights']): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name, bits, reason = '' } of weights) {
    const what = `${bits} bits, as ${reason}`;
    found.set(what, [...(found.get(what) ?? []), name]);
  }
  return found;
}
