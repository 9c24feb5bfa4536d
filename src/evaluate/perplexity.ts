import type { Accumulator } from './accumulator.js';
import { argMax, logSumExp } from './host-numbers.js';
import { Z_95 } from './proportion.js';

/** Logits of one run, and the token that follows each position. */
export interface NextTokenRun {
  /** [rows, steps, vocabulary]. */
  readonly values: Float32Array | Float64Array;
  readonly rows: number;
  readonly steps: number;
  readonly vocabulary: number;
  /** The label of a row and a step; below 0 where nothing is scored. */
  readonly label: (row: number, step: number) => number;
}

/** What a language model lost on each sample. */
export interface NextTokenSums {
  /** Negative logarithm of the likelihood of each sample, and how many tokens it has. */
  readonly losses: readonly { readonly loss: number; readonly tokens: number }[];
  /** Tokens that were scored, and those of them that are the likeliest. */
  readonly tokens: number;
  readonly correct: number;
}

/** Adds up the negative log-likelihood of tokens, sample by sample. */
export class NextTokenLoss implements Accumulator<NextTokenRun, NextTokenSums> {
  readonly #losses: { readonly loss: number; readonly tokens: number }[] = [];
  #tokens = 0;
  #correct = 0;

  observe({ values, rows, steps, vocabulary, label }: NextTokenRun): void {
    for (let row = 0; row < rows; row++) {
      let loss = 0;
      let tokens = 0;
      for (let step = 0; step < steps; step++) {
        const token = label(row, step);
        if (token < 0) continue;
        const from = (row * steps + step) * vocabulary;
        loss += logSumExp(values, from, vocabulary) - (values[from + token] as number);
        tokens++;
        if (argMax(values, from, vocabulary) === token) this.#correct++;
      }
      this.#losses.push({ loss, tokens });
      this.#tokens += tokens;
    }
  }

  merge(other: NextTokenLoss): void {
    for (const each of other.#losses) this.#losses.push(each);
    this.#tokens += other.#tokens;
    this.#correct += other.#correct;
  }

  result(): NextTokenSums {
    return { losses: this.#losses, tokens: this.#tokens, correct: this.#correct };
  }
}

/** A 95 % interval around a value. */
export interface Spread {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** exp of the mean loss of a token. Samples, not tokens, count as independent: tokens of one text are alike. */
export function perplexity({ losses, tokens }: NextTokenSums): Spread {
  const total = losses.reduce((sum, { loss }) => sum + loss, 0);
  const mean = total / tokens;
  const error = Z_95 * ratioError(losses, mean, tokens);
  return { value: Math.exp(mean), low: Math.exp(mean - error), high: Math.exp(mean + error) };
}

/** The difference of two perplexities on the same samples. */
export function perplexityDifference(a: NextTokenSums, b: NextTokenSums): Spread {
  const before = perplexity(a).value;
  const paired = a.losses.map(({ loss, tokens }, at) => ({ loss: (b.losses[at]?.loss ?? Number.NaN) - loss, tokens }));
  const mean = paired.reduce((sum, { loss }) => sum + loss, 0) / a.tokens;
  const error = Z_95 * ratioError(paired, mean, a.tokens);
  const change = (logarithm: number): number => before * Math.expm1(logarithm);
  return { value: perplexity(b).value - before, low: change(mean - error), high: change(mean + error) };
}

/** Standard error of a mean over tokens that come in samples of unequal length (a ratio of two sums); infinite for one sample. */
function ratioError(losses: NextTokenSums['losses'], mean: number, tokens: number): number {
  const scored = losses.filter((each) => each.tokens > 0);
  if (scored.length < 2) return Number.POSITIVE_INFINITY;
  const squares = scored.reduce((sum, each) => sum + (each.loss - mean * each.tokens) ** 2, 0);
  return Math.sqrt((squares * scored.length) / (scored.length - 1)) / tokens;
}
