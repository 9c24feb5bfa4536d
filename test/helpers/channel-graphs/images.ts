/** Layers of networks for images [N, C, H, W], as exporters write them. */
import type { GraphBuilder } from './builder.js';
import { type Image, type ImageLayer, WIDTHS } from './image.js';
import { halfPrecision, quantizedConv, quantizedWeight } from './low-precision.js';

export function conv(b: GraphBuilder, x: Image, channels: number, { group = 1, side = 3 } = {}): Image {
  const bias = b.chance(0.6) ? [b.weight([channels], 4)] : [];
  const pads = side === 3 ? ', pads = [1,1,1,1]' : '';
  const w = b.weight([channels, x.channels / group, side, side]);
  const name = b.node('Conv', [x.name, w, ...bias], `group = ${group}, kernel_shape = [${side},${side}]${pads}`);
  return { ...x, name, channels };
}

function map(b: GraphBuilder, x: Image, opType: string, inputs: readonly string[] = [], attributes = ''): Image {
  return { ...x, name: b.node(opType, [x.name, ...inputs], attributes) };
}

const plainConv: ImageLayer = (b, x) => conv(b, x, b.choose(WIDTHS), { side: b.choose([1, 3]) });

const groupedConv: ImageLayer = (b, x) => {
  const group = b.choose([2, 3, 4].filter((count) => x.channels % count === 0));
  if (group === undefined) return undefined;
  return conv(b, x, group * b.choose([1, 2, 3]), { group });
};

const depthwise: ImageLayer = (b, x) => conv(b, x, x.channels * b.choose([1, 1, 2]), { group: x.channels });

const convTranspose: ImageLayer = (b, x) => {
  const group = b.choose([1, 1, x.channels, x.channels % 2 === 0 ? 2 : 1]);
  const each = b.choose([1, 2, 4]);
  const bias = b.chance(0.5) ? [b.weight([each * group], 4)] : [];
  const w = b.weight([x.channels, each, 3, 3], 9 * each);
  const attributes = `group = ${group}, kernel_shape = [3,3], pads = [1,1,1,1]`;
  return { ...x, name: b.node('ConvTranspose', [x.name, w, ...bias], attributes), channels: each * group };
};

const batchNormalization: ImageLayer = (b, x) => {
  const vectors = [
    b.positive([x.channels]),
    b.weight([x.channels], 4),
    b.weight([x.channels], 4),
    b.positive([x.channels]),
  ];
  return map(b, x, 'BatchNormalization', vectors);
};

const activation: ImageLayer = (b, x) =>
  map(b, x, b.choose(['Relu', 'Sigmoid', 'Tanh', 'LeakyRelu', 'Softplus', 'Elu']));

const clip: ImageLayer = (b, x) =>
  b.opset >= 11 ? map(b, x, 'Clip', [b.scalar(0), b.scalar(6)]) : map(b, x, 'Clip', [], 'min = 0.0, max = 6.0');

const prelu: ImageLayer = (b, x) => map(b, x, 'PRelu', [b.choose([b.weight([x.channels, 1, 1], 4), b.weight([1], 4)])]);

const hardSwish: ImageLayer = (b, x) => ({ ...x, name: b.node('Mul', [x.name, b.node('HardSigmoid', [x.name])]) });

const residual: ImageLayer = (b, x) => {
  const y = conv(b, conv(b, x, b.choose(WIDTHS)), x.channels);
  return { ...x, name: b.node(b.choose(['Add', 'Sub', 'Max', 'Sum']), [y.name, x.name]) };
};

const dense: ImageLayer = (b, x) => {
  const y = conv(b, x, b.choose(WIDTHS));
  const parts = b.chance(0.2) ? [x, y, x] : [x, y];
  const channels = parts.reduce((sum, part) => sum + part.channels, 0);
  return channels > 24
    ? undefined
    : {
        ...x,
        name: b.node(
          'Concat',
          parts.map(({ name }) => name),
          'axis = 1',
        ),
        channels,
      };
};

const paddedConcat: ImageLayer = (b, x) => {
  const zeros = b.floats([2, 2, x.height, x.width], () => 0.3);
  const y = conv(b, x, b.choose(WIDTHS));
  return { ...x, name: b.node('Concat', [zeros, y.name], 'axis = 1'), channels: y.channels + 2 };
};

const splitBlock: ImageLayer = (b, x) => {
  if (x.channels < 4) return undefined;
  const first = b.chance(0.7) ? x.channels / 2 : 1;
  if (!Number.isInteger(first)) return undefined;
  const [p = '', q = ''] = b.split(x.name, 1, [first, x.channels - first]);
  const y = conv(b, { ...x, name: q, channels: x.channels - first }, b.choose(WIDTHS));
  return { ...x, name: b.node('Concat', [p, y.name], 'axis = 1'), channels: first + y.channels };
};

