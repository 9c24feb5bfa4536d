import type { LostClass } from '../evaluate/agreement.js';
import { isBroken, whyBroken } from '../evaluate/broken-outputs.js';
import type { ComparisonResult, ConstantChannels, MetricComparison, OutputDifference } from '../evaluate/comparison.js';

export interface Findings {
  /** Held-out or synthetic samples. */
  readonly comparison: ComparisonResult;
  /** Evaluation data. */
  readonly accuracy: ComparisonResult | undefined;
}

/** What counts as worth a warning. None of these fails a run: gates do that. */
export const JUDGEMENT = {
  /** Loss of a share-of-samples metric, from 0 to 1. */
  metricLoss: 0.01,
  /** Share of samples on which the two models name the same class. */
  top1Agreement: 0.97,
  /** Signal to noise of an output without classes, in dB. */
  sqnrDb: 20,
  /** A channel is lost at this signal to noise or less, where its output as a whole has so much more. */
  channelDb: 10,
  channelBelowDb: 10,
  /** Tokens of sequences that differ. */
  tokens: 0.01,
} as const;

/**
 * What a user must hear about a result, in plain words; empty when all is well. What cannot be compared comes first.
 * @param advice what helps against a loss of the metric, after a colon
 */
export function judge({ comparison, accuracy }: Findings, advice: string): string[] {
  const metric = accuracy?.metrics?.[0] ?? comparison.metrics?.[0];
  const loss = metric && lossOf(metric, advice);
  // A metric tells all about the output that it scores, and nothing about the others.
  const scored = loss === undefined ? undefined : metric?.output;
  return [
    ...brokenOutputs(comparison),
    ...(accuracy ? brokenOutputs(accuracy) : []),
    ...(loss === undefined || loss === '' ? [] : [loss]),
    ...comparison.outputs.filter(({ name }) => name !== scored).flatMap(distance),
    ...lostChannels(comparison, scored),
    ...silentOutputs(accuracy ?? comparison),
    ...randomOutputs(comparison),
    ...comparison.warnings,
    ...(accuracy?.warnings ?? []),
  ].filter((warning, i, all) => all.indexOf(warning) === i);
}

/**
 * What is wrong with a comparison whatever the two models are: outputs that cannot be compared, channels that are lost beside
 * others that are near.
 */
export function judgeComparison(comparison: ComparisonResult): string[] {
  return [
    ...brokenOutputs(comparison),
    ...lostChannels(comparison, comparison.metrics?.[0]?.output),
    ...silentOutputs(comparison),
    ...randomOutputs(comparison),
    ...comparison.warnings,
  ];
}

function brokenOutputs({ outputs }: ComparisonResult): string[] {
  return outputs.filter(isBroken).map((output) => `Not comparable: ${whyBroken(output)}.`);
}

/** The warning about a metric; '' when it holds, undefined when it is no share of samples. */
function lossOf({ metric, a, b, difference, higherIsBetter }: MetricComparison, advice: string): string | undefined {
  if (!higherIsBetter || a.value > 1 || Number.isNaN(difference)) return undefined;
  if (-difference <= JUDGEMENT.metricLoss) return '';
  const points = (-difference * 100).toFixed(1);
  return `The ${metric} falls by ${points} points, from ${a.value.toFixed(4)} to ${b.value.toFixed(4)}: ${advice}.`;
}

/** Scores of classes are judged by their decisions, sequences by their tokens, everything else by its noise; what may be either by both. */
function distance(output: OutputDifference): string[] {
  const { name, classScores, sequences, sqnrDb, divergence, random, measure } = output;
  // The largest of probabilities that may all hold decides nothing.
  const top1Agreement = measure?.kind === 'decisions' ? undefined : output.top1Agreement;
  if (isBroken(output) || random) return [];
  const tokensFar = sequences !== undefined && sequences.edits > JUDGEMENT.tokens * sequences.tokens;
  const decisionsFar = top1Agreement !== undefined && top1Agreement.value < JUDGEMENT.top1Agreement;
  const noisy = !classScores?.exclusive && (sqnrDb ?? Number.POSITIVE_INFINITY) < JUDGEMENT.sqnrDb;
  if (!decisionsFar && !tokensFar && !noisy) return [];
  const measures = [
    ...(sequences ? [`${sequences.edits} of ${sequences.tokens} tokens differ`] : []),
    ...(top1Agreement ? [`same class on ${(top1Agreement.value * 100).toFixed(1)} % of samples`] : []),
    ...(divergence ? [`KL divergence ${divergence.value.toPrecision(2)}`] : []),
    ...(sqnrDb === undefined ? [] : [`SQNR ${sqnrDb.toFixed(1)} dB`]),
  ];
  return [
    `Output "${name}" is not close to the original (${measures.join(', ')}): measure the accuracy with --eval on labelled samples.`,
  ];
}

/**
 * What an output does not say any more, however good its figures are: a channel that stands still, a class that never comes; or never
 * said on these samples.
 */
function silentOutputs({ outputs }: ComparisonResult): string[] {
  return outputs
    .filter((output) => !isBroken(output) && !output.random)
    .flatMap(({ name, rmsA, constantChannels, lostClasses = [] }) => [
      ...(rmsA === 0 ? [`Output "${name}" of the original is zero on every sample: its comparison says nothing.`] : []),
      ...(constantChannels ? [constantWords(name, constantChannels)] : []),
      ...(lostClasses.length > 0 ? [lostClassWords(name, lostClasses)] : []),
    ]);
}

function constantWords(name: string, { axis, channels, count, first }: ConstantChannels): string {
  const which = count === 1 ? `channel ${first} of ${channels}` : `${count} of ${channels} channels, from ${first} on,`;
  return `Output "${name}": ${which} on axis ${axis} ${count === 1 ? 'is' : 'are'} constant, and ${count === 1 ? 'varies' : 'vary'} in the original.`;
}

/** Classes that a warning names. */
const MOST_NAMED = 5;

function lostClassWords(name: string, lost: readonly LostClass[]): string {
  const classes = lost.slice(0, MOST_NAMED).map(({ label, rows }) => `${label} (${rows} times)`);
  const more = lost.length > MOST_NAMED ? ` and ${lost.length - MOST_NAMED} more` : '';
  return `Output "${name}" never predicts ${lost.length === 1 ? 'a class' : 'classes'} that the original does: ${classes.join(', ')}${more}.`;
}

function lostChannels({ outputs }: ComparisonResult, scored: string | undefined): string[] {
  return outputs
    .filter((output) => output.name !== scored && !output.classScores?.exclusive && !isBroken(output) && !output.random)
    .flatMap(lostChannel);
}

function randomOutputs({ outputs }: ComparisonResult): string[] {
  return outputs.flatMap(({ name, random }) =>
    random ? [`Output "${name}" depends on random numbers: differences in its values are meaningless.`] : [],
  );
}

/** A channel that went while the others hide it in the figure of the whole. */
function lostChannel({ name, sqnrDb, worstChannel }: OutputDifference): string[] {
  if (worstChannel === undefined || sqnrDb === undefined) return [];
  const { axis, index, channels, sqnrDb: worst } = worstChannel;
  if (worst > JUDGEMENT.channelDb || sqnrDb - worst < JUDGEMENT.channelBelowDb) return [];
  return [
    `A channel of output "${name}" is lost: index ${index} of ${channels} on axis ${axis} has an SQNR of ${worst.toFixed(1)} dB, the output as a whole ${sqnrDb.toFixed(1)} dB.`,
  ];
}
