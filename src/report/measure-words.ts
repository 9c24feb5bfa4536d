/** By what each output of two models is judged, and what it came to. */
import type { OutputDifference } from '../evaluate/comparison.js';
import type { Proportion } from '../evaluate/proportion.js';
import { formatSqnr } from './comparison-words.js';
import { formatNumber, formatPercent, plural } from './format.js';

/** `class scores, since the graph ends in Softmax: 99.1 % (95 %: 95.1 % to 99.8 %, n = 112) of predictions equal, KL divergence 0.0021`; nothing where nothing was compared. */
export function measurePhrase(output: OutputDifference): string | undefined {
  const { measure } = output;
  // Of integers and texts the share of equal elements says all.
  if (!measure || measure.kind === 'answers') return undefined;
  const { noun, figures } = told(output, measure.kind);
  return `${noun}, since ${measure.because}${figures.length > 0 ? `: ${figures.join(', ')}` : ''}`;
}

function told(
  output: OutputDifference,
  kind: NonNullable<OutputDifference['measure']>['kind'],
): { readonly noun: string; readonly figures: readonly string[] } {
  const { top1Agreement, sameDecisions, sequences, worstChannel } = output;
  switch (kind) {
    case 'sequences':
      return {
        noun: 'sequences',
        figures: [
          ...(sequences
            ? [
                `${shareWords(sequences.same)} read the same`,
                `${sequences.edits} of ${plural(sequences.tokens, 'token')} differ`,
              ]
            : []),
          ...divergenceWords(output),
        ],
      };
    case 'classes':
      return {
        noun: 'class scores',
        figures: [
          ...(top1Agreement ? [`${shareWords(top1Agreement)} of predictions equal`] : []),
          ...divergenceWords(output),
        ],
      };
    case 'decisions':
      return {
        noun: 'independent probabilities',
        figures: sameDecisions ? [`${shareWords(sameDecisions)} on the same side of 0.5`] : [],
      };
    default:
      return {
        noun: 'values',
        figures: [
          ...noiseWords(output),
          ...(worstChannel
            ? [
                `worst channel ${worstChannel.index} of ${worstChannel.channels} (axis ${worstChannel.axis}) ${formatSqnr(worstChannel.sqnrDb)}`,
              ]
            : []),
        ],
      };
  }
}

function noiseWords({ sqnrDb, cosine }: OutputDifference): string[] {
  return [
    ...(sqnrDb === undefined ? [] : [`SQNR ${formatSqnr(sqnrDb)}`]),
    ...(cosine === undefined ? [] : [`cosine ${cosine.toFixed(5)}`]),
  ];
}

function divergenceWords({ divergence }: OutputDifference): string[] {
  if (!divergence) return [];
  const { value, low, high } = divergence;
  return [`KL divergence ${formatNumber(value)} (95 %: ${formatNumber(low)} to ${formatNumber(high)})`];
}

/** `99.1 % (95 %: 95.1 % to 99.8 %, n = 112)`. */
function shareWords({ value, low, high, n }: Proportion): string {
  return `${formatPercent(value)} (95 %: ${formatPercent(low)} to ${formatPercent(high)}, n = ${n})`;
}
