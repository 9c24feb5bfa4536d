import { dataTypeName } from '../tensor/dtype.js';
import type { Accumulator } from './accumulator.js';
import { Agreement } from './agreement.js';
import { ChannelNoise } from './channel-noise.js';
import type { OutputDifference } from './comparison.js';
import { DecisionAgreement } from './decision-agreement.js';
import { type ErrorFigures, ErrorSums } from './error-sums.js';
import { type EvaluatedTensor, floatElements, isFloatTensor, largestClasses } from './host-numbers.js';
import type { OutputMeaning } from './output-meaning.js';
import { measureOf } from './output-measure.js';
import { areShares, ScoreDivergence } from './score-divergence.js';
import { SequenceAgreement } from './sequence-agreement.js';

/** One run: the output of model A and of model B for the same feeds. */
export interface OutputPair {
  readonly a: EvaluatedTensor;
  readonly b: EvaluatedTensor;
}

/** Adds up the difference of one output over many runs. */
export class OutputDifferences implements Accumulator<OutputPair, OutputDifference> {
  readonly #name: string;
  #meaning: OutputMeaning | undefined;
  readonly #errors = new ErrorSums();
  readonly #channels: ChannelNoise;
  readonly #agreement = new Agreement();
  readonly #divergence = new ScoreDivergence();
  readonly #sequences = new SequenceAgreement();
  readonly #decisions = new DecisionAgreement();
  #types: readonly [number, number] | undefined;
  #isFloat = false;
  #incomparable: string | undefined;
  #shapeMismatches = 0;
  #elements = 0;
  /** Equal elements of outputs that are not of floats. */
  #equal = 0;

  /**
   * @param meaning what is known of it: of scores of classes the agreement is counted
   * @param channelAxes axes of its channels, where they are known
   */
  constructor(name: string, meaning?: OutputMeaning, channelAxes?: readonly number[]) {
    this.#name = name;
    this.#meaning = meaning;
    this.#channels = new ChannelNoise(channelAxes);
  }

