/** Networks of channels, heads and hidden units, made from a seed, with what they are fed. */
import { createRandom } from '../../../src/tensor/random.js';
import type { FeedTensor } from '../random-feeds.js';
import { GraphBuilder } from './builder.js';
import type { Image } from './image.js';
import { classify, conv, IMAGE_LAYERS } from './images.js';
import { embed, linear, SEQUENCE_LAYERS, type Sequence } from './sequences.js';

export interface ChannelGraph {
  readonly text: string;
  readonly feeds: ReadonlyMap<string, FeedTensor>;
  /** Numbers of 16 or 8 bits are involved, whose rounding may differ. */
  readonly coarse: boolean;
}

const OPSETS = [9, 11, 12, 13, 13, 14, 17, 17, 18, 20, 21];
const BATCH = 2;
const MOST_TRIES = 30;

/** How many kinds of layers there are. */
export const LAYER_KINDS: number = new Set([...IMAGE_LAYERS, ...SEQUENCE_LAYERS]).size;

/** A small network around one layer of a kind, so that each is met; undefined where the seed does not fit it. */
export function layerGraph(kind: number, seed: number): ChannelGraph | undefined {
  const kinds = [...new Set([...IMAGE_LAYERS, ...SEQUENCE_LAYERS])];
  const b = new GraphBuilder(seed, OPSETS[(seed * 7 + kind) % OPSETS.length] ?? 17);
  const feeds = new Map<string, FeedTensor>();
  const layer = kinds[kind];
  if (IMAGE_LAYERS.includes(layer as (typeof IMAGE_LAYERS)[number])) {
    const name = b.input('float', ['N', 3, 4, 4]);
    feeds.set(name, floats([BATCH, 3, 4, 4], seed));
    const x = conv(b, { name, channels: 3, height: 4, width: 4 }, b.choose([8, 12]));
    const y = attempt(b, () => (layer as (typeof IMAGE_LAYERS)[number])(b, x));
    if (y === undefined) return undefined;
    b.output(classify(b, conv(b, y, 6)), ['N', 5]);
  } else {
    const name = b.input('float', ['N', 4, 5]);
    feeds.set(name, floats([BATCH, 4, 5], seed));
    const x = { name: linear(b, name, 5, 8), width: 8 };
    const y = attempt(b, () => (layer as (typeof SEQUENCE_LAYERS)[number])(b, x));
    if (y === undefined) return undefined;
    b.output(linear(b, y.name, y.width, 5), ['?', '?', 5]);
  }
  const text = b.text();
  return { text, feeds, coarse: isCoarse(text) };
}

/** @param layers at most so many; the same seed with fewer gives the beginning of the same graph */
export function channelGraph(seed: number, layers = Number.POSITIVE_INFINITY): ChannelGraph {
  const random = createRandom(seed, 17);
  const b = new GraphBuilder(seed, OPSETS[random.integer(OPSETS.length)] ?? 17);
  const batch = b.choose(['N', 'N', BATCH]);
  const wanted = Math.min(layers, 2 + b.random.integer(6));
  const feeds = new Map<string, FeedTensor>();
  if (random.float() < 0.55) images(b, batch, wanted, feeds, seed);
  else sequences(b, batch, wanted, feeds, seed);
  const text = b.text();
  return { text, feeds, coarse: isCoarse(text) };
}

function images(
  b: GraphBuilder,
  batch: string | number,
  wanted: number,
  feeds: Map<string, FeedTensor>,
  seed: number,
): void {
  const [height, width] = b.choose([
    [4, 4],
    [6, 5],
    [4, 6],
  ] as const);
  const isOpen = b.chance(0.2);
  const name = b.input('float', [batch, 3, ...(isOpen ? ['H', 'W'] : [height, width])]);
  feeds.set(name, floats([BATCH, 3, height, width], seed));
  let x: Image = { name, channels: 3, height, width };
  let y: Image | undefined;
  for (let made = 0, tries = 0; made < wanted && tries < MOST_TRIES; tries++) {
    y = attempt(b, () =>
      (made === 0 ? (IMAGE_LAYERS[0] as (typeof IMAGE_LAYERS)[number]) : b.choose(IMAGE_LAYERS))(b, x),
    );
    if (y === undefined || y.channels > 40) continue;
    x = y;
    made++;
    if (b.chance(0.04)) b.output(x.name, [batch, x.channels, '?', '?']);
  }
  b.output(classify(b, x), [batch, 5]);
}

function sequences(
  b: GraphBuilder,
  batch: string | number,
  wanted: number,
  feeds: Map<string, FeedTensor>,
  seed: number,
): void {
  const positions = 4;
  const dims = [batch, b.choose(['S', 'S', positions])];
  let x: Sequence;
  if (b.chance(0.5)) {
    x = embed(b, dims);
    const ids = BigInt64Array.from({ length: BATCH * positions }, (_, at) => BigInt((at * 3 + seed) % 7));
    feeds.set('x0', { type: 'int64', dims: [BATCH, positions], data: ids });
  } else {
    const width = b.choose([4, 6]);
    x = { name: b.input('float', [...dims, width]), width };
    feeds.set(x.name, floats([BATCH, positions, width], seed));
  }
  for (let made = 0, tries = 0; made < wanted && tries < MOST_TRIES; tries++) {
    const y = attempt(b, () => b.choose(SEQUENCE_LAYERS)(b, x));
    if (y === undefined) continue;
    x = y;
    made++;
    if (b.chance(0.03)) b.output(x.name, [...dims, x.width]);
  }
  b.output(linear(b, x.name, x.width, 5), ['?', '?', 5]);
}

function isCoarse(text: string): boolean {
  return /QuantizeLinear|to = 10/.test(text);
}

/** A layer that does not fit leaves nothing behind. */
function attempt<T>(b: GraphBuilder, layer: () => T | undefined): T | undefined {
  const [lines, weights] = [b.lines.length, b.weights.length];
  const made = layer();
  if (made === undefined) {
    b.lines.length = lines;
    b.weights.length = weights;
  }
  return made;
}

function floats(dims: readonly number[], seed: number): FeedTensor {
  const random = createRandom(seed, 23);
  const count = dims.reduce((a, b) => a * b, 1);
  return { type: 'float32', dims, data: Float32Array.from({ length: count }, () => random.normal()) };
}
