/** Layers as exporters write them where the operator set has no operator for them. */
import { broadcastConstant, castTo, smooth } from './elementwise.js';
import { batchNormalization, project, rows, symbol } from './linear.js';
import {
  binary,
  clip,
  concat,
  either,
  reduce,
  reshape,
  slice,
  split,
  tame,
  transpose,
  unsqueeze,
} from './operators.js';
import { instanceNormalization, narrowSoftmax, slopes } from './rarer-patterns.js';
import { type Block, fixed, type Item, isFixed, ONE, type Scope, type Size, sameSizes } from './scope.js';

const width = (x: Item): number => (x.sizes.at(-1) as Size)[0];
/** A number of a pattern; now and then another one, which must not be taken for it. */
const scalar = (scope: Scope, x: Item, value: number): Item => scope.scalar(x.type, nearly(scope, value));
const nearly = (scope: Scope, value: number): number =>
  scope.chance(0.08) ? value * scope.choose([1.05, 0.9, 2]) : value;
const square = (scope: Scope, x: Item): Item =>
  scope.chance(0.5)
    ? binary(scope, 'Mul', x, x, x.bound ** 2)
    : binary(scope, 'Pow', x, scalar(scope, x, 2), x.bound ** 2);

/** The value divided by the root of what is given, in one of the three usual ways. */
function overRoot(scope: Scope, x: Item, variance: Item, epsilon = 1e-5): Item {
  const sum = either(scope, 'Add', variance, scope.scalar(variance.type, epsilon));
  const way = scope.below(3);
  const bound = Math.sqrt(width(x)) + 2;
  if (way === 0) return binary(scope, 'Div', x, scope.same('Sqrt', [sum]), bound);
  if (way === 1) return either(scope, 'Mul', x, scope.same('Reciprocal', [scope.same('Sqrt', [sum])]), bound);
  return either(
    scope,
    'Mul',
    x,
    binary(scope, 'Pow', sum, scope.scalar(x.type, scope.chance(0.9) ? -0.5 : -0.25)),
    bound,
  );
}

export function layerNormalization(scope: Scope, x: Item): Item {
  const weight = (): Item => scope.constant(x.type, [width(x)]);
  if (scope.opset >= 17 && x.type === 'float' && scope.chance(0.3))
    return scope.same('LayerNormalization', [x, weight(), weight()], 10, 'axis = -1');
  const last = [x.sizes.length - 1];
  const mean = reduce(scope, 'ReduceMean', x, last, true);
  const centred = binary(scope, 'Sub', x, mean);
  // Some exporters write the difference twice.
  const other = scope.chance(0.2) ? binary(scope, 'Sub', x, mean) : centred;
  const normal = overRoot(scope, centred, reduce(scope, 'ReduceMean', square(scope, other), last, true));
  const scaled = scope.chance(0.85) ? either(scope, 'Mul', normal, weight(), 10) : normal;
  return scope.chance(0.8) ? either(scope, 'Add', scaled, weight(), 12) : scaled;
}

function rmsNormalization(scope: Scope, x: Item): Item {
  const mixed = x.type === 'float16';
  const wide = mixed ? castTo(scope, x, 'float') : x;
  const normal = overRoot(scope, wide, reduce(scope, 'ReduceMean', square(scope, wide), [x.sizes.length - 1], true));
  return either(
    scope,
    'Mul',
    mixed ? castTo(scope, normal, 'float16') : normal,
    scope.constant(x.type, [width(x)]),
    10,
  );
}

const normalization: Block = (scope) => {
  let x = rows(scope, scope.chance(0.9) ? 'float' : 'double');
  if (scope.chance(0.4)) {
    x = either(scope, 'Add', x, scope.tensor(x.type, x.sizes));
    if (scope.chance(0.3)) x = either(scope, 'Add', x, scope.constant(x.type, [width(x)]));
  }
  const y = scope.chance(0.65) ? layerNormalization(scope, x) : rmsNormalization(scope, x);
  if (scope.chance(0.3)) either(scope, 'Add', y, x);
  return true;
};

const halfNormalization: Block = (scope) => {
  const x = scope.pick(
    ({ type, sizes, bound }) => type === 'float16' && bound < 20 && sizes.length >= 2 && isFixed(sizes.at(-1) as Size),
  );
  const wide = x ?? castTo(scope, rows(scope), 'float16');
  rmsNormalization(scope, wide);
  return true;
};

