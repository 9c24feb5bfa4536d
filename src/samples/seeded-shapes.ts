import { bug } from '../errors.js';
import type { Dim } from '../ir/type.js';
import { evaluateDim, symbolsOf } from '../ops/dim.js';
import type { Random } from '../tensor/random.js';
import { totalPositions } from './decoder-inputs.js';
import type { InputPlace, SeedPlan, ValueSpec } from './types.js';

/** What an open dimension seems to count, judged by where it stands. */
type Role = 'batch' | 'sequence' | 'past' | 'image side' | 'volume side' | 'channels';

/** Sizes to choose from: sample 0 takes the first, the next ones take turns, later ones draw. */
type Sizes = Readonly<Record<Role, readonly number[]>>;

const constantSizes = (batch: readonly number[], sequence: number, imageSide: number, volumeSide: number): Sizes => ({
  batch,
  sequence: [sequence],
  past: [Math.min(sequence, 16)],
  'image side': [imageSide],
  'volume side': [volumeSide],
  channels: [3],
});

/**
 * The first suits most models. The others are for models that are choosy without saying so: a window of sound of a
 * certain length, a batch size built in, images of a usual size.
 */
const SIZE_TABLE: readonly Sizes[] = [
  {
    batch: [1, 2, 3],
    sequence: [16, 8, 12, 24, 32, 9, 31],
    past: [8, 5, 16, 1, 20],
    'image side': [64, 32],
    'volume side': [16, 8, 24],
    channels: [3],
  },
  constantSizes([1, 2, 3], 256, 224, 32),
  constantSizes([1], 16, 64, 16),
  constantSizes([1], 256, 224, 32),
  constantSizes([1], 512, 640, 64),
  constantSizes([1], 1, 32, 8),
  constantSizes([1], 128, 48, 96),
  constantSizes([1], 1024, 320, 128),
  constantSizes([1], 16_000, 512, 16),
];

/** How many rows the table of sizes has. */
export const SIZE_PLAN_COUNT = SIZE_TABLE.length;

/** The plan whose sizes are the smallest. */
export const SMALLEST_SIZE_PLAN = 5;

/** Largest last dimension that is still read as colour channels of an image laid out N, H, W, C. */
const MOST_COLOUR_CHANNELS = 4;

/** ONNX Runtime insists on a size of 0, so 0 is a size; only negative numbers mean "open". */
const isFixed = (dim: Dim): dim is number => typeof dim === 'number' && dim >= 0;

function role({ shape = [], cacheAxis }: ValueSpec, axis: number): Role {
  if (axis === cacheAxis) return 'past';
  if (axis === 0 || isRecurrentState(shape)) return 'batch';
  if (cacheAxis !== undefined) return shape.length === 5 && axis === 1 ? 'batch' : 'sequence';
  if (shape.length < 4 || isAttentionCache(shape)) return 'sequence';
  const sides: Role = shape.length === 4 ? 'image side' : 'volume side';
  const last = shape[shape.length - 1];
  const channelsLast = isFixed(last) && last <= MOST_COLOUR_CHANNELS && !isFixed(shape[1]);
  return axis === 1 && !channelsLast ? 'channels' : sides;
}

/** Layers, batch, hidden size: the state of LSTM and GRU keeps its batch in the middle. */
function isRecurrentState(shape: readonly Dim[]): boolean {
  return shape.length === 3 && isFixed(shape[0]) && !isFixed(shape[1]) && isFixed(shape[2]);
}

/** Batch, heads, sequence, head size: keys and values of attention, not an image. */
function isAttentionCache(shape: readonly Dim[]): boolean {
  return shape.length === 4 && isFixed(shape[1]) && !isFixed(shape[2]) && isFixed(shape[3]);
}

/** Dimensions that share a key are equal: by symbol, else by place, as exporters that drop symbols mean it. */
function keyOf(spec: ValueSpec, axis: number): string {
  const dim = spec.shape?.[axis];
  if (typeof dim === 'string' && dim !== '') return `symbol ${dim}`;
  const as = role(spec, axis);
  if (as === 'batch' || as === 'past') return as;
  const rank = spec.shape?.length ?? 0;
  return rank < 4 ? `axis ${axis}` : `axis ${axis} of ${rank}`;
}

