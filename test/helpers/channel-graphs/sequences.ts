/** Layers of networks for sequences [N, S, D], as exporters write them. */
import type { GraphBuilder } from './builder.js';

export interface Sequence {
  readonly name: string;
  readonly width: number;
}

export type SequenceLayer = (b: GraphBuilder, x: Sequence) => Sequence | undefined;

const WIDTHS = [4, 6, 8, 12];
/** Heads and width of each: of unequal numbers, so that they are not mistaken for each other. */
const HEADS = [
  [2, 4],
  [3, 4],
  [4, 2],
  [2, 6],
] as const;

export function linear(b: GraphBuilder, x: string, from: number, to: number): string {
  const style = b.random.integer(4);
  if (style === 0) {
    // As one matrix of all positions.
    const flat = b.reshape(x, [-1, from]);
    const product = b.node('Gemm', [flat, b.weight([to, from]), b.weight([to], 4)], 'transB = 1');
    return b.reshape(product, [b.size(x, 0), b.size(x, 1), to]);
  }
  const w = style === 1 ? b.transpose(b.weight([to, from]), [1, 0]) : b.weight([from, to], from);
  const product = b.node('MatMul', [x, w]);
  if (b.chance(0.3)) return product;
  return b.node('Add', b.chance(0.5) ? [product, b.weight([to], 4)] : [b.weight([to], 4), product]);
}

const widen: SequenceLayer = (b, x) => {
  const width = b.choose(WIDTHS);
  return { name: linear(b, x.name, x.width, width), width };
};

function gelu(b: GraphBuilder, x: string): string {
  const root = b.node('Div', [x, b.scalar(Math.SQRT2)]);
  const erf = b.node('Add', [b.node('Erf', [root]), b.scalar(1)]);
  return b.node('Mul', [b.node('Mul', [x, erf]), b.scalar(0.5)]);
}

const feedForward: SequenceLayer = (b, x) => {
  const inner = b.choose([5, 10]);
  const hidden = gelu(b, linear(b, x.name, x.width, inner));
  return { ...x, name: b.node('Add', [x.name, linear(b, hidden, inner, x.width)]) };
};

const gatedFeedForward: SequenceLayer = (b, x) => {
  const inner = b.choose([5, 10]);
  let [gate, up] = ['', ''];
  if (b.chance(0.5)) [gate, up] = [linear(b, x.name, x.width, inner), linear(b, x.name, x.width, inner)];
  else [gate = '', up = ''] = b.split(linear(b, x.name, x.width, 2 * inner), 2, [inner, inner]);
  const swish = b.node('Mul', [gate, b.node('Sigmoid', [gate])]);
  return { ...x, name: b.node('Add', [x.name, linear(b, b.node('Mul', [swish, up]), inner, x.width)]) };
};

interface Heads {
  readonly heads: number;
  readonly width: number;
}

/** [N, S, heads·width] to [N, heads, S, width]. */
function splitHeads(b: GraphBuilder, x: string, { heads, width }: Heads, order = [0, 2, 1, 3]): string {
  const style = b.random.integer(3);
  const sizes =
    style === 0
      ? [0, 0, heads, width]
      : style === 1
        ? [b.size(x, 0), b.size(x, 1), heads, width]
        : [b.size(x, 0), -1, heads, b.node('Div', [b.size(x, 2), b.ints([heads])])];
  return b.transpose(b.reshape(x, sizes), order);
}

function joinHeads(b: GraphBuilder, x: string, { heads, width }: Heads): string {
  const y = b.transpose(x, [0, 2, 1, 3]);
  return b.reshape(y, b.chance(0.5) ? [0, 0, heads * width] : [b.size(y, 0), b.size(y, 1), -1]);
}