export function gelu(scope: Scope, x: Item): Item {
  const way = scope.below(4);
  const half = (): Item => scalar(scope, x, 0.5);
  if (way <= 1) {
    const root = scope.chance(0.5)
      ? binary(scope, 'Div', x, scalar(scope, x, Math.SQRT2))
      : either(scope, 'Mul', x, scalar(scope, x, Math.SQRT1_2));
    const inner = either(scope, 'Add', scope.same('Erf', [root], 1), scalar(scope, x, 1), 2);
    if (scope.chance(0.5)) return either(scope, 'Mul', either(scope, 'Mul', x, inner, 2 * x.bound), half(), x.bound);
    return either(scope, 'Mul', either(scope, 'Mul', x, half()), inner, x.bound);
  }
  if (way === 2)
    return either(
      scope,
      'Mul',
      x,
      scope.same('Sigmoid', [either(scope, 'Mul', x, scalar(scope, x, 1.702))], 1),
      x.bound,
    );
  const cube = scope.chance(0.5)
    ? binary(scope, 'Pow', x, scalar(scope, x, 3), x.bound ** 3)
    : either(scope, 'Mul', x, binary(scope, 'Mul', x, x, x.bound ** 2), x.bound ** 3);
  const sum = either(scope, 'Add', x, either(scope, 'Mul', cube, scalar(scope, x, 0.044715)));
  const tanh = scope.same('Tanh', [either(scope, 'Mul', sum, scalar(scope, x, 0.7978846))], 1);
  const inner = either(scope, 'Add', tanh, scalar(scope, x, 1), 2);
  if (scope.chance(0.5)) return either(scope, 'Mul', either(scope, 'Mul', x, half()), inner, x.bound);
  return either(scope, 'Mul', half(), either(scope, 'Mul', x, inner, 2 * x.bound), x.bound);
}

const activations: Block = (scope) => {
  let x = tame(scope, scope.pick(({ type }) => type === 'float' || type === 'double') ?? rows(scope), 30);
  if (x.type === 'double') x = castTo(scope, x, 'float');
  if (scope.chance(0.3)) x = either(scope, 'Add', x, broadcastConstant(scope, x));
  const way = scope.below(8);
  if (way <= 1) gelu(scope, x);
  else if (way === 2) either(scope, 'Mul', x, scope.same('Sigmoid', [x], 1), x.bound);
  else if (way === 3)
    either(scope, 'Mul', x, scope.same('Tanh', [scope.same('Softplus', [x], x.bound + 1)], 1), x.bound);
  else if (way === 4) {
    const gate = clip(scope, either(scope, 'Add', x, scalar(scope, x, 3)), 0, 6);
    if (scope.chance(0.5)) binary(scope, 'Div', either(scope, 'Mul', x, gate), scalar(scope, x, 6), x.bound);
    else either(scope, 'Mul', x, binary(scope, 'Div', gate, scalar(scope, x, 6), 1), x.bound);
  } else if (way === 5) {
    const gate = scope.same(
      'HardSigmoid',
      [x],
      1,
      scope.choose(['alpha = 0.16666667, beta = 0.5', 'alpha = 0.2, beta = 0.5']),
    );
    either(scope, 'Mul', x, gate, x.bound);
  } else if (way === 6) {
    const sum = either(scope, 'Add', scope.same('Exp', [clip(scope, x, -5, 5)], 150), scalar(scope, x, 1));
    scope.same('Log', [sum], 6);
  } else
    binary(
      scope,
      'Div',
      x,
      either(scope, 'Add', scope.same('Exp', [scope.same('Neg', [tame(scope, x, 5)])], 150), scalar(scope, x, 1)),
      x.bound,
    );
  return true;
};

const softmaxes: Block = (scope) => {
  const x = tame(scope, rows(scope), 20);
  const last = [x.sizes.length - 1];
  const way = scope.below(5);
  const axis = scope.choose(['axis = -1', `axis = ${last}`, '', 'axis = 1']);
  if (way === 0) {
    const shifted = binary(scope, 'Sub', x, reduce(scope, 'ReduceMax', x, last, true));
    const powers = scope.same('Exp', [shifted], 1);
    binary(scope, 'Div', powers, reduce(scope, 'ReduceSum', powers, last, true), 1);
  } else if (way === 1) {
    // What Softmax rounds to 0 has a logarithm of −∞, unless LogSoftmax computes it.
    scope.same('Log', [scope.same('Softmax', [clip(scope, x, -20, 20)], 1, axis)], 50);
  } else if (way === 2) scope.same('Softmax', [x], 1, axis);
  else if (way === 3) {
    const shifted = binary(scope, 'Sub', x, reduce(scope, 'ReduceMax', x, last, true));
    scope.same('Softmax', [shifted], 1, 'axis = -1');
  } else {
    const norm = scope.chance(0.5)
      ? reduce(scope, 'ReduceL2', x, last, true)
      : scope.same('Sqrt', [reduce(scope, 'ReduceSum', square(scope, x), last, true)]);
    binary(scope, 'Div', x, clip(scope, norm, 1e-3, undefined), 1);
  }
  return true;
};

