/** Topologies of well-known networks for images. `share` is how many of their channels are there, those of inputs and classes apart. */
import type { Model } from '../../../src/ir/model.js';
import type { Value } from '../../../src/ir/value.js';
import { Net } from './net.js';

export interface Sizes {
  /** Of the widths that the paper gives. */
  readonly scale: number;
  /** What is left of each. */
  readonly share: number;
}

type Widths = (width: number) => number;

const widths =
  ({ scale, share }: Sizes): Widths =>
  (width) =>
    Math.max(1, Math.round(Math.max(2, width * scale) * share));

const IMAGE = ['N', 3, 32, 32] as const;

function residualNetwork(sizes: Sizes, counts: readonly number[], bottleneck: boolean, groups = 1): Model {
  const net = new Net();
  const w = widths(sizes);
  const expansion = bottleneck ? 4 : 1;
  let x = net.relu(net.convNorm(net.input('image', IMAGE), 3, w(64), { side: 7, stride: 2 }));
  x = net.op('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let from = w(64);
  for (const [stage, count] of counts.entries())
    for (let block = 0; block < count; block++) {
      const inner = w(64 * 2 ** stage * (groups > 1 ? 2 : 1));
      const to = w(64 * 2 ** stage * expansion);
      const stride = block === 0 && stage > 0 ? 2 : 1;
      const shortcut = block === 0 && (from !== to || stride > 1) ? net.convNorm(x, from, to, { side: 1, stride }) : x;
      let y: Value;
      if (bottleneck) {
        y = net.relu(net.convNorm(x, from, inner, { side: 1 }));
        y = net.relu(net.convNorm(y, inner, inner, { stride, group: groups === 1 ? 1 : groups * sizes.share }));
        y = net.convNorm(y, inner, to, { side: 1 });
      } else y = net.convNorm(net.relu(net.convNorm(x, from, inner, { stride })), inner, to);
      x = net.relu(net.op('Add', [y, shortcut]));
      from = to;
    }
  net.classify(x, from, 1000);
  return net.model;
}

function mobileNet(sizes: Sizes): Model {
  const net = new Net();
  const w = widths(sizes);
  const clip = (x: Value): Value => net.op('Clip', [x, net.scalar(0), net.scalar(6)]);
  let x = clip(net.convNorm(net.input('image', IMAGE), 3, w(32), { stride: 2 }));
  let [from, expansion] = [32, 1];
  for (const [t, c, n, s] of [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const)
    for (let block = 0; block < n; block++) {
      expansion = t;
      const inner = expansion === 1 ? w(from) : w(from * expansion);
      const stride = block === 0 ? s : 1;
      let y = expansion === 1 ? x : clip(net.convNorm(x, w(from), inner, { side: 1 }));
      y = clip(net.convNorm(y, inner, inner, { stride, group: inner }));
      y = net.convNorm(y, inner, w(c), { side: 1 });
      x = stride === 1 && from === c ? net.op('Add', [x, y]) : y;
      from = c;
    }
  net.classify(clip(net.convNorm(x, w(320), w(1280), { side: 1 })), w(1280), 1000);
  return net.model;
}

function denseNet(sizes: Sizes): Model {
  const net = new Net();
  const w = widths(sizes);
  const growth = w(32);
  let x = net.conv(net.input('image', IMAGE), 3, w(64));
  let from = w(64);
  for (const [stage, count] of [4, 6, 4].entries()) {
    for (let layer = 0; layer < count; layer++) {
      const inner = net.conv(net.relu(net.batchNorm(x, from)), from, w(128), { side: 1 });
      const y = net.conv(net.relu(net.batchNorm(inner, w(128))), w(128), growth);
      x = net.op('Concat', [x, y], { axis: 1 });
      from += growth;
    }
    if (stage === 2) break;
    const to = w(128 * (stage + 1));
    x = net.conv(net.relu(net.batchNorm(x, from)), from, to, { side: 1 });
    x = net.op('AveragePool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
    from = to;
  }
  net.classify(net.relu(net.batchNorm(x, from)), from, 100);
  return net.model;
}

function uNet(sizes: Sizes): Model {
  const net = new Net();
  const w = widths(sizes);
  const double = (x: Value, from: number, to: number): Value =>
    net.relu(net.convNorm(net.relu(net.convNorm(x, from, to)), to, to));
  let x = double(net.input('image', IMAGE), 3, w(32));
  const skips: [Value, number][] = [];
  for (const width of [64, 128, 256]) {
    skips.push([x, w(width / 2)]);
    x = double(net.op('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] }), w(width / 2), w(width));
  }
  for (const width of [128, 64, 32]) {
    const [skip, channels] = skips.pop() as [Value, number];
    const weight = net.weight([w(width * 2), w(width), 2, 2], w(width * 2));
    const up = net.op('ConvTranspose', [x, weight, net.vector(w(width))], { kernel_shape: [2, 2], strides: [2, 2] });
    x = double(net.op('Concat', [skip, up], { axis: 1 }), channels + w(width), w(width));
  }
  net.output(net.conv(x, w(32), 2, { side: 1, bias: true }), ['N', 2, 32, 32]);
  return net.model;
}

/** Inverted residuals with squeeze-excite, as in EfficientNet. */
function efficientNet(sizes: Sizes): Model {
  const net = new Net();
  const w = widths(sizes);
  let x = net.swish(net.convNorm(net.input('image', IMAGE), 3, w(32), { stride: 2 }));
  let from = 32;
  for (const [to, stride] of [
    [16, 1],
    [24, 2],
    [24, 1],
    [40, 2],
    [40, 1],
    [80, 1],
  ] as const) {
    const inner = w(from * 4);
    let y = net.swish(net.convNorm(x, w(from), inner, { side: 1 }));
    y = net.swish(net.convNorm(y, inner, inner, { side: 5, stride, group: inner }));
    const pooled = net.op('ReduceMean', [y], { axes: [2, 3] });
    const narrow = net.swish(net.conv(pooled, inner, w(from), { side: 1, bias: true }));
    const gate = net.op('Sigmoid', [net.conv(narrow, w(from), inner, { side: 1, bias: true })]);
    y = net.convNorm(net.op('Mul', [y, gate]), inner, w(to), { side: 1 });
    x = from === to ? net.op('Add', [x, y]) : y;
    from = to;
  }
  net.classify(net.swish(net.convNorm(x, w(from), w(320), { side: 1 })), w(320), 100);
  return net.model;
}

/** Halves split, one of them convolved, joined and shuffled. */
function shuffleNet(sizes: Sizes): Model {
  const net = new Net();
  const w = widths(sizes);
  let x = net.relu(net.convNorm(net.input('image', IMAGE), 3, 2 * w(32)));
  let half = w(32);
  const branch = (y: Value, from: number, to: number, stride: number): Value => {
    const inner = net.convNorm(net.relu(net.convNorm(y, from, to, { side: 1 })), to, to, { stride, group: to });
    return net.relu(net.convNorm(inner, to, to, { side: 1 }));
  };
  let side = 32;
  for (const width of [32, 64, 128])
    for (let unit = 0; unit < 3; unit++) {
      let left: Value;
      let right: Value;
      if (unit === 0) {
        const from = 2 * half;
        left = net.relu(
          net.convNorm(net.convNorm(x, from, from, { stride: 2, group: from }), from, w(width), { side: 1 }),
        );
        right = branch(x, from, w(width), 2);
        half = w(width);
        side /= 2;
      } else {
        [left, right] = net.split(x, 1, [half, half]) as [Value, Value];
        right = branch(right, half, half, 1);
      }
      const joined = net.op('Concat', [left, right], { axis: 1 });
      const n = net.size(joined, 0);
      const wide = net.transpose(net.reshape(joined, [n, 2, half, side, side]), [0, 2, 1, 3, 4]);
      x = net.reshape(wide, [n, 2 * half, side, side]);
    }
  net.classify(x, 2 * half, 100);
  return net.model;
}

function vgg(sizes: Sizes): Model {
  const net = new Net();
  const w = widths(sizes);
  let x = net.input('image', IMAGE);
  let from = 3;
  for (const width of [64, 64, 128, 128, 256, 256]) {
    x = net.relu(net.convNorm(x, from, w(width), { bias: true }));
    from = w(width);
    if (width > 64) x = net.op('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
  }
  const flat = net.op('Flatten', [x]);
  const hidden = net.relu(net.op('Gemm', [flat, net.weight([w(512), from * 4]), net.vector(w(512))], { transB: 1 }));
  net.output(net.op('Gemm', [hidden, net.weight([100, w(512)]), net.vector(100)], { transB: 1 }), ['N', 100]);
  return net.model;
}

function preluPadResize(sizes: Sizes): Model {
  const net = new Net();
  const w = widths(sizes);
  const prelu = (x: Value, channels: number): Value =>
    net.op('PRelu', [x, net.op('Reshape', [net.vector(channels), net.ints([channels, 1, 1])])]);
  let x = prelu(net.convNorm(net.input('image', IMAGE), 3, w(64)), w(64));
  x = net.op('Pad', [x, net.ints([0, 0, 1, 1, 0, 0, 1, 1])], { mode: 'reflect' });
  x = prelu(net.convNorm(x, w(64), w(128), { stride: 2 }), w(128));
  const sizesOf = net.op('Concat', [net.size(x, 0), net.ints([w(128), 34, 34])], { axis: 0 });
  x = net.op('Resize', [x, undefined, undefined, sizesOf], { mode: 'nearest' });
  x = prelu(net.convNorm(x, w(128), w(64)), w(64));
  net.output(net.conv(x, w(64), 3, { bias: true }), ['N', 3, 34, 34]);
  return net.model;
}

/** Blocks of ConvNeXt: depthwise, channels last for the normalization and the two products, a scale for each channel. */
function convNeXt(sizes: Sizes): Model {
  const net = new Net();
  const w = widths(sizes);
  const scale = widths({ ...sizes, share: 1 });
  let x = net.conv(net.input('image', IMAGE), 3, scale(48), { stride: 2, bias: true });
  const width = scale(48);
  for (let block = 0; block < 3; block++) {
    const last = net.transpose(net.conv(x, width, width, { side: 7, group: width, bias: true }), [0, 2, 3, 1]);
    const up = net.gelu(net.linear(net.layerNorm(last, width), width, w(192)));
    const down = net.op('Mul', [net.linear(up, w(192), width), net.vector(width)]);
    x = net.op('Add', [x, net.transpose(down, [0, 3, 1, 2])]);
  }
  net.classify(x, width, 10);
  return net.model;
}

export const IMAGE_TOPOLOGIES: Readonly<Record<string, (sizes: Sizes) => Model>> = {
  'ResNet-18': (sizes) => residualNetwork(sizes, [2, 2, 2, 2], false),
  'ResNet-50': (sizes) => residualNetwork(sizes, [3, 4, 6, 3], true),
  'ResNeXt with 32 groups': (sizes) => residualNetwork(sizes, [1, 1, 1, 1], true, 32),
  MobileNetV2: mobileNet,
  'DenseNet-like': denseNet,
  'U-Net': uNet,
  'EfficientNet-like': efficientNet,
  'ShuffleNet-like': shuffleNet,
  'VGG with Flatten and Gemm': vgg,
  'PRelu, Pad and Resize': preluPadResize,
  'ConvNeXt-like': convNeXt,
};
