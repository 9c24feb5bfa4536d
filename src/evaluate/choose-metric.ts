import { type EvaluatedTensor, isFloatTensor } from './host-numbers.js';
import type { LabelCoding, LabelTraits } from './label-traits.js';
import { namedAnswer, namedOtherwise, namedScores, type OutputMeanings } from './output-meaning.js';
import type { ScoringKind } from './scoring-kinds.js';

/** What a caller asked for; what is absent is chosen. */
export interface MetricWish {
  readonly metric?: ScoringKind;
  readonly output?: string;
}

export interface MetricChoice {
  readonly output: string;
  readonly kind: ScoringKind;
  /** How labels are to be read (`decodeLabels`). */
  readonly coding: LabelCoding;
  /** Axis of the classes, counted from the end, so negative; of `top-1` only. */
  readonly axis?: number;
  /** The label that marks what is not scored, beside those below 0. */
  readonly ignored?: number;
  readonly explanation: string;
}

/**
 * The dimensions of an output beginning with the rows that labels are for; undefined when it has other rows. A model
 * without a batch axis gives one row without saying so.
 */
export function rowDims(dims: readonly number[], rows: number): readonly number[] | undefined {
  if (dims[0] === rows && dims.length > 0) return dims;
  return rows === 1 ? [1, ...dims] : undefined;
}

/** What matters of an output for the choice: that of a run, or one as a model declares it. */
export interface OutputTraits {
  readonly dims: readonly number[];
  readonly elements: number;
  readonly kind: 'float' | 'text' | 'other';
}

function outputTraits(tensor: EvaluatedTensor): OutputTraits {
  const { dims, data } = tensor;
  const kind = isFloatTensor(tensor) ? 'float' : typeof data[0] === 'string' ? 'text' : 'other';
  return { dims, elements: data.length, kind };
}

/** One way to score one output. */
interface Fit {
  readonly kind: ScoringKind;
  readonly coding: LabelCoding;
  readonly axis?: number;
  readonly ignored?: number;
  readonly classes: number;
  readonly because: string;
}

/** The better known what an output means, the lower. */
const PREFERENCE: Readonly<Record<ScoringKind, number>> = {
  'top-1': 1,
  'multi-label': 1,
  ctc: 2,
  auc: 3,
  accuracy: 4,
  error: 5,
  perplexity: 1,
};

const NO_MEANINGS: OutputMeanings = new Map();

/**
 * Chooses which output to score and how, from the outputs of the first run. Outputs that hold the answer itself (a class
 * index, as ArgMax gives) come before scores where the graph or their name says so; among scores those that are known to be
 * of classes, then those with the fewest classes that cover the labels, so that an embedding is not mistaken for logits.
 * @returns the choice, or several where only the answers can tell (`settleChoice`); the reason when no output fits
 */
export function metricChoices(
  outputs: ReadonlyMap<string, EvaluatedTensor>,
  labels: LabelTraits,
  rows: number,
  wish: MetricWish = {},
  meanings: OutputMeanings = NO_MEANINGS,
): readonly MetricChoice[] | string {
  const traits = new Map([...outputs].map(([name, tensor]) => [name, outputTraits(tensor)]));
  return choicesByTraits(traits, labels, rows, wish, meanings);
}

/** The same of outputs of which no values are known. */
export function choicesByTraits(
  outputs: ReadonlyMap<string, OutputTraits>,
  labels: LabelTraits,
  rows: number,
  wish: MetricWish = {},
  meanings: OutputMeanings = NO_MEANINGS,
): readonly MetricChoice[] | string {
  const found: { readonly choice: MetricChoice; readonly order: readonly number[] }[] = [];
  for (const [output, traits] of outputs) {
    if (wish.output !== undefined && wish.output !== output) continue;
    for (const fit of fitsOf(traits, labels, rows)) {
      if (wish.metric !== undefined && wish.metric !== fit.kind) continue;
      const { kind, coding, axis, ignored, classes, because } = fit;
      const meaning = meanings.get(output);
      const known = kind === 'accuracy' ? meaning?.kind === 'answer' : meaning?.kind === 'scores';
      const isAnswer = kind === 'accuracy' && (known || namedAnswer(output));
      const doubt = known || namedScores(output) ? 0 : namedOtherwise(output) ? 2 : 1;
      const why = known && meaning ? `${because.includes(', ') ? ',' : ''} and ${meaning.because}` : '';
      found.push({
        choice: {
          output,
          kind,
          coding,
          ...(axis === undefined ? {} : { axis }),
          ...(ignored === undefined ? {} : { ignored }),
          explanation: `output "${output}" ${because}${why}`,
        },
        order: [isAnswer ? 0 : PREFERENCE[kind], doubt, classes],
      });
    }
  }
  if (found.length === 0) return whyNone(labels, wish);
  found.sort((a, b) => compareOrders(a.order, b.order));
  const choices = found.map(({ choice }) => choice);
  const [best] = choices as [MetricChoice];
  return [best, ...choices.slice(1).filter((other) => isDoubtful(best, other, labels))];
}

function compareOrders(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) if (value !== b[i]) return value - (b[i] ?? 0);
  return 0;
}

/** Whether only the answers tell which of two readings is meant. */
function isDoubtful(best: MetricChoice, other: MetricChoice, labels: LabelTraits): boolean {
  // An integer beside scores: the class they make, or something else, such as a length.
  if (best.kind === 'top-1' && other.kind === 'accuracy') return true;
  // Rows filled up to the steps of the output: a label for each step, or a text to be decoded.
  return best.output === other.output && best.kind === 'top-1' && other.kind === 'ctc' && mayBeText(labels);
}

function mayBeText({ padded, coding }: LabelTraits): boolean {
  return padded && coding === 'classes';
}