/** Query, key and value of one head layout: batch, heads, sequence, head size. */
function heads(scope: Scope, x: Item, count: number, rotated: boolean): Item {
  const [n, s] = x.sizes as [Size, Size];
  let y = project(scope, x, width(x));
  if (scope.chance(0.7)) y = either(scope, 'Add', y, scope.constant('float', [width(x)]), y.bound);
  const size = fixed(width(x) / count);
  const parted = reshape(scope, y, [n, s, fixed(count), size]);
  if (!parted) return y;
  const placed = transpose(scope, parted, [0, 2, 1, 3]);
  return rotated ? rotary(scope, placed) : placed;
}

/** Rotary position embedding: cosines and sines from tables, by position or the same for all. */
function rotary(scope: Scope, x: Item): Item {
  const size = width(x);
  const half = size / 2;
  const axis = x.sizes.length - 1;
  const [first, second] = scope.chance(0.5)
    ? (split(scope, x, axis, [half, half]) as [Item, Item])
    : [slice(scope, x, [{ axis, start: 0, end: half }]), slice(scope, x, [{ axis, start: half }])];
  const turned = concat(scope, [scope.same('Neg', [second]), first], axis);
  const ids = scope.chance(0.7) ? positions(scope, x) : undefined;
  const angles = (): Item => {
    if (!ids) return scope.constant('float', [size]);
    const table = scope.constant('float', [POSITIONS, half]);
    const rows = scope.node('Gather', [table, ids], { type: 'float', sizes: [...ids.sizes, fixed(half)] });
    return unsqueeze(scope, concat(scope, [rows, rows], 2), [1]);
  };
  const kept = either(scope, 'Mul', x, angles(), x.bound);
  return binary(scope, 'Add', kept, either(scope, 'Mul', turned, angles(), x.bound), x.bound * 2);
}

/** How many rows tables of positions have. */
const POSITIONS = 7;

/** Ids of the tokens of a batch: an input. */
function positions(scope: Scope, x: Item): Item | undefined {
  const [n, , s] = x.sizes as [Size, Size, Size];
  const sizes = [n, s];
  const fits = ({ name, type, sizes: own }: Item): boolean =>
    type === 'int64' && name.startsWith('x') && sameSizes(own, sizes);
  return scope.pick(fits) ?? (scope.root().kind === 'function' ? undefined : scope.input('int64', sizes, 3));
}

const attention: Block = (scope) => {
  const x =
    scope.pick(
      ({ type, sizes, bound }) =>
        type === 'float' &&
        bound <= 20 &&
        sizes.length === 3 &&
        isFixed(sizes[2] as Size) &&
        (sizes[2] as Size)[0] % 4 === 0 &&
        (sizes[2] as Size)[0] <= 16 &&
        sizes.every(([a, b]) => a > 0 && b > 0),
    ) ?? scope.fresh('float', [symbol(scope, 'N'), symbol(scope, 'S'), fixed(8)]);
  const [n, s, h] = x.sizes as [Size, Size, Size];
  const normal = scope.chance(0.4) ? layerNormalization(scope, x) : x;
  const count = 2;
  const rotated = scope.chance(0.25);
  const size = h[0] / count;
  const q = heads(scope, normal, count, rotated);
  const k = heads(scope, normal, count, rotated);
  const v = heads(scope, normal, count, false);
  if (q.sizes.length !== 4 || k.sizes.length !== 4 || v.sizes.length !== 4) return true;
  const scale = Math.sqrt(size);
  const early = scope.chance(0.3);
  const scaledQ = early ? binary(scope, 'Div', q, scope.scalar('float', scale), q.bound) : q;
  const turned = transpose(scope, k, [0, 1, 3, 2]);
  const square = [n, fixed(count), s, s];
  let scores = scope.node('MatMul', [scaledQ, turned], { type: 'float', sizes: square, bound: 30 });
  if (!early)
    scores = scope.chance(0.5)
      ? binary(scope, 'Div', scores, scope.scalar('float', scale), 30)
      : either(scope, 'Mul', scores, scope.scalar('float', 1 / scale), 30);
  const masked = scope.below(4);
  if (masked === 0) scores = either(scope, 'Add', scores, scope.tensor('float', [n, ONE, ONE, s]), 40);
  else if (masked === 1) {
    const mask = scope.fresh('bool', [n, s]);
    const wide = unsqueeze(scope, unsqueeze(scope, mask, [1]), [2]);
    scores = scope.node('Where', [wide, scores, scope.scalar('float', -1000, 0)], {
      type: 'float',
      sizes: square,
      bound: 30,
    });
  }
  const weights = scope.same('Softmax', [scores], 1, 'axis = -1');
  const dropped = scope.chance(0.15) && scope.opset >= 12 ? scope.same('Dropout', [weights]) : weights;
  const mixed = scope.node('MatMul', [dropped, v], { type: 'float', sizes: q.sizes, bound: v.bound });
  const joined = reshape(scope, transpose(scope, mixed, [0, 2, 1, 3]), [n, s, h]);
  if (!joined) return true;
  const out = either(scope, 'Add', project(scope, joined, h[0]), scope.constant('float', [h[0]]), 40);
  const sum = either(scope, 'Add', out, x, 50);
  if (scope.chance(0.5)) layerNormalization(scope, sum);
  return true;
};

