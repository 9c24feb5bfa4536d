import { bug } from '../errors.js';
import type { Dim } from '../ir/type.js';
import { evaluateDim, symbolsOf } from '../ops/dim.js';
import type { Random } from '../tensor/random.js';
import type { ValueSpec } from './types.js';

/** What an open dimension seems to count, judged by where it stands. */
type Role = 'batch' | 'sequence' | 'image side' | 'volume side' | 'channels';

/** Sizes to choose from: sample 0 takes the first, the next ones take turns, later ones draw. */
type Sizes = Readonly<Record<Role, readonly number[]>>;

const constantSizes = (batch: readonly number[], sequence: number, imageSide: number, volumeSide: number): Sizes => ({
  batch,
  sequence: [sequence],
  'image side': [imageSide],
  'volume side': [volumeSide],
  channels: [3],
});

/**
 * The first suits most models. The others are for models that are choosy without saying so: a window of sound of a
 * certain length, a batch size built in, images of a usual size.
 */
const SIZE_PLANS: readonly Sizes[] = [
  {
    batch: [1, 2, 3],
    sequence: [16, 8, 12, 24, 32, 9, 31],
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

/** How many size plans there are. */
export const SIZE_PLAN_COUNT = SIZE_PLANS.length;

/** The plan whose sizes are the smallest. */
export const SMALLEST_SIZE_PLAN = 5;

/** Largest last dimension that is still read as colour channels of an image laid out N, H, W, C. */
const MOST_COLOUR_CHANNELS = 4;

/** ONNX Runtime insists on a size of 0, so 0 is a size; only negative numbers mean "open". */
const isFixed = (dim: Dim): dim is number => typeof dim === 'number' && dim >= 0;

function role(shape: readonly Dim[], axis: number): Role {
  if (axis === 0 || isRecurrentState(shape)) return 'batch';
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
function keyOf(shape: readonly Dim[], axis: number): string {
  const dim = shape[axis];
  if (typeof dim === 'string' && dim !== '') return `symbol ${dim}`;
  if (role(shape, axis) === 'batch') return 'batch';
  return shape.length < 4 ? `axis ${axis}` : `axis ${axis} of ${shape.length}`;
}

/**
 * Concrete shapes of all inputs for one sample, in order. The same symbol has the same size everywhere; an expression
 * such as `past_sequence_length + 1` is computed from its symbols. An unknown rank becomes a scalar's.
 */
export function sampleShapes(
  inputs: readonly ValueSpec[],
  sample: number,
  random: Random,
  sizePlan: number,
): number[][] {
  const plan = SIZE_PLANS[sizePlan];
  if (!plan) throw bug(`there is no size plan ${sizePlan}`);
  const sizes = new Map<string, number>();
  const choose = (key: string, as: Role): number => {
    const known = sizes.get(key);
    if (known !== undefined) return known;
    const offered = plan[as];
    const size = offered[sample < offered.length ? sample : random.integer(offered.length)] as number;
    sizes.set(key, size);
    return size;
  };

  // Plain symbols first, so that expressions find the symbols they are made of.
  for (const { shape = [] } of inputs) {
    for (const [axis, dim] of shape.entries()) {
      if (!isFixed(dim) && !isExpression(dim)) choose(keyOf(shape, axis), role(shape, axis));
    }
  }
  return inputs.map(({ shape = [] }) =>
    shape.map((dim, axis) => {
      if (isFixed(dim)) return dim;
      const computed = isExpression(dim) ? evaluateExpression(dim, choose) : undefined;
      return computed ?? choose(keyOf(shape, axis), role(shape, axis));
    }),
  );
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
