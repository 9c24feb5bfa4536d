import { DataType } from '../tensor/dtype.js';
import { isTotalScalar, totalPositions } from './decoder-inputs.js';
import type { SeedPlan, ValueSpec } from './types.js';

const FLOATS: ReadonlySet<number> = new Set([DataType.FLOAT, DataType.FLOAT16, DataType.DOUBLE]);

/** Whether an input is one number by its type, so that it stands for a choice or a count rather than for data. */
export function isScalar({ shape, dataType }: ValueSpec): boolean {
  if (dataType === undefined || dataType === DataType.STRING || !shape) return false;
  return shape.length === 0 || (shape.length === 1 && shape[0] === 1);
}

/** Whether a scalar takes values in turn: not where it is a plain float, which is drawn as any other. */
function takesTurns(input: ValueSpec): boolean {
  return isScalar(input) && (!FLOATS.has(input.dataType as number) || input.candidates !== undefined);
}

/** A count, a length or a flag of 1 is legal nearly everywhere, ... */
const PLAIN_VALUES: readonly number[] = [1];
/** ... and so may these be: they are tried. */
const MORE_VALUES: readonly number[] = [1, 2, 3];

/** What a scalar takes in turn where nothing was tried. */
function plainValues(input: ValueSpec): readonly number[] {
  const isKnown = input.dataType === DataType.BOOL || input.exclusiveUpper !== undefined || input.candidates;
  return isKnown ? scalarCandidates(input) : PLAIN_VALUES;
}

/** Values that a scalar input may take as far as its specification tells, the plainest first; [0, 1] for a flag. */
export function scalarCandidates(input: ValueSpec): readonly number[] {
  if (input.dataType === DataType.BOOL) return [0, 1];
  const { candidates = [], exclusiveUpper } = input;
  if (exclusiveUpper !== undefined) {
    const last = Math.max(0, exclusiveUpper - 1);
    const legal = [Math.min(1, last), 0, last, ...candidates].filter((value) => value >= 0 && value <= last);
    return [...new Set(legal)];
  }
  return candidates.length > 0 ? candidates : FLOATS.has(input.dataType as number) ? [] : MORE_VALUES;
}

/** The inputs whose values the job `fitSeeds` tries one by one. */
export function scalarInputs(inputs: readonly ValueSpec[]): ValueSpec[] {
  return inputs.filter((input) => takesTurns(input) && !isTotalScalar(input) && scalarCandidates(input).length > 0);
}

/** So many samples take turns; later ones combine values as their number has it. */
const TURNS = 16;

/** What the scalars of a sample are, by name. Every flag takes both values within the first five samples. */
export function scalarValues(
  inputs: readonly ValueSpec[],
  shapes: readonly (readonly number[])[],
  plan: SeedPlan,
  sample: number,
): Map<string, number> {
  const values = new Map<string, number>();
  let flags = 0;
  let others = 0;
  for (const input of inputs) {
    if (!takesTurns(input)) continue;
    const offered = plan.scalars?.get(input.name) ?? plainValues(input);
    if (input.dataType === DataType.BOOL && offered.length === 2) {
      values.set(input.name, flagOf(sample, flags++));
      continue;
    }
    const total = isTotalScalar(input) ? totalPositions(inputs, shapes) : undefined;
    const value = total ?? turnOf(offered, sample, others++);
    if (value !== undefined) values.set(input.name, value);
  }
  return values;
}

/** Bits of the sample's number that a flag is the parity of: all differ, so flags combine. */
const FLAG_MASKS: readonly number[] = [1, 2, 4, 3, 5, 6, 7];

function flagOf(sample: number, flag: number): number {
  let bits =
    sample & ((FLAG_MASKS[flag % FLAG_MASKS.length] as number) | (sample >= TURNS ? 1 << (4 + (flag % 8)) : 0));
  let parity = 0;
  for (; bits > 0; bits >>= 1) parity ^= bits & 1;
  return parity;
}

function turnOf(offered: readonly number[], sample: number, position: number): number | undefined {
  const { length } = offered;
  if (sample < TURNS) return offered[(sample + position * Math.floor(sample / Math.max(1, length))) % length];
  return offered[Math.floor((sample - TURNS) / Math.max(1, length) ** (position % 4)) % length];
}

/** Samples from this one on have floats of other sizes and signs, to reach what plain ones do not. */
export const VARIED_FROM = 1000;

const VARIATIONS: readonly ((value: number) => number)[] = [
  (value) => Math.abs(value),
  (value) => -Math.abs(value),
  (value) => value * 100,
  () => 0,
  (value) => Math.abs(value) * 100,
  (value) => -Math.abs(value) * 100,
];

/** The numbers of a float input in a sample of which they are to vary; as they are elsewhere. */
export function variedFloats(input: ValueSpec, sample: number, next: () => number): () => number {
  if (sample < VARIED_FROM || !FLOATS.has(input.dataType as number)) return next;
  const vary = VARIATIONS[(sample - VARIED_FROM) % VARIATIONS.length] as (value: number) => number;
  return () => vary(next());
}