const sliced: ImageLayer = (b, x) => {
  if (x.channels < 4) return undefined;
  const step = b.opset >= 10 ? b.choose([1, 1, 2, -1]) : 1;
  if (step < 0) return { ...x, name: b.slice(x.name, 1, -1, -x.channels - 1, -1) };
  const [start, end] = b.choose([
    [0, x.channels - 2],
    [1, 100],
    [-3, x.channels],
  ] as const);
  const from = start < 0 ? x.channels + start : start;
  const channels = Math.ceil((Math.min(end, x.channels) - from) / step);
  return { ...x, name: b.slice(x.name, 1, start, end, step), channels };
};

/** The first and second half, of a size that the model computes. */
const halves: ImageLayer = (b, x) => {
  if (x.channels % 2 !== 0 || b.opset < 10) return undefined;
  const half = b.node('Div', [b.size(x.name, 1), b.ints([2])]);
  const axes = b.ints([1]);
  const p = b.node('Slice', [x.name, b.ints([0]), half, axes]);
  const q = b.node('Slice', [x.name, half, b.ints([2 ** 31]), axes]);
  return { ...x, name: b.node('Mul', [p, b.node('Sigmoid', [q])]), channels: x.channels / 2 };
};

const gathered: ImageLayer = (b, x) => {
  const indices = Array.from({ length: x.channels }, (_, at) => at).filter(() => b.chance(0.8));
  if (b.chance(0.5)) indices.push(-1, 0);
  if (indices.length < 2) return undefined;
  return { ...x, name: b.node('Gather', [x.name, b.ints(indices.reverse())], 'axis = 1'), channels: indices.length };
};

const oneChannel: ImageLayer = (b, x) => {
  const picked = b.unsqueeze(b.node('Gather', [x.name, b.scalar(1, 'int64')], 'axis = 1'), [1]);
  return { ...x, name: b.node('Mul', [x.name, b.node('Sigmoid', [picked])]) };
};

/** Channels of zeros, as shortcuts without weights have, or borders. */
const padded: ImageLayer = (b, x) => {
  const [c, s] = b.choose([
    [2, 0],
    [1, 1],
    [0, 1],
  ] as const);
  const pads = [0, c, s, s, 0, c, s, s];
  const mode = c === 0 && b.chance(0.3) ? 'mode = "reflect"' : '';
  const name =
    b.opset >= 11
      ? b.node('Pad', [x.name, b.ints(pads)], mode)
      : b.node('Pad', [x.name], [`pads = [${pads.join(',')}]`, mode].filter((text) => text !== '').join(', '));
  if (x.height > 8) return undefined;
  return { name, channels: x.channels + 2 * c, height: x.height + 2 * s, width: x.width + 2 * s };
};

const shuffle: ImageLayer = (b, x) => {
  const group = b.choose([2, 3, 4].filter((count) => x.channels % count === 0));
  if (group === undefined) return undefined;
  const { height: h, width: w } = x;
  const computed = b.chance(0.4);
  const batch = computed ? b.size(x.name, 0) : b.choose([0, -1]);
  const each = computed ? b.node('Div', [b.size(x.name, 1), b.ints([group])]) : x.channels / group;
  const wide = b.transpose(b.reshape(x.name, [batch, group, each, h, w]), [0, 2, 1, 3, 4]);
  return { ...x, name: b.reshape(wide, [batch, computed ? b.size(x.name, 1) : x.channels, h, w]) };
};

function pooled(b: GraphBuilder, x: Image): string {
  return b.chance(0.5) ? b.node('GlobalAveragePool', [x.name]) : b.reduce('ReduceMean', x.name, [2, 3]);
}

const squeezeExcite: ImageLayer = (b, x) => {
  const narrow = conv(b, { ...x, name: pooled(b, x) }, 3, { side: 1 });
  const wide = conv(b, { ...narrow, name: b.node('Relu', [narrow.name]) }, x.channels, { side: 1 });
  const gate = b.node('Sigmoid', [wide.name]);
  const style = b.random.integer(3);
  const { height: h, width: w, channels } = x;
  // Gates are stretched by broadcasting, or by what stretches in words.
  const stretched =
    style === 0
      ? gate
      : style === 1
        ? b.node('Expand', [gate, b.ints([1, channels, h, w])])
        : b.node('Tile', [gate, b.ints([1, 1, h, w])]);
  return { ...x, name: b.node('Mul', [x.name, stretched]) };
};