/** softmax(q·kᵀ · scale + mask) · v, of heads as the second axis; `kt` is k with its last two axes exchanged. */
function attend(b: GraphBuilder, q: string, kt: string, v: string, { heads, width }: Heads): string {
  let scores = b.node('MatMul', [q, kt]);
  const style = b.random.integer(3);
  if (style === 0) scores = b.node('Div', [scores, b.scalar(Math.sqrt(width))]);
  if (style === 1) {
    // The width as the model reads it.
    const size = b.node('Cast', [b.node('Gather', [b.node('Shape', [q]), b.scalar(-1, 'int64')])], 'to = 1');
    scores = b.node('Div', [scores, b.node('Sqrt', [size])]);
  }
  if (b.chance(0.3)) scores = b.node('Add', [scores, b.weight([1, heads, 1, 1], 1)]);
  return b.node('MatMul', [b.node('Softmax', [scores], b.opset < 13 ? 'axis = 3' : ''), v]);
}

/** Turns pairs (i, i + width/2) or (2i, 2i + 1) by angles of the positions. */
function rotate(b: GraphBuilder, x: string, width: number): string {
  const half = width / 2;
  let turned: string;
  if (b.chance(0.5)) {
    const [p, q] = b.chance(0.5)
      ? [b.slice(x, 3, 0, half), b.slice(x, 3, half, 2 ** 31 - 1)]
      : (b.split(x, 3, [half, half]) as [string, string]);
    turned = b.node('Concat', [b.node('Neg', [q]), p], 'axis = -1');
  } else {
    const [p, q] = [b.slice(x, 3, 0, 2 ** 31 - 1, 2), b.slice(x, 3, 1, 2 ** 31 - 1, 2)];
    const pairs = b.node('Concat', [b.unsqueeze(b.node('Neg', [q]), [4]), b.unsqueeze(p, [4])], 'axis = -1');
    turned = b.reshape(pairs, [0, 0, b.chance(0.5) ? -1 : 0, width]);
  }
  const [cos, sin] = [b.weight([1, 1, 1, width], 1), b.weight([1, 1, 1, width], 1)];
  return b.node('Add', [b.node('Mul', [x, cos]), b.node('Mul', [turned, sin])]);
}

const attention: SequenceLayer = (b, x) => {
  const [heads, width] = b.choose(HEADS);
  const shape = { heads, width };
  const all = heads * width;
  const turns = b.opset >= 10 && b.chance(0.4);
  const turn = (value: string): string => (turns ? rotate(b, value, width) : value);
  const q = turn(splitHeads(b, linear(b, x.name, x.width, all), shape));
  const v = splitHeads(b, linear(b, x.name, x.width, all), shape);
  const k = linear(b, x.name, x.width, all);
  const kt = turns ? b.transpose(turn(splitHeads(b, k, shape)), [0, 1, 3, 2]) : splitHeads(b, k, shape, [0, 2, 3, 1]);
  const y = joinHeads(b, attend(b, q, kt, v, shape), shape);
  return { ...x, name: b.node('Add', [x.name, linear(b, y, all, x.width)]) };
};

/** One product for q, k and v, taken apart in one of the usual ways. */
const fusedAttention: SequenceLayer = (b, x) => {
  const [heads, width] = b.choose(HEADS);
  const shape = { heads, width };
  const all = heads * width;
  const packed = linear(b, x.name, x.width, 3 * all);
  let [q, k, v] = ['', '', ''];
  const style = b.random.integer(3);
  if (style === 0) {
    [q = '', k = '', v = ''] = b.split(packed, 2, [all, all, all]).map((part) => splitHeads(b, part, shape));
  } else {
    const wide = b.reshape(packed, [0, b.choose([0, -1]), 3, heads, width]);
    const first = b.transpose(wide, [2, 0, 3, 1, 4]);
    const pick = (at: number): string =>
      style === 1
        ? b.node('Gather', [first, b.scalar(at, 'int64')], 'axis = 0')
        : b.squeeze(b.slice(first, 0, at, at + 1), [0]);
    [q, k, v] = [pick(0), pick(1), pick(2)];
  }
  const y = joinHeads(b, attend(b, q, b.transpose(k, [0, 1, 3, 2]), v, shape), shape);
  return { ...x, name: b.node('Add', [x.name, linear(b, y, all, x.width)]) };
};