  observe({ a, b }: OutputPair): void {
    if (!this.#types) {
      this.#types = [a.dataType, b.dataType];
      this.#isFloat = isFloatTensor(a);
      this.#incomparable = whyIncomparable(a, b);
    }
    if (this.#incomparable !== undefined) return;
    const { dims } = a;
    if (dims.join() !== b.dims.join()) {
      this.#shapeMismatches++;
      return;
    }
    this.#elements += a.data.length;
    if (!this.#isFloat) {
      this.#equal += equalElements(a, b);
      return;
    }
    const [x, y] = [floatElements(a), floatElements(b)];
    this.#errors.observe({ a: x, b: y });
    this.#channels.observe({ a: x, b: y, dims });
    this.#meaning ??= meaningOfValues(x, dims);
    if (this.#meaning?.kind === 'scores') this.#compareClasses(x, y, dims, this.#meaning.axis ?? -1);
  }

  merge(other: OutputDifferences): void {
    if (!this.#types) {
      this.#types = other.#types;
      this.#isFloat = other.#isFloat;
      this.#incomparable = other.#incomparable;
      this.#meaning ??= other.#meaning;
    }
    this.#shapeMismatches += other.#shapeMismatches;
    this.#elements += other.#elements;
    this.#equal += other.#equal;
    this.#errors.merge(other.#errors);
    this.#channels.merge(other.#channels);
    this.#agreement.merge(other.#agreement);
    this.#divergence.merge(other.#divergence);
    this.#sequences.merge(other.#sequences);
    this.#decisions.merge(other.#decisions);
  }

  result(): OutputDifference {
    const [typeA = 0, typeB = 0] = this.#types ?? [];
    const elements = this.#elements;
    const errors = this.#errors.result();
    const difference: OutputDifference = {
      name: this.#name,
      dataTypeA: dataTypeName(typeA),
      dataTypeB: dataTypeName(typeB),
      elements,
      exactEqual: (this.#equal + errors.equal) / elements,
      shapeMismatches: this.#shapeMismatches,
      nonFinite: { a: errors.nonFiniteA, b: errors.nonFiniteB, lost: errors.lost },
    };
    if (this.#incomparable !== undefined) return { ...difference, incomparable: this.#incomparable };
    if (elements === 0 && this.#shapeMismatches > 0)
      return { ...difference, incomparable: 'the shapes differ in every run' };
    const whole = (more: Partial<OutputDifference>): OutputDifference => ({
      ...difference,
      ...more,
      measure: measureOf(more, this.#meaning),
    });
    if (elements === 0) return difference;
    if (!this.#isFloat) return whole({});
    if (errors.finite === 0) return { ...difference, incomparable: whyNothingFinite(errors, elements) };
    const { maxAbs, mae, rmse, rmsA, sqnrDb, cosine } = errors;
    const { worst, constant } = this.#channels.result();
    return whole({
      maxAbs,
      meanAbs: mae,
      rmse,
      rmsA,
      sqnrDb,
      cosine,
      ...(worst && { worstChannel: worst }),
      ...(constant && { constantChannels: constant }),
      ...this.#ofClasses(),
    });
  }

  /** What is known where the output has scores of classes. */
  #ofClasses(): Partial<OutputDifference> {
    const meaning = this.#meaning;
    if (!meaning) return {};
    const { top1, lost } = this.#agreement.result();
    const [divergence, sequences] = [this.#divergence.result(), this.#sequences.result()];
    const sameDecisions = this.#decisions.result();
    return {
      ...(top1.n > 0 && {
        top1Agreement: top1,
        classScores: { because: meaning.because, exclusive: meaning.exclusive },
      }),
      ...(top1.n > 0 && lost.length > 0 && { lostClasses: lost }),
      ...(divergence && { divergence }),
      ...(sequences && { sequences }),
      ...(sameDecisions && { sameDecisions }),
    };
  }

  /** Rows along `axis`. The first axis is that of samples: it has no classes. */
  #compareClasses(
    x: Float32Array | Float64Array,
    y: Float32Array | Float64Array,
    dims: readonly number[],
    axis: number,
  ): void {
    const at = axis < 0 ? axis + dims.length : axis;
    if (this.#meaning?.exclusive === false) this.#decisions.observe({ a: x, b: y });
    if (at < 1 || (dims[at] ?? 1) < 2) return;
    if (this.#meaning?.exclusive) {
      this.#divergence.observe({ a: x, b: y, dims, axis: at });
      if (dims.length === 3 && at === 2) this.#sequences.observe({ a: x, b: y, dims });
    }
    const [a, b] = [largestClasses(x, dims, at), largestClasses(y, dims, at)];
    for (let i = 0; i < a.length; i++) this.#agreement.observe({ a: a[i] as number, b: b[i] as number });
  }
}

/** Shares of a whole along the last axis are scores of classes, whatever they are called. */
function meaningOfValues(values: Float32Array | Float64Array, dims: readonly number[]): OutputMeaning | undefined {
  const classes = dims.at(-1) ?? 1;
  if (dims.length < 2 || classes < 2 || !areShares(values, classes, 1)) return undefined;
  return { kind: 'scores', axis: -1, exclusive: true, because: 'its values are shares of a whole' };
}

function whyNothingFinite({ nonFiniteA, nonFiniteB }: ErrorFigures, elements: number): string {
  if (nonFiniteA < elements && nonFiniteB === elements) return 'every value of B is NaN or infinite';
  if (nonFiniteB < elements && nonFiniteA === elements) return 'every value of A is NaN or infinite';
  return nonFiniteA === elements && nonFiniteB === elements
    ? 'every value of A and of B is NaN or infinite'
    : 'no value is finite in both';
}

function kindOf(tensor: EvaluatedTensor): string {
  if (isFloatTensor(tensor)) return 'float';
  return typeof tensor.data[0] === 'string' ? 'string' : 'integer';
}

function whyIncomparable(a: EvaluatedTensor, b: EvaluatedTensor): string | undefined {
  if (a.dataType === b.dataType || kindOf(a) === kindOf(b)) return undefined;
  return `${dataTypeName(a.dataType)} against ${dataTypeName(b.dataType)}`;
}

function equalElements(a: EvaluatedTensor, b: EvaluatedTensor): number {
  // int32 against int64 is number against bigint.
  const mixed = typeof a.data[0] !== typeof b.data[0];
  let equal = 0;
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i], b.data[i]];
    if (mixed ? Number(x) === Number(y) : x === y) equal++;
  }
  return equal;
}