/** One gate for all channels, tiled to as many. */
const tiledGate: ImageLayer = (b, x) => {
  const one = conv(b, x, 1, { side: 1 });
  const gate = b.node('Tile', [b.node('Sigmoid', [one.name]), b.ints([1, x.channels, 1, 1])]);
  return { ...x, name: b.node('Mul', [x.name, gate]) };
};

/** All channels twice, one after the other. */
const tiledChannels: ImageLayer = (b, x) => {
  if (x.channels > 12) return undefined;
  return { ...x, name: b.node('Tile', [x.name, b.ints([1, 2, 1, 1])]), channels: 2 * x.channels };
};

const flattenedGate: ImageLayer = (b, x) => {
  const flat = b.node('Flatten', [b.node('GlobalAveragePool', [x.name])]);
  const gate = b.node('Gemm', [flat, b.weight([x.channels, x.channels]), b.weight([x.channels], 4)], 'transB = 1');
  const style = b.random.integer(2);
  const wide = style === 0 ? b.unsqueeze(gate, [2, 3]) : b.reshape(gate, [b.choose([0, -1]), x.channels, 1, 1]);
  return { ...x, name: b.node('Mul', [x.name, b.node('Sigmoid', [wide])]) };
};

const pool: ImageLayer = (b, x) => {
  const opType = b.choose(['MaxPool', 'AveragePool']);
  return map(b, x, opType, [], 'kernel_shape = [3,3], pads = [1,1,1,1], strides = [1,1]');
};

/** Indices of maxima count through channels: they must stay. */
const unpooled: ImageLayer = (b, x) => {
  const [y = '', indices = ''] = b.nodes('MaxPool', [x.name], 2, 'kernel_shape = [1,1]');
  return { ...x, name: b.node('MaxUnpool', [y, indices], 'kernel_shape = [1,1]') };
};

const resized: ImageLayer = (b, x) => {
  if (b.opset < 11 || x.height > 6) return undefined;
  const { height: h, width: w, channels } = x;
  const roi = b.opset >= 13 ? '' : b.floats([0], () => 0);
  const name = b.chance(0.5)
    ? b.node('Resize', [x.name, roi, b.floats([4], () => 1)], 'mode = "nearest"')
    : b.node(
        'Resize',
        [x.name, roi, b.opset >= 13 ? '' : b.floats([0], () => 0), b.sizesOf(x.name, [channels, h + 1, w + 2])],
        'mode = "linear"',
      );
  return b.lines.at(-1)?.includes('linear') ? { ...x, name, height: h + 1, width: w + 2 } : { ...x, name };
};

const depthToSpace: ImageLayer = (b, x) => {
  if (x.channels % 4 !== 0 || x.height > 6) return undefined;
  const mode = b.opset >= 11 ? `, mode = "${b.choose(['DCR', 'CRD'])}"` : '';
  const name = b.node('DepthToSpace', [x.name], `blocksize = 2${mode}`);
  return { name, channels: x.channels / 4, height: x.height * 2, width: x.width * 2 };
};

/** Pixels by reshaping, as exporters before DepthToSpace wrote it. */
const pixelShuffle: ImageLayer = (b, x) => {
  if (x.channels % 4 !== 0 || x.height > 6) return undefined;
  const { height: h, width: w } = x;
  const c = x.channels / 4;
  const wide = b.transpose(b.reshape(x.name, [0, c, 2, 2, h, w]), [0, 1, 4, 2, 5, 3]);
  return { name: b.reshape(wide, [0, c, 2 * h, 2 * w]), channels: c, height: 2 * h, width: 2 * w };
};

const spaceToDepth: ImageLayer = (b, x) => {
  if (x.height % 2 !== 0 || x.width % 2 !== 0 || x.channels > 12) return undefined;
  const name = b.node('SpaceToDepth', [x.name], 'blocksize = 2');
  return { name, channels: x.channels * 4, height: x.height / 2, width: x.width / 2 };
};

const instanceNormalization: ImageLayer = (b, x) =>
  map(b, x, 'InstanceNormalization', [b.positive([x.channels]), b.weight([x.channels], 4)]);

const groupNormalization: ImageLayer = (b, x) => {
  const groups = b.choose([1, 2, 3, 4].filter((count) => x.channels % count === 0));
  if (groups === undefined) return undefined;
  if (b.opset >= 21 && b.chance(0.5)) {
    const vectors = [b.positive([x.channels]), b.weight([x.channels], 4)];
    return map(b, x, 'GroupNormalization', vectors, `num_groups = ${groups}`);
  }
  const shape = b.node('Shape', [x.name]);
  const grouped = b.node('InstanceNormalization', [
    b.reshape(x.name, [0, groups, -1]),
    b.floats([groups], () => 1),
    b.floats([groups], () => 0),
  ]);
  const back = b.chance(0.5)
    ? b.node('Reshape', [grouped, shape])
    : b.reshape(grouped, [0, x.channels, x.height, x.width]);
  const scaled = b.node('Mul', [back, b.positive([x.channels, 1, 1])]);
  return { ...x, name: b.node('Add', [scaled, b.weight([x.channels, 1, 1], 4)]) };
};

