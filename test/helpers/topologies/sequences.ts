/** Topologies of networks for sequences: of heads and hidden units, `share` are there; the width between the blocks stays. */
import type { Model } from '../../../src/ir/model.js';
import type { Value } from '../../../src/ir/value.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { Net } from './net.js';

export interface SequenceSizes {
  readonly share: number;
}

const VOCABULARY = 100;
const BLOCKS = 2;

function embedded(net: Net, width: number): Value {
  const ids = net.input('ids', ['N', 'S'], DataType.INT64);
  return net.op('Gather', [net.weight([VOCABULARY, width], 1), ids]);
}

/** Raw export of torch: MatMul and Add, erf written out, sizes by Shape, Gather, Unsqueeze and Concat. */
function bert({ share }: SequenceSizes): Model {
  const net = new Net();
  const [width, head] = [192, 16];
  const heads = 12 * share;
  const inner = 768 * share;
  let x = net.layerNorm(embedded(net, width), width);
  for (let block = 0; block < BLOCKS; block++) {
    const [q, k, v] = [0, 1, 2].map(() => net.splitHeads(net.linear(x, width, heads * head), heads, head));
    const context = net.attend(q as Value, k as Value, v as Value, heads, head);
    x = net.layerNorm(net.op('Add', [net.linear(context, heads * head, width), x]), width);
    const hidden = net.gelu(net.linear(x, width, inner));
    x = net.layerNorm(net.op('Add', [net.linear(hidden, inner, width), x]), width);
  }
  net.output(net.linear(x, width, 5), ['N', 'S', 5]);
  return net.model;
}

/** One product for q, k and v: [N, S, 3, h, d], transposed and picked. */
function vit({ share }: SequenceSizes): Model {
  const net = new Net();
  const [width, head, patches] = [192, 16, 16];
  const heads = 12 * share;
  const inner = 768 * share;
  const image = net.input('image', ['N', 3, 32, 32]);
  const w = net.weight([width, 3, 8, 8]);
  const conv = net.op('Conv', [image, w, net.vector(width)], { kernel_shape: [8, 8], strides: [8, 8] });
  const flat = net.reshape(conv, [net.size(conv, 0), width, -1]);
  let x = net.op('Add', [net.transpose(flat, [0, 2, 1]), net.weight([1, patches, width], 10)]);
  for (let block = 0; block < BLOCKS; block++) {
    const packed = net.linear(net.layerNorm(x, width), width, 3 * heads * head);
    const n = net.size(packed, 0);
    const wide = net.transpose(net.reshape(packed, [n, patches, 3, heads, head]), [2, 0, 3, 1, 4]);
    const [q, k, v] = [0, 1, 2].map((at) => net.op('Gather', [wide, net.int(at)], { axis: 0 }));
    const context = net.attend(q as Value, k as Value, v as Value, heads, head);
    x = net.op('Add', [x, net.linear(context, heads * head, width)]);
    const hidden = net.gelu(net.linear(net.layerNorm(x, width), width, inner));
    x = net.op('Add', [x, net.linear(hidden, inner, width)]);
  }
  net.output(net.linear(net.op('ReduceMean', [x], { axes: [1], keepdims: 0 }), width, 10), ['N', 10]);
  return net.model;
}

function rotate(net: Net, x: Value, head: number): Value {
  const slice = (from: number, to: number): Value =>
    net.op('Slice', [x, net.ints([from]), net.ints([to]), net.ints([3]), net.ints([1])]);
  const [p, q] = [slice(0, head / 2), slice(head / 2, 2 ** 31 - 1)];
  const turned = net.op('Concat', [net.op('Neg', [q]), p], { axis: -1 });
  const [cos, sin] = [net.weight([1, 1, 1, head], 1), net.weight([1, 1, 1, head], 1)];
  return net.op('Add', [net.op('Mul', [x, cos]), net.op('Mul', [turned, sin])]);
}

/** Groups of queries share keys and values; rotary embeddings; a gated feed-forward network; no biases. */
function llama({ share }: SequenceSizes): Model {
  const net = new Net();
  const [width, head, repeats] = [192, 16, 3];
  const groups = 4 * share;
  const heads = groups * repeats;
  const inner = 512 * share;
  let x = embedded(net, width);
  const repeat = (value: Value): Value => {
    const [n, s] = [net.size(value, 0), net.size(value, 2)];
    const apart = net.op('Unsqueeze', [value, net.ints([2])]);
    const sizes = net.op('Concat', [n, net.ints([groups, repeats]), s, net.ints([head])], { axis: 0 });
    return net.reshape(net.op('Expand', [apart, sizes]), [n, heads, s, head]);
  };
  for (let block = 0; block < BLOCKS; block++) {
    const normed = net.rmsNorm(x, width);
    const q = rotate(net, net.splitHeads(net.linear(normed, width, heads * head, false), heads, head), head);
    const k = rotate(net, net.splitHeads(net.linear(normed, width, groups * head, false), groups, head), head);
    const v = net.splitHeads(net.linear(normed, width, groups * head, false), groups, head);
    const context = net.attend(q, repeat(k), repeat(v), heads, head);
    x = net.op('Add', [x, net.linear(context, heads * head, width, false)]);
    const next = net.rmsNorm(x, width);
    const gate = net.swish(net.linear(next, width, inner, false));
    const gated = net.op('Mul', [gate, net.linear(next, width, inner, false)]);
    x = net.op('Add', [x, net.linear(gated, inner, width, false)]);
  }
  net.output(net.linear(net.rmsNorm(x, width), width, VOCABULARY, false), ['N', 'S', VOCABULARY]);
  return net.model;
}

