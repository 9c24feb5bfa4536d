import type { Accumulator } from './accumulator.js';
import { decodeCtc } from './ctc.js';
import { argMax } from './host-numbers.js';
import type { Proportion } from './proportion.js';
import { SequenceEdits } from './sequence-edits.js';

/** Scores [samples, steps, classes] of one run, of both models. */
export interface SequenceRun {
  readonly a: Float32Array | Float64Array;
  readonly b: Float32Array | Float64Array;
  readonly dims: readonly number[];
}

/** How far two models read the same sequences. */
export interface SequenceFigures {
  /** The class that means "nothing", where sequences were decoded (CTC): repeats are merged and it is dropped. */
  readonly blank?: number;
  /** Share of samples whose whole sequence is the same. */
  readonly same: Proportion;
  /** Valid tokens of A: what is left after decoding. */
  readonly tokens: number;
  /** Insertions, deletions and replacements that make B's tokens of A's. */
  readonly edits: number;
}

/** The first or the last class is "nothing" where A gives it for at least this share of the steps. */
const BLANK_SHARE = 0.25;

/**
 * Compares what two models read, sample by sample, by the tokens that count: where one class at either end of the vocabulary fills the steps, it
 * is the blank of CTC, and sequences are decoded first. Which it is is settled by the first run.
 */
export class SequenceAgreement implements Accumulator<SequenceRun, SequenceFigures | undefined> {
  readonly #edits = new SequenceEdits();
  /** `null` where there is none. */
  #blank: number | null | undefined;

  observe({ a, b, dims }: SequenceRun): void {
    const [samples = 0, steps = 0, classes = 0] = dims;
    if (samples * steps * classes === 0 || dims.length !== 3) return;
    this.#blank ??= blankIn(a, classes);
    for (let sample = 0; sample < samples; sample++) {
      const start = sample * steps * classes;
      const read = (values: Float32Array | Float64Array): number[] =>
        typeof this.#blank === 'number'
          ? decodeCtc(values, start, steps, classes, this.#blank)
          : Array.from({ length: steps }, (_, step) => argMax(values, start + step * classes, classes));
      this.#edits.observe({ wanted: read(a), given: read(b) });
    }
  }

  merge(other: SequenceAgreement): void {
    this.#blank ??= other.#blank;
    this.#edits.merge(other.#edits);
  }

  result(): SequenceFigures | undefined {
    const { n, exact, symbols, edits } = this.#edits.result();
    if (n === 0) return undefined;
    const blank = typeof this.#blank === 'number' ? { blank: this.#blank } : {};
    return { ...blank, same: exact, tokens: symbols, edits };
  }
}

function blankIn(values: Float32Array | Float64Array, classes: number): number | null {
  let [first, last, steps] = [0, 0, 0];
  for (let start = 0; start + classes <= values.length; start += classes, steps++) {
    const best = argMax(values, start, classes);
    if (best === 0) first++;
    else if (best === classes - 1) last++;
  }
  if (Math.max(first, last) < BLANK_SHARE * steps || classes < 3) return null;
  return first >= last ? 0 : classes - 1;
}
