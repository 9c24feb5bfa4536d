import { type EvaluatedTensor, isFloatTensor } from './host-numbers.js';

/** How labels write what is right. */
export type LabelCoding =
  /** Numbers of classes. */
  | 'classes'
  /** −1 and +1, for no and yes. */
  | 'signs'
  /** A number for each class, of which one alone is set (or, of a distribution, the largest is meant). */
  | 'one-hot'
  /** A number for each class, of which any may be set. */
  | 'multi-hot'
  | 'values';

/** What matters of labels for the choice of a metric. */
export interface LabelTraits {
  readonly kind: 'integer' | 'number' | 'text';
  readonly coding: LabelCoding;
  /** Labels a row: 1 for [N], L for [N, L]. */
  readonly width: number;
  /** Their sizes beyond the rows, without those of 1: `[L]` for [N, L], `[]` for [N] and [N, 1]. */
  readonly shape: readonly number[];
  /** True for [N, L], even when L is 1. */
  readonly list: boolean;
  /** Largest integer label, without `ignored`; -1 for none. */
  readonly largest: number;
  /** The label that marks what is not to be scored: 255, as masks of pictures have it. */
  readonly ignored?: number;
  /** True when every label that is scored is 0 or 1. */
  readonly binary: boolean;
  /** True when rows seem to be of unequal length and filled up: with negative labels beside others, or with zeros at the end alone. */
  readonly padded: boolean;
  /** They are the token after each position, in rows as long as the longest sample. */
  readonly nextTokens: boolean;
}

/** What masks of pictures write where nothing is to be scored. */
const IGNORED = 255;

/** Traits of labels [N] or [N, …]. */
export function labelTraits(labels: EvaluatedTensor): LabelTraits {
  const { data, dims } = labels;
  const rows = dims[0] ?? 1;
  const width = rows === 0 ? 0 : data.length / rows;
  const shape = dims.slice(1).filter((size) => size !== 1);
  const nextTokens = labels.nextTokens === true;
  const base = { width, shape, list: dims.length > 1, largest: -1, binary: false, padded: false, nextTokens };
  if (nextTokens) {
    const largest = (data as ArrayLike<number>).length === 0 ? -1 : largestOf(data as ArrayLike<number>);
    return { ...base, kind: 'integer', coding: 'classes', largest, padded: true };
  }
  if (typeof data[0] === 'string') return { ...base, kind: 'text', coding: 'values' };
  const values = data as ArrayLike<number | bigint>;
  if (isFloatTensor(labels))
    return { ...base, kind: 'number', coding: isDistribution(values, rows, width) ? 'one-hot' : 'values' };
  let largest = -1;
  let isIgnored = false;
  let padded = false;
  let [zerosInside, zerosBehind] = [false, false];
  for (let row = 0; row < rows; row++) {
    let negative = 0;
    let zeros = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      const value = Number(values[i]);
      if (value === IGNORED && shape.length > 1) isIgnored = true;
      else largest = Math.max(largest, value);
      if (value < 0) negative++;
      if (value === 0) zeros++;
      else if (zeros > 0) zerosInside = true;
    }
    if (negative > 0 && negative < width) padded = true;
    if (zeros > 0 && zeros < width) zerosBehind = true;
  }
  padded ||= width > 1 && zerosBehind && !zerosInside;
  // Beside labels up to 254 and more it is one of them.
  if (isIgnored && (largest < 0 || largest >= IGNORED - 1)) {
    isIgnored = false;
    largest = Math.max(largest, IGNORED);
  }
  const coding = integerCoding(values, rows, width);
  const ignored = isIgnored ? { ignored: IGNORED } : {};
  return { ...base, kind: 'integer', coding, largest, ...ignored, binary: largest <= 1, padded };
}

function largestOf(values: ArrayLike<number>): number {
  let largest = -1;
  for (let at = 0; at < values.length; at++) largest = Math.max(largest, values[at] as number);
  return largest;
}

function integerCoding(values: ArrayLike<number | bigint>, rows: number, width: number): LabelCoding {
  const seen = new Set<number>();
  for (let i = 0; i < values.length && seen.size < 4; i++) seen.add(Number(values[i]));
  const only = (...allowed: readonly number[]): boolean => [...seen].every((value) => allowed.includes(value));
  if (width === 1) return seen.size === 2 && only(-1, 1) ? 'signs' : 'classes';
  if (!seen.has(1) || !only(-1, 0, 1)) return 'classes';
  if (seen.size > 2) return 'multi-hot';
  for (let row = 0; row < rows; row++) {
    let set = 0;
    for (let i = row * width; i < (row + 1) * width; i++) if (Number(values[i]) === 1) set++;
    if (set !== 1) return 'multi-hot';
  }
  return 'one-hot';
}

/** Shares of a whole in every row: smoothed labels, or what another model gave. */
function isDistribution(values: ArrayLike<number | bigint>, rows: number, width: number): boolean {
  if (width < 2) return false;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      const value = Number(values[i]);
      if (!(value >= 0 && value <= 1)) return false;
      sum += value;
    }
    if (Math.abs(sum - 1) > 1e-3) return false;
  }
  return rows > 0;
}

/**
 * Labels as a scorer counts them: class numbers for `one-hot`, 0 and 1 for `signs` and for signs of many classes, −1 for what is
 * `ignored`.
 */
export function decodeLabels(labels: EvaluatedTensor, coding: LabelCoding, ignored?: number): EvaluatedTensor {
  const { data, dims } = labels;
  const values = data as ArrayLike<number | bigint>;
  if (ignored !== undefined)
    return {
      ...labels,
      data: Int32Array.from({ length: data.length }, (_, i) =>
        Number(values[i]) === ignored ? -1 : Number(values[i]),
      ),
    };
  if (coding === 'signs' || (coding === 'multi-hot' && !hasZero(values)))
    return { ...labels, data: Int32Array.from({ length: data.length }, (_, i) => (Number(values[i]) > 0 ? 1 : 0)) };
  if (coding !== 'one-hot') return labels;
  const rows = dims[0] ?? 1;
  const width = data.length / Math.max(1, rows);
  const classes = Int32Array.from({ length: rows }, (_, row) => {
    let best = 0;
    for (let i = 1; i < width; i++) if (Number(values[row * width + i]) > Number(values[row * width + best])) best = i;
    return best;
  });
  return { dataType: labels.dataType, dims: [rows], data: classes };
}

/** Without a 0 a −1 means no; beside zeros it means that nobody knows. */
function hasZero(values: ArrayLike<number | bigint>): boolean {
  for (let i = 0; i < values.length; i++) if (Number(values[i]) === 0) return true;
  return false;
}
