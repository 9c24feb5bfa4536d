import { type EvaluatedTensor, isFloatTensor } from './host-numbers.js';

/** How an output is scored against labels. */
export type ScoringKind = 'equal' | 'top1' | 'tokens' | 'ctc' | 'binary' | 'regression';

export interface MetricChoice {
  readonly output: string;
  readonly kind: ScoringKind;
  readonly explanation: string;
}

/** What matters of labels for the choice. */
export interface LabelTraits {
  readonly kind: 'integer' | 'number' | 'text';
  /** Labels a row: 1 for [N], L for [N, L]. */
  readonly width: number;
  /** True for [N, L], even when L is 1. */
  readonly list: boolean;
  /** Largest integer label; -1 for none. */
  readonly largest: number;
  /** True when every label that is scored is 0 or 1. */
  readonly binary: boolean;
}

/** Traits of labels [N] or [N, L]. Negative integers are not scored. */
export function labelTraits(labels: EvaluatedTensor): LabelTraits {
  const rows = labels.dims[0] ?? 1;
  const width = rows === 0 ? 0 : labels.data.length / rows;
  const list = labels.dims.length > 1;
  if (typeof labels.data[0] === 'string') return { kind: 'text', width, list, largest: -1, binary: false };
  if (isFloatTensor(labels)) return { kind: 'number', width, list, largest: -1, binary: false };
  let largest = -1;
  for (let i = 0; i < labels.data.length; i++) largest = Math.max(largest, Number(labels.data[i]));
  return { kind: 'integer', width, list, largest, binary: largest <= 1 };
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

/** The better known what an output means, the lower; of equals the first output is taken. */
const PREFERENCE: Readonly<Record<ScoringKind, number>> = {
  equal: 0,
  top1: 1,
  tokens: 2,
  ctc: 3,
  binary: 3,
  regression: 4,
};

/**
 * Chooses which output to score and how, from the outputs of the first run. Outputs that hold the answer itself (a class
 * index, as ArgMax gives) come before scores; among scores for classes the output with the fewest classes that cover
 * the labels is taken, so that an embedding is not mistaken for logits. Returns the reason when no output fits.
 */
export function chooseMetric(
  outputs: ReadonlyMap<string, EvaluatedTensor>,
  labels: LabelTraits,
  rows: number,
): MetricChoice | string {
  return chooseByTraits(new Map([...outputs].map(([name, tensor]) => [name, outputTraits(tensor)])), labels, rows);
}

/** The same of outputs of which no values are known. */
export function chooseByTraits(
  outputs: ReadonlyMap<string, OutputTraits>,
  labels: LabelTraits,
  rows: number,
): MetricChoice | string {
  for (const [output, traits] of outputs) {
    const dims = rowDims(traits.dims, rows);
    const isText = traits.kind === 'text';
    if (!dims || traits.kind === 'float' || isText !== (labels.kind === 'text') || labels.kind === 'number') continue;
    if (traits.elements !== rows * labels.width) continue;
    return { output, kind: 'equal', explanation: `output "${output}" holds one answer for each label` };
  }
  let best: (MetricChoice & { readonly classes: number }) | undefined;
  for (const [output, traits] of outputs) {
    const dims = rowDims(traits.dims, rows);
    const fit = dims && traits.kind === 'float' ? scoreFit(dims, traits.elements, labels, rows) : undefined;
    if (!fit) continue;
    const choice = { output, kind: fit.kind, classes: fit.classes, explanation: `output "${output}" ${fit.because}` };
    const lead = best ? PREFERENCE[choice.kind] - PREFERENCE[best.kind] || compareClasses(choice, best) : -1;
    if (lead < 0) best = choice;
  }
  if (best) return { output: best.output, kind: best.kind, explanation: best.explanation };
  const kinds = { integer: 'whole numbers', number: 'numbers', text: 'text' };
  return `no output fits labels that are ${kinds[labels.kind]}, ${labels.width} a sample`;
}

function compareClasses(a: { kind: ScoringKind; classes: number }, b: { kind: ScoringKind; classes: number }): number {
  return a.kind === b.kind ? a.classes - b.classes : 0;
}

function scoreFit(
  dims: readonly number[],
  elements: number,
  labels: LabelTraits,
  rows: number,
): { readonly kind: ScoringKind; readonly classes: number; readonly because: string } | undefined {
  if (labels.kind === 'text' || rows === 0) return undefined;
  const classes = dims[dims.length - 1] ?? 1;
  if (labels.kind === 'integer' && classes > 1 && labels.largest < classes) {
    if (dims.length === 2 && labels.width === 1)
      return { kind: 'top1', classes, because: `has a score for each of ${classes} classes` };
    if (dims.length === 3 && labels.width === dims[1])
      return { kind: 'tokens', classes, because: `has ${classes} scores for each of ${dims[1]} labelled positions` };
    if (dims.length === 3 && labels.list && labels.width <= (dims[1] ?? 0))
      return { kind: 'ctc', classes, because: `has ${classes} scores a step, decoded greedily as CTC` };
  }
  if (elements !== rows * labels.width) return undefined;
  if (labels.kind === 'integer' && labels.binary && labels.width === 1)
    return { kind: 'binary', classes: 1, because: 'has one score a sample and the labels are 0 and 1' };
  return { kind: 'regression', classes: 1, because: 'has one number for each label' };
}