/** Keys of open sizes that are equal to others of their kind unless they are known to need not be, kind by kind. */
export function equalSizes(inputs: readonly ValueSpec[], totals: readonly InputPlace[] = []): string[][] {
  const kinds = new Map<Role, Set<string>>();
  const placed = new Set<string>();
  const isTotal = totalTest(totals);
  for (const [spec, axis] of openPlaces(inputs)) {
    if (isTotal(spec, axis)) continue;
    const key = keyOf(spec, axis);
    if (placed.has(key)) continue;
    placed.add(key);
    const as = role(spec, axis);
    const keys = kinds.get(as);
    if (keys) keys.add(key);
    else kinds.set(as, new Set([key]));
  }
  return [...kinds.values()].map((keys) => [...keys]).filter((keys) => keys.length > 1);
}

function totalTest(totals: readonly InputPlace[]): (spec: ValueSpec, axis: number) => boolean {
  const places = new Set(totals.map(({ input, axis }) => `${axis} ${input}`));
  return ({ name }, axis) => places.has(`${axis} ${name}`);
}

/** Open dimensions that are no expressions. */
function* openPlaces(inputs: readonly ValueSpec[]): Generator<readonly [ValueSpec, number]> {
  for (const spec of inputs)
    for (const [axis, dim] of (spec.shape ?? []).entries()) if (!isFixed(dim) && !isExpression(dim)) yield [spec, axis];
}

/**
 * Concrete shapes of all inputs for one sample, in order. The same symbol has the same size everywhere, and so have others
 * of its kind that the plan does not set apart; an expression such as `past_sequence_length + 1` is computed from its
 * symbols. An unknown rank becomes a scalar's.
 */
export function sampleShapes(inputs: readonly ValueSpec[], sample: number, random: Random, plan: SeedPlan): number[][] {
  const table = SIZE_TABLE[plan.sizes];
  if (!table) throw bug(`there is no row ${plan.sizes} in the table of sizes`);
  const sizes = new Map<string, number>();
  const choose = (key: string, as: Role): number => {
    const known = sizes.get(key);
    if (known !== undefined) return known;
    const apart = sample === 0 ? -1 : (plan.apart?.indexOf(key) ?? -1);
    const group = apart < 0 ? `all of ${as}` : key;
    const size = sizes.get(group) ?? offeredSize(table[as], sample, apart + 1, random);
    sizes.set(group, size);
    sizes.set(key, size);
    return size;
  };

  // Plain symbols first, so that expressions find the symbols they are made of.
  const { totals = [] } = plan;
  const isTotal = totalTest(totals);
  for (const [spec, axis] of openPlaces(inputs)) if (!isTotal(spec, axis)) choose(keyOf(spec, axis), role(spec, axis));
  const shapes = inputs.map((spec) =>
    (spec.shape ?? []).map((dim, axis) => {
      if (isFixed(dim)) return dim;
      const computed = isExpression(dim) ? evaluateExpression(dim, choose) : undefined;
      return computed ?? (isTotal(spec, axis) ? 0 : choose(keyOf(spec, axis), role(spec, axis)));
    }),
  );
  if (totals.length > 0) {
    const total = totalPositions(inputs, shapes) ?? choose('axis 1', 'sequence');
    for (const [index, spec] of inputs.entries())
      for (const axis of (shapes[index] as number[]).keys())
        if (isTotal(spec, axis)) (shapes[index] as number[])[axis] = total;
  }
  return shapes;
}

function offeredSize(offered: readonly number[], sample: number, shift: number, random: Random): number {
  const at = sample < offered.length ? (sample + shift) % offered.length : random.integer(offered.length);
  return offered[at] as number;
}

function isExpression(dim: Dim): boolean {
  if (typeof dim !== 'string') return false;
  const symbols = symbolsOf(dim);
  return symbols.length !== 1 || symbols[0] !== dim;
}

function evaluateExpression(dim: Dim, choose: (key: string, as: Role) => number): number | undefined {
  const symbols = symbolsOf(dim);
  if (symbols.length === 0) return undefined;
  const size = evaluateDim(dim, new Map(symbols.map((symbol) => [symbol, choose(`symbol ${symbol}`, 'sequence')])));
  return size !== undefined && size >= 0 ? size : undefined;
}
