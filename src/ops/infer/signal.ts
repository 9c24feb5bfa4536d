import { DataType } from '../../tensor/dtype.js';
import { addDims, floorDivideDim } from '../dim.js';
import type { RuleContext, RuleTable } from './context.js';

/** DFT: the transformed axis takes `dft_length`, halved when `onesided`; the last axis is re and im. */
function dft(context: RuleContext): void {
  const shape = context.shape(0);
  if (!shape) return;
  const given = context.since < 20 ? context.int('axis') : context.has(2) ? context.single(2) : -2;
  if (typeof given !== 'number') {
    context.setShape(
      0,
      shape.map(() => undefined),
    );
    return;
  }
  const axis = context.axis(given, shape.length);
  if (axis === undefined) return;
  const inverse = context.int('inverse') === 1;
  const onesided = context.int('onesided') === 1;
  const length = context.has(1) ? context.single(1) : shape[axis];
  const full = onesided && !inverse ? addDims(floorDivideDim(length, 2), 1) : length;
  // The inverse of a one-sided transform is real, and its length is not told by the input alone.
  const transformed = onesided && inverse && !context.has(1) ? undefined : full;
  const last = shape.length - 1;
  const parts = onesided && inverse ? 1 : 2;
  context.setShape(
    0,
    shape.map((dim, at) => (at === axis ? transformed : at === last ? parts : dim)),
  );
}

function stft(context: RuleContext): void {
  const signal = context.shape(0);
  if (!signal) return;
  const step = context.single(1);
  const frame = context.has(3) ? context.single(3) : context.has(2) ? context.dim(2, 0) : undefined;
  const length = signal[1];
  const frames =
    typeof length === 'number' && typeof step === 'number' && typeof frame === 'number' && step > 0
      ? Math.floor((length - frame) / step) + 1
      : undefined;
  const bins = context.int('onesided') === 0 ? frame : addDims(floorDivideDim(frame, 2), 1);
  context.setShape(0, [signal[0], frames, bins, 2]);
}

function melWeightMatrix(context: RuleContext): void {
  context.setDataType(0, context.int('output_datatype') ?? DataType.FLOAT);
  context.setShape(0, [addDims(floorDivideDim(context.single(1), 2), 1), context.single(0)]);
}

function tfIdfVectorizer(context: RuleContext): void {
  const shape = context.shape(0);
  const indexes = context.ints('ngram_indexes');
  if (!shape || !indexes || indexes.length === 0) return;
  let size = 0;
  for (const index of indexes) size = Math.max(size, index + 1);
  context.setShape(0, [...shape.slice(0, -1), size]);
}

function stringSplit(context: RuleContext): void {
  const shape = context.shape(0);
  context.setShape(0, shape && [...shape, undefined]);
  context.setShape(1, shape);
}

/** Stop words may shorten the last axis, but an empty result keeps one string. */
function stringNormalizer(context: RuleContext): void {
  const shape = context.shape(0);
  if (!shape) return;
  const kept = context.listLength('stopwords') === 0;
  context.setShape(0, kept ? shape : shape.map((dim, at) => (at === shape.length - 1 ? undefined : dim)));
}

export const signalRules: RuleTable = [
  ['DFT', dft],
  ['STFT', stft],
  ['MelWeightMatrix', melWeightMatrix],
  ['TfIdfVectorizer', tfIdfVectorizer],
  ['StringSplit', stringSplit],
  ['StringNormalizer', stringNormalizer],
];