/** Batch and heads as one axis, as torch's own multi-head attention has it. */
const batchedAttention: SequenceLayer = (b, x) => {
  const [heads, width] = b.choose(HEADS);
  const all = heads * width;
  const [n, s] = [b.size(x.name, 0), b.size(x.name, 1)];
  const rows = b.chance(0.6) ? -1 : b.node('Mul', [n, b.ints([heads])]);
  const fold = (value: string): string => {
    if (b.chance(0.5)) {
      const wide = b.transpose(b.reshape(value, [n, s, heads, width]), [0, 2, 1, 3]);
      return b.reshape(wide, [rows, s, width]);
    }
    // Positions first: [S, N·heads, width].
    const turned = b.transpose(value, [1, 0, 2]);
    return b.transpose(b.reshape(turned, [s, rows, width]), [1, 0, 2]);
  };
  const [q, k, v] = [0, 1, 2].map(() => fold(linear(b, x.name, x.width, all))) as [string, string, string];
  const scores = b.node('Mul', [b.node('MatMul', [q, b.transpose(k, [0, 2, 1])]), b.scalar(0.4)]);
  const y = b.node('MatMul', [b.node('Softmax', [scores], b.opset < 13 ? 'axis = 2' : ''), v]);
  const back = b.transpose(b.reshape(y, [n, heads, s, width]), [0, 2, 1, 3]);
  return { ...x, name: b.node('Add', [x.name, linear(b, b.reshape(back, [n, s, all]), all, x.width)]) };
};

/** Groups of queries with one key and value each, repeated in one of the usual ways. */
const groupedQueries: SequenceLayer = (b, x) => {
  const [groups, repeats, width] = b.choose([
    [2, 2, 4],
    [3, 2, 2],
    [1, 3, 4],
    [2, 3, 2],
  ] as const);
  const heads = groups * repeats;
  const repeat = (value: string): string => {
    const style = b.random.integer(3);
    if (style === 0) {
      const indices = Array.from({ length: heads }, (_, at) => Math.floor(at / repeats));
      return b.node('Gather', [value, b.ints(indices)], 'axis = 1');
    }
    const apart = b.unsqueeze(value, [2]);
    const wide =
      style === 1
        ? b.node('Expand', [apart, b.ints([1, 1, repeats, 1, 1])])
        : b.node('Tile', [apart, b.ints([1, 1, repeats, 1, 1])]);
    return b.reshape(wide, [b.size(value, 0), heads, b.size(value, 2), width]);
  };
  const q = splitHeads(b, linear(b, x.name, x.width, heads * width), { heads, width });
  const shared = { heads: groups, width };
  const [k, v] = [0, 1].map(() => repeat(splitHeads(b, linear(b, x.name, x.width, groups * width), shared))) as [
    string,
    string,
  ];
  const y = joinHeads(b, attend(b, q, b.transpose(k, [0, 1, 3, 2]), v, { heads, width }), { heads, width });
  return { ...x, name: b.node('Add', [x.name, linear(b, y, heads * width, x.width)]) };
};

const einsumAttention: SequenceLayer = (b, x) => {
  const [heads, width] = b.choose(HEADS);
  if (b.opset < 12) return undefined;
  const project = (): string =>
    b.node('Einsum', [x.name, b.weight([x.width, heads, width], x.width)], 'equation = "nsd,dhk->nhsk"');
  const scores = b.node('Einsum', [project(), project()], 'equation = "nhsk,nhtk->nhst"');
  const y = b.node('Einsum', [b.node('Softmax', [scores], 'axis = 3'), project()], 'equation = "nhst,nhtk->nshk"');
  const out = b.node('Einsum', [y, b.weight([heads, width, x.width], heads * width)], 'equation = "nshk,hkd->nsd"');
  return { ...x, name: b.node('Add', [x.name, out]) };
};

