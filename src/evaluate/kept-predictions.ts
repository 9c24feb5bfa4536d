import type { OutputDifference } from './comparison.js';
import type { Proportion } from './proportion.js';

/** How many predictions of an output stay the same. */
export interface KeptPredictions {
  /** From 0 to 1; NaN where there are none. */
  readonly value: number;
  readonly n: number;
  /** 95 % interval; absent of sequences, whose tokens are not independent. */
  readonly low?: number;
  readonly high?: number;
  /** What `n` counts, in the singular: `row`. */
  readonly unit: string;
  /** What is the same in them: `the same class`. */
  readonly same: string;
}

/**
 * Predictions that stay the same, by the measure that an output is judged by: classes, decisions of independent probabilities, tokens of
 * sequences (edits count against them), equal elements of integers and texts. Undefined for outputs that predict nothing, such as boxes and
 * embeddings.
 */
export function keptPredictions(output: OutputDifference): KeptPredictions | undefined {
  const { measure, top1Agreement, sameDecisions, sequences, exactEqual, elements } = output;
  switch (measure?.kind) {
    case 'sequences':
      if (!sequences) return undefined;
      return {
        value: tokenShare(sequences.edits, sequences.tokens),
        n: sequences.tokens,
        unit: 'token',
        same: 'the same reading',
      };
    case 'decisions':
      return shareOf(sameDecisions, 'element', 'the same side of 0.5');
    case 'answers':
      return { value: exactEqual, n: elements, unit: 'element', same: 'the same value' };
    default:
      return shareOf(top1Agreement, 'row', 'the same class');
  }
}

function shareOf(share: Proportion | undefined, unit: string, same: string): KeptPredictions | undefined {
  return share && { ...share, unit, same };
}

/** More edits than tokens keep none. */
function tokenShare(edits: number, tokens: number): number {
  if (tokens === 0) return edits === 0 ? 1 : 0;
  return Math.max(0, 1 - edits / tokens);
}
