import { formatSqnr } from './comparison-words.js';
import { formatBytes, plural } from './format.js';
import type { MixedBitsReport, ScaledGroupReport, WeightOnlyReport } from './weight-only-types.js';

/** The methods, in words. */
export const METHOD_WORDS = {
  rtn: 'round to nearest',
  kquant: 'scale search',
  hqq: 'HQQ',
  gptq: 'GPTQ',
  awq: 'AWQ',
} as const;

/** What was done to weights, a sentence a line. */
export function weightOnlyLines(report: WeightOnlyReport): string[] {
  const { bits, block, symmetric, method, methodReason, tried = [], accuracyLevel, weights } = report;
  const zeros = symmetric ? 'symmetric' : 'with zero points';
  const raised = new Set(report.mixed?.raised.map(({ name }) => name));
  const others = weights.filter((weight) => weight.bits !== bits && !raised.has(weight.name));
  const lines = [
    `Weights: ${bits} bits in blocks of ${block}, ${zeros}, ${METHOD_WORDS[method]}${methodReason === undefined ? '' : `: ${methodReason}`}; ${plural(weights.length, 'weight')} ${formatBytes(report.bytesBefore)} → ${formatBytes(report.bytesAfter)}`,
  ];
  if (tried.length > 1) {
    const parts = tried.map((each) => `${METHOD_WORDS[each.method]} ${each.sqnrDb?.toFixed(1) ?? '–'} dB`);
    lines.push(`Methods held against the original: ${parts.join(', ')}`);
  }
  if (report.scaled !== undefined) lines.push(scaledLine(report.scaled));
  if (report.mixed !== undefined) lines.push(mixedLine(report.mixed));
  if (accuracyLevel !== undefined)
    lines.push(`accuracy_level ${accuracyLevel.level} of MatMulNBits: ${accuracyLevel.reason}`);
  for (const [what, names] of byReason(others))
    lines.push(`${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ''}: ${what}`);
  return lines;
}

/** What factors of inputs came to. */
function scaledLine(scaled: readonly ScaledGroupReport[]): string {
  if (scaled.length === 0) return 'Factors of inputs: no layer before a product can take them';
  const better = scaled.filter(({ alpha }) => alpha > 0);
  const all = `inputs of ${better.length} of ${plural(scaled.length, 'group')} of products have factors`;
  if (better.length === 0) return `Factors of inputs: ${all}, which gain nothing on held-out samples`;
  const alphas = better.map(({ alpha }) => alpha);
  const ratios = better.flatMap(({ errorRatio }) => errorRatio ?? []);
  const noise =
    ratios.length === 0
      ? ''
      : `; noise of their outputs on held-out samples ×${Math.min(...ratios).toFixed(2)} to ×${Math.max(...ratios).toFixed(2)}`;
  return `Factors of inputs: ${all}, α ${Math.min(...alphas)} to ${Math.max(...alphas)}${noise}`;
}

/** Names of weights in a line at most. */
const MOST_NAMES = 5;

/** What was raised to 8 bits. */
function mixedLine({ maxSizeBytes, lowSizeBytes, candidates, headLowered, reason, raised }: MixedBitsReport): string {
  const head = headLowered ? '; the layer that gives the scores has no more bits than the rest, to fit' : '';
  const start = `Within ${formatBytes(maxSizeBytes)} (${formatBytes(lowSizeBytes)} without): ${raised.length} of ${plural(candidates, 'weight')} raised to 8 bits`;
  if (raised.length === 0) return `${start}${reason === undefined ? '' : `, as ${reason}`}${head}`;
  const names = raised.slice(0, MOST_NAMES).map(({ name, sqnrDb }) => `${name} (${formatSqnr(sqnrDb)})`);
  const more = raised.length > MOST_NAMES ? ` and ${raised.length - MOST_NAMES} more` : '';
  return `${start}, those first whose errors cost the outputs most for their size: ${names.join(', ')}${more}${head}`;
}

function byReason(weights: WeightOnlyReport['weights']): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name, bits, reason = '' } of weights) {
    const what = `${bits} bits, as ${reason}`;
    found.set(what, [...(found.get(what) ?? []), name]);
  }
  return found;
}