/** Windows of two positions: the axis of positions must be even. */
const windows: SequenceLayer = (b, x) => {
  const [heads, width] = b.choose(HEADS);
  const all = heads * width;
  const folded = b.reshape(x.name, [-1, 2, x.width]);
  const split = (value: string): string => b.transpose(b.reshape(value, [-1, 2, heads, width]), [0, 2, 1, 3]);
  const [q, k, v] = [0, 1, 2].map(() => split(linear(b, folded, x.width, all))) as [string, string, string];
  const table = b.weight([3, heads], 1);
  const bias = b.reshape(b.node('Gather', [table, b.ints([1, 0, 2, 1])]), [2, 2, heads]);
  let scores = b.node('MatMul', [q, b.transpose(k, [0, 1, 3, 2])]);
  scores = b.node('Add', [scores, b.unsqueeze(b.transpose(bias, [2, 0, 1]), [0])]);
  const y = b.node('MatMul', [b.node('Softmax', [scores], b.opset < 13 ? 'axis = 3' : ''), v]);
  const joined = b.reshape(b.transpose(y, [0, 2, 1, 3]), [-1, 2, all]);
  const out = linear(b, joined, all, x.width);
  return { ...x, name: b.node('Add', [x.name, b.reshape(out, [b.size(x.name, 0), b.size(x.name, 1), x.width])]) };
};

const normalization: SequenceLayer = (b, x) => {
  if (b.opset >= 17 && b.chance(0.5))
    return {
      ...x,
      name: b.node('LayerNormalization', [x.name, b.positive([x.width]), b.weight([x.width], 4)], 'axis = -1'),
    };
  const mean = b.reduce('ReduceMean', b.node('Mul', [x.name, x.name]), [-1]);
  const root = b.node('Sqrt', [b.node('Add', [mean, b.scalar(0.01)])]);
  return { ...x, name: b.node('Mul', [b.node('Div', [x.name, root]), b.positive([x.width])]) };
};

/** LSTM, GRU or RNN over [S, N, D], of one direction or two. */
const recurrent: SequenceLayer = (b, x) => {
  const [opType, gates] = b.choose([
    ['LSTM', 4],
    ['GRU', 3],
    ['RNN', 1],
  ] as const);
  const hidden = b.choose([3, 5]);
  const directions = b.choose([1, 2]);
  const turned = b.transpose(x.name, [1, 0, 2]);
  const w = b.weight([directions, gates * hidden, x.width], x.width);
  const r = b.weight([directions, gates * hidden, hidden], hidden);
  const bias = b.chance(0.7) ? b.weight([directions, 2 * gates * hidden], 4) : '';
  const states: string[] = [];
  if (b.chance(0.5)) {
    const shape = b.node('Concat', [b.ints([directions]), b.size(x.name, 0), b.ints([hidden])], 'axis = 0');
    const zeros = b.node('ConstantOfShape', [shape]);
    states.push('', zeros, ...(opType === 'LSTM' ? [zeros] : []));
    if (opType === 'LSTM' && b.chance(0.5)) states.push(b.weight([directions, 3 * hidden], 2));
  }
  const direction = directions === 2 ? ', direction = "bidirectional"' : '';
  const [y = ''] = b.nodes(opType, [turned, w, r, bias, ...states], 1, `hidden_size = ${hidden}${direction}`);
  const all = directions * hidden;
  if (directions === 1) return { name: b.transpose(b.squeeze(y, [1]), [1, 0, 2]), width: all };
  const joined = b.reshape(b.transpose(y, [0, 2, 1, 3]), [0, 0, -1]);
  return { name: b.transpose(joined, [1, 0, 2]), width: all };
};

/** A convolution over positions. */
const convolution: SequenceLayer = (b, x) => {
  const width = b.choose(WIDTHS);
  const turned = b.transpose(x.name, [0, 2, 1]);
  const y = b.node('Conv', [turned, b.weight([width, x.width, 3])], 'kernel_shape = [3], pads = [1,1]');
  return { name: b.transpose(y, [0, 2, 1]), width };
};