/** The feed-forward part of a transformer, plain or gated. */
const feedForward: Block = (scope) => {
  const x = rows(scope, 'float', [2, 3]);
  const w = width(x);
  const up = either(scope, 'Add', project(scope, x, 2 * w), scope.constant('float', [2 * w]));
  let inner: Item;
  if (scope.chance(0.3)) {
    const axis = x.sizes.length - 1;
    const [a, b] = split(scope, up, axis, [w, w]) as [Item, Item];
    inner = either(scope, 'Mul', either(scope, 'Mul', a, scope.same('Sigmoid', [a], 1), a.bound), b, 100);
  } else inner = gelu(scope, tame(scope, up, 20));
  const out = either(scope, 'Add', project(scope, tame(scope, inner, 30), w), scope.constant('float', [w]), 50);
  if (scope.chance(0.6)) either(scope, 'Add', out, x, 60);
  return true;
};

const embedding: Block = (scope) => {
  const sizes = [symbol(scope, 'N'), symbol(scope, 'S')];
  const isIds = ({ name, type, sizes: own }: Item): boolean =>
    type === 'int64' && own.length === 2 && name.startsWith('x');
  if (scope.root().kind === 'function') return false;
  const ids = (): Item => scope.pick(isIds) ?? scope.input('int64', sizes, 3);
  const lookup = (from: Item, rows: number): Item =>
    scope.node('Gather', [scope.constant('float', [rows, 8]), from], {
      type: 'float',
      sizes: [...from.sizes, fixed(8)],
    });
  const words = ids();
  let sum = lookup(words, POSITIONS);
  if (scope.chance(0.6)) sum = either(scope, 'Add', sum, lookup(positionsOf(scope, words), 6));
  if (scope.chance(0.4)) sum = either(scope, 'Add', sum, lookup(segmentsOf(scope, words, isIds), 3));
  if (scope.chance(0.3)) sum = either(scope, 'Add', sum, scope.constant('float', [8]));
  if (scope.chance(0.6)) layerNormalization(scope, sum);
  return true;
};

/** 0, 1, 2, … along the sequence: computed, cut from a constant, or given. */
function positionsOf(scope: Scope, words: Item): Item {
  const [, s] = words.sizes as [Size, Size];
  if (scope.chance(0.3) && scope.opset >= 11) {
    const shape = scope.node('Shape', [words], { type: 'int64', sizes: [fixed(2)], bound: 12 });
    const scalarOf = { type: 'int64', sizes: [], bound: 12 } as const;
    const count = scope.node('Gather', [shape, scope.scalar('int64', 1, 0)], scalarOf);
    const inputs = [scope.scalar('int64', 0, 0), count, scope.scalar('int64', 1, 0)];
    return unsqueeze(scope, scope.node('Range', inputs, { type: 'int64', sizes: [s], bound: 12 }), [0]);
  }
  if (scope.chance(0.5) && isFixed(s))
    return scope.values(
      'int64',
      [1, s[0]],
      Array.from({ length: s[0] }, (_, at) => at),
    );
  return words;
}

/** Ids of segments: given, or the same for all, as exporters compute them. */
function segmentsOf(scope: Scope, words: Item, isIds: (item: Item) => boolean): Item {
  const given = scope.chance(0.5) ? scope.pick((item) => isIds(item) && sameSizes(item.sizes, words.sizes)) : undefined;
  if (given) return given;
  const shape = scope.node('Shape', [words], { type: 'int64', sizes: [fixed(2)], bound: 12 });
  const value = scope.choose(['value: tensor = int64[1] {0}', 'value: tensor = int64[1] {1}']);
  return scope.node('ConstantOfShape', [shape], { type: 'int64', sizes: words.sizes, bound: 1 }, value);
}