/** Channels last, normalized and mixed as ConvNeXt does. */
const channelsLast: ImageLayer = (b, x) => {
  const last = b.transpose(x.name, [0, 2, 3, 1]);
  const wide = 2 * x.channels;
  const normalized =
    b.opset >= 17 && b.chance(0.5) ? b.node('LayerNormalization', [last, b.positive([x.channels])], 'axis = -1') : last;
  const up = b.node('Add', [b.node('MatMul', [normalized, b.weight([x.channels, wide])]), b.weight([wide], 4)]);
  const down = b.node('MatMul', [b.node('Relu', [up]), b.weight([wide, x.channels])]);
  const scaled = b.node('Mul', [down, b.positive([x.channels])]);
  return { ...x, name: b.node('Add', [x.name, b.transpose(scaled, [0, 3, 1, 2])]) };
};

const perChannel: ImageLayer = (b, x) => {
  const style = b.random.integer(3);
  if (style === 0) return map(b, x, 'Mul', [b.weight([1, x.channels, 1, 1], 1)]);
  if (style === 1) return map(b, x, 'Add', [b.weight([x.channels, x.height, x.width], 4)]);
  const condition = b.integers('bool', [x.channels, 1, 1], () => b.random.integer(2));
  return { ...x, name: b.node('Where', [condition, x.name, b.scalar(0.5)]) };
};

const zerosLike: ImageLayer = (b, x) => {
  const like = b.node('ConstantOfShape', [b.node('Shape', [x.name])], 'value = float[1] {0.25}');
  return { ...x, name: b.node('Max', [x.name, like]) };
};

const frozen: ImageLayer = (b, x) => {
  const style = b.random.integer(4);
  if (style === 0) return map(b, x, 'Softmax', [], 'axis = 1');
  if (style === 1) return map(b, x, 'LRN', [], 'size = 3');
  if (style === 2) return { ...x, name: b.node('Sub', [x.name, b.reduce('ReduceMax', x.name, [1])]) };
  return b.opset < 11 ? undefined : map(b, x, 'CumSum', [b.scalar(1, 'int64')]);
};

export const IMAGE_LAYERS: readonly ImageLayer[] = [
  plainConv,
  plainConv,
  plainConv,
  groupedConv,
  depthwise,
  depthwise,
  convTranspose,
  batchNormalization,
  batchNormalization,
  activation,
  activation,
  clip,
  prelu,
  hardSwish,
  residual,
  residual,
  dense,
  dense,
  paddedConcat,
  splitBlock,
  splitBlock,
  sliced,
  halves,
  gathered,
  oneChannel,
  padded,
  padded,
  shuffle,
  shuffle,
  squeezeExcite,
  squeezeExcite,
  tiledGate,
  tiledChannels,
  flattenedGate,
  pool,
  unpooled,
  resized,
  depthToSpace,
  pixelShuffle,
  spaceToDepth,
  instanceNormalization,
  groupNormalization,
  groupNormalization,
  channelsLast,
  perChannel,
  perChannel,
  quantizedWeight,
  quantizedConv,
  halfPrecision,
  zerosLike,
  frozen,
];

/** From an image to classes. */
export function classify(b: GraphBuilder, x: Image): string {
  const style = b.random.integer(4);
  const size = x.channels * x.height * x.width;
  if (style === 0) {
    const flat = b.node('Flatten', [x.name]);
    return b.node('Gemm', [flat, b.weight([5, size]), b.weight([5], 4)], 'transB = 1');
  }
  if (style === 1) {
    const flat = b.reshape(x.name, b.chance(0.5) ? [b.size(x.name, 0), -1] : [b.choose([0, -1]), size]);
    return b.node('Add', [b.node('MatMul', [flat, b.weight([size, 5], size)]), b.weight([1, 5], 4)]);
  }
  const vector = b.chance(0.5) ? b.node('Flatten', [pooled(b, x)]) : b.reduce('ReduceMean', x.name, [2, 3], 0);
  const w = style === 2 ? b.weight([x.channels, 5]) : b.transpose(b.weight([5, x.channels]), [1, 0]);
  return b.node('MatMul', [vector, w]);
}