const integerProduct: SequenceLayer = (b, x) => {
  if (b.opset < 11) return undefined;
  const width = b.choose(WIDTHS);
  const [data, scale, zero] = [
    b.node('QuantizeLinear', [x.name, b.scalar(0.05), b.scalar(128, 'uint8')]),
    b.scalar(0.0004),
    b.scalar(128, 'uint8'),
  ];
  const w = b.integers('int8', [x.width, width], () => b.random.integer(200) - 100);
  const weightZero = b.chance(0.5) ? [b.integers('int8', [width], () => 0)] : [];
  const y = b.node('Cast', [b.node('MatMulInteger', [data, w, zero, ...weightZero])], 'to = 1');
  return { name: b.node('Mul', [y, b.chance(0.5) ? scale : b.floats([width], () => 0.0004)]), width };
};

/** One matrix twice, as tied weights have it. */
const tied: SequenceLayer = (b, x) => {
  const inner = b.choose([5, 7]);
  const w = b.weight([x.width, inner], x.width);
  const up = b.node('MatMul', [x.name, w]);
  const down = b.node('MatMul', [b.node('Tanh', [up]), b.transpose(w, [1, 0])]);
  return { ...x, name: b.node('Add', [x.name, down]) };
};

/** A weight that a subgraph reads too: it must stay. */
const branch: SequenceLayer = (b, x) => {
  const w = b.weight([x.width, x.width], x.width);
  const v = b.weight([x.width, x.width], x.width);
  const y = b.node('MatMul', [b.node('MatMul', [x.name, w]), v]);
  const [p, q] = [b.name('t'), b.name('t')];
  const condition = b.integers('bool', [], () => b.random.integer(2));
  const then = `then_branch = th () => (float[?, ?, ?] ${p}) { ${p} = MatMul (${x.name}, ${w}) }`;
  const otherwise = `else_branch = el () => (float[?, ?, ?] ${q}) { ${q} = Relu (${x.name}) }`;
  const chosen = b.node('If', [condition], `${then}, ${otherwise}`);
  return { ...x, name: b.node('Add', [y, b.reduce('ReduceMean', chosen, [0, 1, 2])]) };
};

const frozen: SequenceLayer = (b, x) => {
  const style = b.random.integer(3);
  if (style === 0) return { ...x, name: b.node('Softmax', [x.name], 'axis = 2') };
  if (style === 1) return { ...x, name: b.node('Sub', [x.name, b.reduce('ReduceMax', x.name, [2])]) };
  if (b.opset < 11) return undefined;
  const [top = ''] = b.nodes('TopK', [x.name, b.ints([2])], 2, 'axis = 1');
  return { ...x, name: b.node('Add', [x.name, b.reduce('ReduceMean', top, [1])]) };
};

/** Layers for rotary embeddings of other forms come with the attention above. */
export const SEQUENCE_LAYERS: readonly SequenceLayer[] = [
  widen,
  widen,
  feedForward,
  feedForward,
  gatedFeedForward,
  gatedFeedForward,
  attention,
  attention,
  fusedAttention,
  fusedAttention,
  batchedAttention,
  batchedAttention,
  groupedQueries,
  groupedQueries,
  einsumAttention,
  windows,
  normalization,
  recurrent,
  recurrent,
  convolution,
  integerProduct,
  tied,
  branch,
  frozen,
];

/** Rows of a table, by their numbers. */
export function embed(b: GraphBuilder, dims: readonly (string | number)[]): Sequence {
  const width = b.choose(WIDTHS);
  const ids = b.input('int64', dims);
  const rows = b.node('Gather', [b.weight([7, width], 1), ids]);
  if (b.chance(0.5)) return { name: rows, width };
  return { name: b.node('Add', [rows, b.weight([1, 1, width], 1)]), width };
}
