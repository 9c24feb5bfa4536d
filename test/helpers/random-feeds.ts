/** Seeded numbers for the inputs of a random graph. */

import { toFloat16 } from '../../src/tensor/float16.js';
import { createRandom, type Random } from '../../src/tensor/random.js';
import type { ElementType, FedInput } from './random-graph/scope.js';

export type FeedData = Float32Array | Float64Array | Uint16Array | BigInt64Array | Int32Array | Uint8Array;

export interface FeedTensor {
  /** The name of the type in onnxruntime-common. */
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: FeedData;
}

export interface FeedOptions {
  /** Which of the two sizes of each dimension. */
  readonly way: 0 | 1;
  readonly seed: number;
  /** Relative change of every float. */
  readonly nudge?: number;
  /** What floats are multiplied by. */
  readonly scale?: number;
  /** Zeros of both signs, infinities, NaN and tiny numbers among the floats. */
  readonly edges?: boolean;
}

const EDGES = [0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e-42, 1, -1, 0.5];

export function randomFeeds(inputs: readonly FedInput[], options: FeedOptions): Map<string, FeedTensor> {
  return new Map(
    inputs.map((input, index) => {
      const dims = input.sizes.map((size) => size[options.way]);
      const count = dims.reduce((a, b) => a * b, 1);
      const random = createRandom(options.seed, index, 5);
      return [input.name, { ...tensorOf(input.type, count, numbers(input, random, options)), dims }];
    }),
  );
}

function numbers(input: FedInput, random: Random, { nudge = 0, scale = 1, edges = false }: FeedOptions): () => number {
  const { type } = input;
  if (type === 'bool') return () => random.integer(2);
  if (type !== 'float' && type !== 'double' && type !== 'float16')
    return () => random.integer(Math.max(1, input.exclusiveUpper));
  return () => {
    const value = Math.max(-4, Math.min(4, random.normal()));
    const sign = random.integer(2) * 2 - 1;
    const edge = random.integer(4) === 0 ? EDGES[random.integer(EDGES.length)] : undefined;
    return edges && edge !== undefined ? edge : scale * value * (1 + nudge * sign);
  };
}

function tensorOf(type: ElementType, count: number, next: () => number): { type: string; data: FeedData } {
  const fill = <T extends { [index: number]: number }>(array: T): T => {
    for (let i = 0; i < count; i++) array[i] = next();
    return array;
  };
  switch (type) {
    case 'float':
      return { type: 'float32', data: fill(new Float32Array(count)) };
    case 'double':
      return { type: 'float64', data: fill(new Float64Array(count)) };
    case 'float16':
      return { type, data: Uint16Array.from({ length: count }, () => toFloat16(next())) };
    case 'int64':
      return { type, data: BigInt64Array.from({ length: count }, () => BigInt(next())) };
    case 'int32':
      return { type, data: fill(new Int32Array(count)) };
    case 'bool':
    case 'uint8':
      return { type, data: fill(new Uint8Array(count)) };
    default:
      throw new Error(`no feed of type ${type}`);
  }
}
