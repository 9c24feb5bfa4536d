import type { LostClass } from './agreement.js';
import type { ChangedAnswers } from './changed-answers.js';
import type { Proportion } from './proportion.js';
import type { Divergence } from './score-divergence.js';
import type { SequenceFigures } from './sequence-agreement.js';

/** How far one output of model B is from the same output of model A, over all samples. Plain data. */
export interface OutputDifference {
  readonly name: string;
  /** Data types in ONNX text syntax. */
  readonly dataTypeA: string;
  readonly dataTypeB: string;
  /** Elements compared. */
  readonly elements: number;
  /** Share of compared elements that are equal; two NaNs are, and two infinities of one sign. NaN without elements. */
  readonly exactEqual: number;
  /** Runs in which the two shapes differ: their elements are not compared. */
  readonly shapeMismatches: number;
  /** NaN and infinite elements of each model, in runs that were compared; `lost` are those of B where A has a number. */
  readonly nonFinite: { readonly a: number; readonly b: number; readonly lost: number };
  /** Only for floats, over elements finite in both: largest |a - b|. */
  readonly maxAbs?: number;
  /** Mean of |a - b|. */
  readonly meanAbs?: number;
  /** Root of the mean of (a - b)². */
  readonly rmse?: number;
  /** Root of the mean of a²: 0 where A gives zeros alone, and a comparison says nothing. */
  readonly rmsA?: number;
  /** Signal to quantization noise, 10·log10(Σa² / Σ(a - b)²) in dB; Infinity when equal. */
  readonly sqnrDb?: number;
  /** Cosine of the angle between all elements of A and all of B; 1 when both are zero, 0 when one is. */
  readonly cosine?: number;
  /** The channel that lost most; absent without channels, or where nothing differs. */
  readonly worstChannel?: WorstChannel;
  /** Scores of classes only: share of rows whose largest element is at the same place. A row with a NaN agrees with none. */
  readonly top1Agreement?: Proportion;
  /** What says that the output is scores of classes; `exclusive` where one class is right, so that the agreement tells all. */
  readonly classScores?: { readonly because: string; readonly exclusive: boolean };
  /** Independent probabilities only: share of elements on the same side of 0.5. */
  readonly sameDecisions?: Proportion;
  /** By what this output is judged, and why; absent where nothing was compared. */
  readonly measure?: OutputMeasure;
  /** Scores of classes of which one is right: how far the distributions of B are from those of A. */
  readonly divergence?: Divergence;
  /** Scores [samples, steps, classes]: how far the sequences are the same that both read. */
  readonly sequences?: SequenceFigures;
  /** Scores of classes: those that A predicts several times and B never. */
  readonly lostClasses?: readonly LostClass[];
  /** Channels that say nothing any more: they vary in A and are constant in B. */
  readonly constantChannels?: ConstantChannels;
  /** True where the values depend on random numbers and differ: how far says nothing of the models. */
  readonly random?: true;
  /** Why nothing was compared, for example `float against int64`. */
  readonly incomparable?: string;
}

/** One index of an axis, over all samples and all other axes. */
export interface WorstChannel {
  /** Axis of the channels: the second one, or the last. */
  readonly axis: number;
  readonly index: number;
  /** How many channels the axis has. */
  readonly channels: number;
  /** Signal to noise of this channel alone, in dB. One without signal is held against the mean signal of the others. */
  readonly sqnrDb: number;
}

/** By what two models are held against each other in one output. */
export interface OutputMeasure {
  /**
   * `classes`: equal predictions, and divergence of the distributions. `sequences`: the tokens that both read. `decisions`: equal answers of
   * independent probabilities. `values`: signal to noise, cosine, and the worst channel. `answers`: equal elements.
   */
  readonly kind: 'classes' | 'sequences' | 'decisions' | 'values' | 'answers';
  /** One clause: `the graph ends in Softmax`. */
  readonly because: string;
}

/** Channels of one axis that are constant in B and were not in A. */
export interface ConstantChannels {
  readonly axis: number;
  readonly channels: number;
  /** How many of them are constant, and the index of the first. */
  readonly count: number;
  readonly first: number;
}

/** Names of the label metrics. */
export type MetricName =
  | 'accuracy'
  | 'top-1 accuracy'
  | 'ROC AUC'
  | 'accuracy at 0.5'
  | 'accuracy at 0'
  | 'micro F1'
  | 'label accuracy'
  | 'exact sequence match'
  | 'character error rate'
  | 'perplexity'
  | 'next-token accuracy'
  | 'mean absolute error'
  | 'root mean square error';

/** A metric of one model. */
export interface MetricValue {
  readonly value: number;
  /** What the metric is a mean over: samples, tokens, or for the character error rate reference characters. */
  readonly n: number;
  /** 95 % confidence interval, for shares of samples and perplexities. */
  readonly low?: number;
  readonly high?: number;
}

/** A label metric of both models on the same samples. The first of a list is the one to quote. */
export interface MetricComparison {
  readonly metric: MetricName;
  /** Output it is computed from. */
  readonly output: string;
  readonly higherIsBetter: boolean;
  readonly a: MetricValue;
  readonly b: MetricValue;
  /** b - a. */
  readonly difference: number;
  /** 95 % confidence interval of the difference, from the answers that only one of the models has right; for shares of answers. */
  readonly differenceLow?: number;
  readonly differenceHigh?: number;
  /** How the metric and the output were chosen, one sentence. */
  readonly explanation: string;
}

/** What two models were compared on. */
export type ComparisonSource =
  | { readonly kind: 'data'; readonly name: string; readonly first: number }
  | { readonly kind: 'seeded'; readonly seed: number };

/** Result of running two models on the same samples. Plain data, no paths, no times. */
export interface ComparisonResult {
  readonly source: ComparisonSource;
  /** Samples that both models ran on. Samples, not runs: a model with a fixed batch size takes several in one. */
  readonly samples: number;
  /** Samples of a run. */
  readonly batchSize?: number;
  /** Outputs that both models have, in the order of model A. */
  readonly outputs: readonly OutputDifference[];
  /** Outputs that only one model has. */
  readonly unmatched: { readonly a: readonly string[]; readonly b: readonly string[] };
  /** Present when the data has labels; empty when no output fits them. */
  readonly metrics?: readonly MetricComparison[];
  /** Why there are labels but no metrics. */
  readonly metricsSkipped?: string;
  /** Labelled samples to which the models give different answers; absent where an answer is a number, not a class. */
  readonly changedAnswers?: ChangedAnswers;
  /** What the reader of the data left out or guessed. */
  readonly warnings: readonly string[];
}