function fitsOf(traits: OutputTraits, labels: LabelTraits, rows: number): readonly Fit[] {
  const full = rowDims(traits.dims, rows);
  if (!full || rows === 0) return [];
  if (labels.nextTokens) return nextTokenFits(traits, full, labels);
  if (traits.kind !== 'float') return answerFits(traits, labels, rows);
  if (labels.kind === 'text') return [];
  const dims = [rows, ...full.slice(1).filter((size) => size !== 1)];
  const fits: Fit[] = [...classFits(dims, full, labels)];
  if (traits.elements !== rows * labels.width) return fits;
  const { coding } = labels;
  if (coding === 'multi-hot') {
    const because = `has a score for each of ${labels.width} labels, of which any may hold`;
    fits.push({ kind: 'multi-label', coding, classes: labels.width, because });
  }
  if (labels.width === 1 && labels.kind === 'integer' && (labels.binary || coding === 'signs')) {
    const because = `has one score per sample and the labels are ${coding === 'signs' ? '−1 and +1' : '0 and 1'}`;
    fits.push({ kind: 'auc', coding, classes: 1, because });
  }
  fits.push({ kind: 'error', coding: 'values', classes: 1, because: 'has one number for each label' });
  return fits;
}

/** Logits of the token after each position. */
function nextTokenFits({ kind }: OutputTraits, full: readonly number[], labels: LabelTraits): readonly Fit[] {
  const [, steps = 0, vocabulary = 0] = full;
  if (kind !== 'float' || full.length !== 3 || steps > labels.width || vocabulary <= labels.largest || vocabulary < 2)
    return [];
  const because = `has ${vocabulary} scores for the token after each position`;
  return [{ kind: 'perplexity', coding: 'classes', axis: -1, classes: vocabulary, because }];
}

/** The label that is not scored, where it is not one of so many classes. */
function ignoredOf({ ignored }: LabelTraits, classes: number): Pick<Fit, 'ignored'> {
  return ignored === undefined || ignored < classes ? {} : { ignored };
}

/** An output of whole numbers or text that may be the answer itself. */
function answerFits({ kind, elements }: OutputTraits, labels: LabelTraits, rows: number): readonly Fit[] {
  if ((kind === 'text') !== (labels.kind === 'text')) return [];
  const because = 'has one prediction for each label';
  if (labels.kind !== 'number' && elements === rows * labels.width) {
    const coding = labels.coding === 'signs' ? 'signs' : 'values';
    return [{ kind: 'accuracy', coding, ...ignoredOf(labels, 0), classes: 0, because }];
  }
  if (labels.coding === 'one-hot' && elements === rows)
    return [
      { kind: 'accuracy', coding: 'one-hot', classes: 0, because: 'has the class that each row of labels marks' },
    ];
  return [];
}

/** Scores of classes. @param dims without sizes of 1 after the rows; `full` with them */
function classFits(dims: readonly number[], full: readonly number[], labels: LabelTraits): readonly Fit[] {
  const classes = dims.at(-1) ?? 1;
  // The places of the sizes that are left, from the end.
  const places = full.flatMap((size, axis) => (axis === 0 || size !== 1 ? [axis - full.length] : []));
  if (labels.coding === 'one-hot' && dims.length === 2 && labels.width === classes)
    return [
      {
        kind: 'top-1',
        coding: 'one-hot',
        axis: places[1] ?? -1,
        classes,
        because: `has a score for each of ${classes} classes, and each row of labels marks one of them`,
      },
    ];
  if (labels.kind !== 'integer' || dims.length < 2) return [];
  const covers = (size: number): boolean => size > 1 && labels.largest < size;
  if (labels.width === 1 && dims.length === 2 && covers(classes)) {
    const coding = labels.coding === 'signs' && classes === 2 ? 'signs' : 'classes';
    const because = `has a score for each of ${classes} classes`;
    return [{ kind: 'top-1', coding, axis: places[1] ?? -1, classes, because }];
  }
  const fits: Fit[] = [];
  const positions = (rest: readonly number[]): boolean => rest.length > 0 && rest.join() === labels.shape.join();
  const each = (size: number) => `has ${size} scores for each of ${labels.width} labelled positions`;
  const first = dims[1] ?? 1;
  if (positions(dims.slice(1, -1)) && covers(classes)) {
    const axis = places.at(-1) ?? -1;
    fits.push({
      kind: 'top-1',
      coding: 'classes',
      axis,
      ...ignoredOf(labels, classes),
      classes,
      because: each(classes),
    });
  } else if (positions(dims.slice(2)) && covers(first)) {
    const axis = places[1] ?? -1;
    const ignored = ignoredOf(labels, first);
    fits.push({ kind: 'top-1', coding: 'classes', axis, ...ignored, classes: first, because: each(first) });
  }
  const steps = full.length === 3 ? (full[1] ?? 0) : 0;
  const symbols = full[2] ?? 0;
  if (labels.list && labels.shape.length <= 1 && labels.width <= steps && covers(symbols)) {
    const because = `has ${symbols} scores a step, decoded greedily as CTC`;
    fits.push({ kind: 'ctc', coding: 'classes', classes: symbols, because });
  }
  return fits;
}

function whyNone(labels: LabelTraits, { metric, output }: MetricWish): string {
  const kinds = { integer: 'whole numbers', number: 'numbers', text: 'text' };
  const fits = `labels that are ${kinds[labels.kind]}, ${labels.width} per sample`;
  const what = output === undefined ? 'no output' : `output "${output}" does not`;
  const by = metric === undefined ? '' : ` by the metric ${metric}`;
  return output === undefined ? `no output fits ${fits}${by}` : `${what} fit ${fits}${by}`;
}
