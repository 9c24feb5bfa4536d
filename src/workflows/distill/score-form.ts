import { scoreTraits } from '../../runtime/jobs/score-traits.js';
import type { NumberRows } from '../../samples/dataset/number-rows.js';

/** Elements that are read at a time. */
const CHUNK_ELEMENTS = 1 << 18;

/**
 * Whether all values are between 0 and 1, and rows sum to 1. Logits show it in their first rows, so the rest is read only where it could
 * be otherwise.
 */
export function scoreTraitsOf(source: NumberRows): { readonly unit: boolean; readonly probabilities: boolean } {
  const { rows, rowDims, width } = source;
  const classes = rowDims.at(-1) ?? 1;
  const chunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / width));
  let probabilities = true;
  for (let start = 0; start < rows; start += chunk) {
    const found = scoreTraits(source.read(start, Math.min(chunk, rows - start)), classes);
    if (!found.unit) return { unit: false, probabilities: false };
    probabilities &&= found.probabilities;
  }
  return { unit: true, probabilities };
}