/** Windows of 2 by 2 in an image of 4 by 4, with a bias for each head and pair of positions; the second block is shifted. */
function swin({ share }: SequenceSizes): Model {
  const net = new Net();
  const [width, head] = [96, 8];
  const heads = 4 * share;
  const inner = 384 * share;
  let x = net.input('tokens', ['N', 4, 4, width]);
  const roll = (value: Value, by: number): Value => {
    let turned = value;
    for (const axis of [1, 2]) {
      const part = (from: number, to: number): Value =>
        net.op('Slice', [turned, net.ints([from]), net.ints([to]), net.ints([axis])]);
      turned = net.op('Concat', [part(by, 2 ** 31 - 1), part(0, by)], { axis });
    }
    return turned;
  };
  for (let block = 0; block < BLOCKS; block++) {
    const shifted = block === 1 ? roll(net.layerNorm(x, width), 1) : net.layerNorm(x, width);
    const n = net.size(x, 0);
    const tiles = net.transpose(net.reshape(shifted, [n, 2, 2, 2, 2, width]), [0, 1, 3, 2, 4, 5]);
    const windows = net.reshape(tiles, [-1, 4, width]);
    const packed = net.linear(windows, width, 3 * heads * head);
    const wide = net.transpose(net.reshape(packed, [-1, 4, 3, heads, head]), [2, 0, 3, 1, 4]);
    const [q, k, v] = [0, 1, 2].map((at) => net.op('Gather', [wide, net.int(at)], { axis: 0 }));
    const table = net.op('Gather', [
      net.weight([9, heads], 4),
      net.ints([4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4]),
    ]);
    const bias = net.transpose(net.reshape(table, [4, 4, heads]), [2, 0, 1]);
    const scaled = net.op('Mul', [q as Value, net.scalar(head ** -0.5)]);
    let scores = net.op('MatMul', [scaled, net.transpose(k as Value, [0, 1, 3, 2])]);
    scores = net.op('Add', [scores, net.op('Unsqueeze', [bias, net.ints([0])])]);
    const y = net.op('MatMul', [net.op('Softmax', [scores], { axis: -1 }), v as Value]);
    const context = net.reshape(net.transpose(y, [0, 2, 1, 3]), [-1, 4, heads * head]);
    const out = net.reshape(net.linear(context, heads * head, width), [-1, 2, 2, 2, 2, width]);
    const back = net.reshape(net.transpose(out, [0, 1, 3, 2, 4, 5]), [n, 4, 4, width]);
    x = net.op('Add', [x, block === 1 ? roll(back, 3) : back]);
    const hidden = net.gelu(net.linear(net.layerNorm(x, width), width, inner));
    x = net.op('Add', [x, net.linear(hidden, inner, width)]);
  }
  net.output(net.linear(net.op('ReduceMean', [x], { axes: [1, 2], keepdims: 0 }), width, 10), ['N', 10]);
  return net.model;
}

/** Two layers in both directions, as torch exports them: a shared state of zeros, directions side by side. */
function lstm({ share }: SequenceSizes): Model {
  const net = new Net();
  const hidden = 64 * share;
  const width = 32 * share;
  let x = net.transpose(embedded(net, width), [1, 0, 2]);
  let from = width;
  const shape = net.op('Concat', [net.ints([2]), net.size(x, 1), net.ints([hidden])], { axis: 0 });
  const zeros = net.op('ConstantOfShape', [shape]);
  for (let layer = 0; layer < BLOCKS; layer++) {
    const w = net.weight([2, 4 * hidden, from], from);
    const r = net.weight([2, 4 * hidden, hidden], hidden);
    const inputs = [x, w, r, net.weight([2, 8 * hidden], 16), undefined, zeros, zeros];
    const y = net.op('LSTM', inputs, { hidden_size: hidden, direction: 'bidirectional' });
    x = net.reshape(net.transpose(y, [0, 2, 1, 3]), [0, 0, -1]);
    from = 2 * hidden;
  }
  net.output(net.linear(net.transpose(x, [1, 0, 2]), from, 5), ['N', 'S', 5]);
  return net.model;
}

export const SEQUENCE_TOPOLOGIES: Readonly<Record<string, (sizes: SequenceSizes) => Model>> = {
  'BERT-like, raw': bert,
  'ViT with one product for q, k and v': vit,
  'Llama-like with groups of queries': llama,
  'Swin-like windows': swin,
  'LSTM in two directions': lstm,
};