/** Group normalization by way of instance normalization, as older exporters write it. */
const groupNormalization: Block = (scope) => {
  const x = scope.pick(
    ({ type, sizes, bound }) =>
      type === 'float' &&
      bound <= 50 &&
      sizes.length === 4 &&
      isFixed(sizes[1] as Size) &&
      (sizes[1] as Size)[0] % 2 === 0 &&
      (sizes[1] as Size)[0] > 0 &&
      sizes.every(([a, b]) => a > 0 && b > 0),
  );
  if (!x) return false;
  const [n, c, h, w] = x.sizes as [Size, Size, Size, Size];
  const grouped = reshape(scope, x, [n, fixed(2), [(c[0] / 2) * h[0] * w[0], (c[1] / 2) * h[1] * w[1]]]);
  if (!grouped) return false;
  const ones = scope.values('float', [2], [1, 1]);
  const normal = scope.same('InstanceNormalization', [grouped, ones, scope.values('float', [2], [0, 0])], 20);
  const back = reshape(scope, normal, x.sizes);
  if (!back) return true;
  const perChannel = (): Item => scope.constant('float', [c[0], 1, 1]);
  const y = either(scope, 'Add', either(scope, 'Mul', back, perChannel(), 20), perChannel(), 25);
  if (scope.chance(0.4)) either(scope, 'Mul', y, scope.same('Sigmoid', [y], 1), 25);
  return true;
};

/** A residual block in float16, between casts. */
const mixedPrecision: Block = (scope) => {
  const x = rows(scope, 'float', [2, 3]);
  const narrow = castTo(scope, x, 'float16');
  const y = either(scope, 'Add', smooth(scope, narrow), narrow, x.bound * 2);
  const wide = castTo(scope, y, 'float');
  if (sameSizes(wide.sizes, x.sizes) && scope.chance(0.5)) either(scope, 'Add', wide, x);
  return true;
};

/** QuantizeLinear and DequantizeLinear around a layer; only exact values, whose rounding cannot flip. */
const quantized: Block = (scope) => {
  const x = scope.pick(
    ({ type, exact, sizes }) => type === 'float' && exact && sizes.length === 2 && isFixed(sizes[1] as Size),
  );
  if (!x || scope.opset < 13) return false;
  const step = scope.values('float', [], [0.05]);
  const zero = scope.values('uint8', [], [128]);
  const q = scope.node('QuantizeLinear', [x, step, zero], { type: 'uint8', sizes: x.sizes, bound: 255 });
  const back = scope.node('DequantizeLinear', [q, step, zero], { type: 'float', sizes: x.sizes, bound: x.bound });
  project(scope, scope.chance(0.5) ? scope.same('Relu', [back]) : back, 4);
  return true;
};

/** A pooled classifier at the end of something. */
const classifier: Block = (scope) => {
  const x = scope.pick(
    ({ type, sizes, bound }) =>
      type === 'float' &&
      bound <= 50 &&
      sizes.length === 4 &&
      isFixed(sizes[1] as Size) &&
      (sizes[1] as Size)[0] <= 12 &&
      sizes.every(([a, b]) => a > 0 && b > 0),
  );
  if (!x) return false;
  const [n, c] = x.sizes as [Size, Size];
  const normal = scope.chance(0.4) ? batchNormalization(scope, x) : x;
  const mean = scope.node('GlobalAveragePool', [normal], { type: 'float', sizes: [n, c, ONE, ONE] });
  const flat = scope.chance(0.5)
    ? scope.node('Flatten', [mean], { type: 'float', sizes: [n, c] })
    : reshape(scope, mean, [n, c]);
  if (!flat) return true;
  const scores = either(scope, 'Add', project(scope, flat, 5), scope.constant('float', [5]), 60);
  if (scope.chance(0.5)) scope.same('Softmax', [scores], 1, 'axis = 1');
  return true;
};

export const PATTERNS: readonly Block[] = [
  normalization,
  normalization,
  halfNormalization,
  activations,
  activations,
  activations,
  softmaxes,
  attention,
  attention,
  feedForward,
  embedding,
  groupNormalization,
  instanceNormalization,
  narrowSoftmax,
  slopes,
  mixedPrecision,
  quantized,
  classifier,
];
