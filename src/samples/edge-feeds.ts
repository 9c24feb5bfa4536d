import { DataType } from '../tensor/dtype.js';
import { float16ToFloat32, float32ToFloat16 } from '../tensor/float16.js';
import type { Feeds, HostTensor, ValueSpec } from './types.js';

/** Inputs that graphs are wrong about first. */
export interface EdgeFeeds {
  /** What stands in the inputs, to go after "on": `inputs of zeros`. */
  readonly label: string;
  /** Beyond what rounding can be judged on: only for results that must be equal bit for bit. */
  readonly exactOnly: boolean;
  /** Floats overflow or are undefined: what integers a model makes of that rounding decides. */
  readonly extreme: boolean;
  readonly feeds: Feeds;
}

interface EdgeKind {
  readonly label: string;
  readonly exactOnly?: boolean;
  readonly extreme?: boolean;
  /** New value of a float element. */
  readonly float: (value: number, index: number, all: ArrayLike<number>) => number;
  /** New value of an integer element that may be from 0 up to `highest`. */
  readonly integer?: (value: number, highest: number) => number;
  readonly bool?: 0 | 1;
}

/** At most one element in so many becomes special, in short inputs one in four: the others show whether it spreads. */
const SPARSE = 37;
const sparse =
  (special: readonly number[]) =>
  (value: number, index: number, { length }: ArrayLike<number>): number => {
    const stride = Math.min(SPARSE, Math.max(2, Math.ceil(length / 4)));
    return index % stride === 0 ? (special[(index / stride) % special.length] as number) : value;
  };

const EDGE_KINDS: readonly EdgeKind[] = [
  { label: 'inputs of zeros', float: () => 0, integer: () => 0, bool: 0 },
  { label: 'inputs of negative zeros', float: () => -0 },
  { label: 'inputs of ones', float: () => 1, integer: (_value, highest) => highest, bool: 1 },
  { label: 'large inputs', extreme: true, float: (value) => value * 1e3 },
  { label: 'small inputs', float: (value) => value * 1e-3 },
  { label: 'negative inputs', float: (value) => -Math.abs(value) },
  { label: 'inputs with NaN', extreme: true, float: sparse([Number.NaN]) },
  {
    label: 'inputs with infinities',
    extreme: true,
    float: sparse([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]),
  },
  { label: 'inputs of negative infinity', extreme: true, float: () => Number.NEGATIVE_INFINITY },
  { label: 'huge inputs', exactOnly: true, extreme: true, float: (value) => value * 1e30 },
  { label: 'tiny inputs', exactOnly: true, extreme: true, float: (value) => value * 1e-39 },
];

/**
 * The same sample with every float input replaced by edge values, one kind after the other; integers and booleans go to
 * the ends of what is known to be legal. Kinds that would change nothing are left out.
 */
export function edgeFeeds(sample: Feeds, inputs: readonly ValueSpec[]): EdgeFeeds[] {
  const specs = new Map(inputs.map((spec) => [spec.name, spec]));
  const all: EdgeFeeds[] = [];
  for (const kind of EDGE_KINDS) {
    const feeds: Feeds = new Map();
    let changed = false;
    for (const [name, tensor] of sample) {
      const edged = edgeTensor(tensor, specs.get(name), kind);
      feeds.set(name, edged ?? tensor);
      if (edged) changed = true;
    }
    const { label, exactOnly = false, extreme = false } = kind;
    if (changed) all.push({ label, exactOnly, extreme, feeds });
  }
  const masked = maskedFeeds(sample);
  return masked ? [masked, ...all] : all;
}

/** The sample with the end of each row of its masks hidden; undefined when it has none that hides nothing. */
function maskedFeeds(sample: Feeds): EdgeFeeds | undefined {
  const feeds: Feeds = new Map(sample);
  let changed = false;
  for (const [name, { dataType, dims, data }] of sample) {
    const width = dims.at(-1) ?? 0;
    if (!/mask/i.test(name) || width < 2 || !ArrayBuffer.isView(data) || !isAllOnes(data)) continue;
    const hides = (index: number): boolean => index % width >= Math.ceil(width / 2);
    const hidden =
      data instanceof BigInt64Array || data instanceof BigUint64Array
        ? data.map((value, index) => (hides(index) ? 0n : value))
        : (data as Float32Array).map((value, index) => (hides(index) ? 0 : value));
    feeds.set(name, { dataType, dims, data: hidden });
    changed = true;
  }
  return changed ? { label: 'masks that hide half', exactOnly: false, extreme: false, feeds } : undefined;
}

function isAllOnes(data: ArrayLike<number | bigint>): boolean {
  for (let i = 0; i < data.length; i++) if (Number(data[i]) !== 1) return false;
  return true;
}

/** Undefined where the kind leaves the input as it is. */
function edgeTensor(tensor: HostTensor, spec: ValueSpec | undefined, kind: EdgeKind): HostTensor | undefined {
  const { dataType, dims, data } = tensor;
  if (data.length === 0) return undefined;
  if (data instanceof Float32Array || data instanceof Float64Array)
    return { dataType, dims, data: (data as Float32Array).map(kind.float) };
  if (data instanceof Uint16Array && dataType === DataType.FLOAT16) {
    const wide = new Float32Array(data.length);
    float16ToFloat32(data, wide);
    const bits = new Uint16Array(data.length);
    float32ToFloat16(wide.map(kind.float), bits);
    return { dataType, dims, data: bits };
  }
  if (data instanceof Uint8Array && dataType === DataType.BOOL)
    return kind.bool === undefined ? undefined : { dataType, dims, data: data.map(() => kind.bool as number) };
  const { integer } = kind;
  // What is compared with constants stands for a choice, and what counts something must not become 0.
  if (!integer || spec?.candidates || spec?.exclusiveUpper === undefined) return undefined;
  const highest = spec.exclusiveUpper - 1;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return { dataType, dims, data: data.map((value) => BigInt(integer(Number(value), highest))) };
  if (!ArrayBuffer.isView(data)) return undefined;
  return { dataType, dims, data: (data as Int32Array).map((value) => integer(value, highest)) };
}
