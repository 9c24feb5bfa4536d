/** Convolutions, matrix products, pooling and normalization, with what is merged into them before and after. */
import { smooth } from './elementwise.js';
import { binary, clip, either, floats, pad, reduce, reshape, tame, transpose } from './operators.js';
import { type Block, fixed, type Item, isFixed, ONE, type Scope, type Size, type Sizes } from './scope.js';

const channelsOf = (x: Item): number => (x.sizes[1] as Size)[0];

/** An image batch with a known number of channels and sides of at least 3. */
function image(scope: Scope): Item {
  const fits = ({ type, sizes, bound }: Item): boolean =>
    type === 'float' &&
    bound <= 50 &&
    sizes.length === 4 &&
    isFixed(sizes[1] as Size) &&
    channelsOf({ sizes } as Item) <= 12 &&
    sizes.slice(2).every(([a, b]) => Math.min(a, b) >= 3 && Math.max(a, b) <= 16) &&
    Math.min(...(sizes[0] as Size)) > 0;
  const found = scope.chance(0.85) ? scope.pick(fits) : undefined;
  return found ?? scope.fresh('float', [symbol(scope, 'N'), fixed(scope.choose([2, 3, 4])), fixed(6), fixed(5)]);
}

export function symbol(scope: Scope, name: string): Size {
  return scope.program.symbols.get(name) ?? fixed(2);
}

/** A weight: the one of before where it fits, now and then. */
function weight(scope: Scope, dims: readonly number[]): Item {
  const shared = scope.chance(0.15)
    ? scope.pick(
        (item) =>
          item.constant &&
          item.type === 'float' &&
          item.sizes.length === dims.length &&
          item.sizes.every(([size], axis) => size === dims[axis]),
      )
    : undefined;
  return shared ?? scope.constant('float', dims);
}

/** A Conv of random geometry; the weight is computed by nothing. */
function conv(scope: Scope, x: Item, filters = scope.choose([2, 4]), sides = scope.choose([1, 3])): Item {
  const channels = channelsOf(x);
  const depthwise = scope.chance(0.2);
  const group = depthwise ? channels : 1;
  const out = depthwise ? channels : filters;
  const pad = scope.chance(0.5) ? 1 : 0;
  const stride = scope.chance(0.2) ? 2 : 1;
  const w = weight(scope, [out, channels / group, sides, sides]);
  const bias = scope.chance(0.5) ? [scope.constant('float', [out])] : [];
  const attributes = [
    ...(pad ? [`pads = [${pad},${pad},${pad},${pad}]`] : []),
    ...(stride > 1 ? [`strides = [${stride},${stride}]`] : []),
    ...(group > 1 ? [`group = ${group}`] : []),
    ...(scope.chance(0.5) ? [`kernel_shape = [${sides},${sides}]`] : []),
  ];
  const side = ([a, b]: Size): Size => [
    Math.floor((a + 2 * pad - sides) / stride) + 1,
    Math.floor((b + 2 * pad - sides) / stride) + 1,
  ];
  const sizes: Sizes = [x.sizes[0] as Size, fixed(out), ...x.sizes.slice(2).map(side)];
  return scope.node('Conv', [x, w, ...bias], { type: 'float', sizes, bound: x.bound * 2 }, attributes.join(', '));
}

function convTranspose(scope: Scope, x: Item): Item {
  const channels = channelsOf(x);
  const group = channels % 2 === 0 && scope.chance(0.3) ? 2 : 1;
  const out = 2;
  const w = weight(scope, [channels, out, 2, 2]);
  const bias = scope.chance(0.5) ? [scope.constant('float', [out * group])] : [];
  const sizes: Sizes = [
    x.sizes[0] as Size,
    fixed(out * group),
    ...x.sizes.slice(2).map(([a, b]): Size => [2 * a, 2 * b]),
  ];
  const attributes = `strides = [2,2]${group > 1 ? `, group = ${group}` : ''}`;
  return scope.node('ConvTranspose', [x, w, ...bias], { type: 'float', sizes, bound: x.bound * 2 }, attributes);
}

/** One value a channel, in the forms that broadcast along axis 1. */
function perChannel(scope: Scope, x: Item, positive = false): Item {
  const rest = x.sizes.slice(2).map(() => 1);
  const channels = channelsOf(x);
  const dims = scope.choose([[channels, ...rest], [1, channels, ...rest], [1, ...rest], []]);
  return scope.constant('float', dims, positive);
}

export function batchNormalization(scope: Scope, x: Item): Item {
  const channels = channelsOf(x);
  const vector = (positive: boolean): Item => scope.constant('float', [channels], positive);
  const inputs = [x, vector(false), vector(false), vector(false), vector(true)] as const;
  return scope.same('BatchNormalization', inputs, x.bound * 3, scope.chance(0.5) ? 'epsilon = 0.001' : '');
}

function activation(scope: Scope, x: Item): Item {
  const way = scope.below(6);
  if (way === 0) return scope.same('Relu', [x]);
  if (way === 1) return clip(scope, x, 0, 6);
  if (way === 2) return scope.same('LeakyRelu', [x], x.bound, 'alpha = 0.1');
  if (way === 3) return either(scope, 'Mul', x, scope.same('Sigmoid', [x], 1), x.bound);
  if (way === 4) return x;
  return smooth(scope, x);
}

/** Convolution with what exporters put around it. */
const convolution: Block = (scope) => {
  let x = image(scope);
  if (scope.chance(0.25)) x = padded(scope, x);
  if (scope.chance(0.15)) x = batchNormalization(scope, x);
  if (scope.chance(0.15)) x = either(scope, 'Mul', x, perChannel(scope, x));
  let y = scope.chance(0.2) ? convTranspose(scope, x) : conv(scope, x);
  const way = scope.below(6);
  if (way <= 1) y = batchNormalization(scope, y);
  else if (way === 2) y = either(scope, 'Add', y, perChannel(scope, y));
  else if (way === 3) y = either(scope, 'Mul', y, perChannel(scope, y));
  else if (way === 4) y = binary(scope, scope.choose(['Sub', 'Div']), y, perChannel(scope, y, true), y.bound * 10);
  if (scope.chance(0.2)) y = either(scope, 'Add', y, perChannel(scope, y));
  if (scope.chance(0.25)) y = either(scope, 'Add', y, scope.tensor('float', y.sizes));
  activation(scope, tame(scope, y, 100));
  return true;
};

/** A Pad before something that could pad by itself, some of the time. */
function padded(scope: Scope, x: Item): Item {
  const amounts = scope.choose([
    [0, 0, 1, 1, 0, 0, 1, 1],
    [0, 0, 0, 1, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1, 1],
    [0, 0, 0, 0, 0, 0, 0, 0],
    [0, 1, 0, 0, 0, 0, 0, 0],
    [0, 0, -1, 0, 0, 0, 0, 0],
  ]);
  const mode = scope.choose(['', '', 'constant', 'edge']);
  const fill = mode === 'edge' || scope.chance(0.4) ? undefined : scope.choose([0, 0, 0, 1]);
  return pad(scope, x, amounts, fill, mode);
}

const pooling: Block = (scope) => {
  let x = image(scope);
  if (scope.chance(0.3)) x = scope.same('Relu', [x]);
  if (scope.chance(0.4)) x = padded(scope, x);
  const [n, c] = x.sizes as [Size, Size];
  const side = ([a, b]: Size): Size => [a - 1, b - 1];
  const pooled: Sizes = [n, c, ...x.sizes.slice(2).map(side)];
  const way = scope.below(5);
  if (way === 0) scope.node('MaxPool', [x], { type: 'float', sizes: pooled }, 'kernel_shape = [2,2]');
  else if (way === 1) {
    const counted = scope.choose(['', ', count_include_pad = 1']);
    scope.node('AveragePool', [x], { type: 'float', sizes: pooled }, `kernel_shape = [2,2]${counted}`);
  } else if (way === 2) scope.node('GlobalAveragePool', [x], { type: 'float', sizes: [n, c, ONE, ONE] });
  else if (way === 3) {
    const mean = reduce(scope, 'ReduceMean', x, [2, 3], scope.chance(0.5));
    if (mean.sizes.length === 4 && scope.chance(0.5)) reshape(scope, mean, [n, c]);
  } else {
    const [h, w] = x.sizes.slice(2) as [Size, Size];
    if (!isFixed(h) || !isFixed(w)) return false;
    const whole = scope.node(
      'AveragePool',
      [x],
      { type: 'float', sizes: [n, c, ONE, ONE] },
      `kernel_shape = [${h[0]},${w[0]}]`,
    );
    scope.node('Flatten', [whole], { type: 'float', sizes: [n, c] });
  }
  return true;
};

/** Squeeze and excitation: the weights of channels from their means. */
const excitation: Block = (scope) => {
  const x = image(scope);
  const [n, c] = x.sizes as [Size, Size];
  const mean = scope.chance(0.5)
    ? scope.node('GlobalAveragePool', [x], { type: 'float', sizes: [n, c, ONE, ONE] })
    : reduce(scope, 'ReduceMean', x, [2, 3], true);
  const narrow = scope.same('Relu', [conv1(scope, mean, 2)]);
  const wide = conv1(scope, narrow, c[0]);
  const gate = scope.chance(0.5)
    ? scope.same('Sigmoid', [wide], 1)
    : binary(
        scope,
        'Div',
        clip(scope, binary(scope, 'Add', wide, scope.scalar('float', 3)), 0, 6),
        scope.scalar('float', 6),
        1,
      );
  either(scope, 'Mul', x, gate, x.bound);
  return true;
};

function conv1(scope: Scope, x: Item, filters: number): Item {
  const inputs = [x, weight(scope, [filters, channelsOf(x), 1, 1]), scope.constant('float', [filters])];
  return scope.node('Conv', inputs, {
    type: 'float',
    sizes: [x.sizes[0] as Size, fixed(filters), ONE, ONE],
    bound: x.bound * 2,
  });
}

const normalized: Block = (scope) => {
  const x = image(scope);
  if (scope.chance(0.5)) batchNormalization(scope, x);
  else {
    const c = channelsOf(x);
    scope.same('InstanceNormalization', [x, scope.constant('float', [c]), scope.constant('float', [c])], 20);
  }
  return true;
};

/** Rows of a known width. */
export function rows(scope: Scope, type: 'float' | 'double' = 'float', ranks = [2, 3, 4]): Item {
  const found = scope.chance(0.85)
    ? scope.pick(({ type: own, sizes, bound }) => {
        const last = sizes.at(-1);
        return (
          own === type &&
          bound <= 50 &&
          ranks.includes(sizes.length) &&
          last !== undefined &&
          isFixed(last) &&
          last[0] >= 1 &&
          last[0] <= 16
        );
      })
    : undefined;
  if (found) return found;
  const lead = [symbol(scope, 'N'), symbol(scope, 'S'), fixed(2)];
  return scope.fresh(type, [...lead.slice(0, scope.choose(ranks) - 1), fixed(scope.choose([4, 6, 8]))]);
}

const widthOf = (x: Item): number => (x.sizes.at(-1) as Size)[0];

/** A product with a constant matrix, as MatMul, with a transposed weight, or as Gemm. */
export function project(scope: Scope, x: Item, width: number, type: 'float' | 'double' = 'float'): Item {
  const sizes = [...x.sizes.slice(0, -1), fixed(width)];
  const result = { type, sizes, bound: Math.min(x.bound * 3, 100) };
  const inner = widthOf(x);
  if (x.sizes.length === 2 && type === 'float' && scope.chance(0.3)) {
    const flip = scope.chance(0.5);
    const w = weight(scope, flip ? [width, inner] : [inner, width]);
    const c =
      scope.opset < 11 || scope.chance(0.7) ? [scope.constant('float', scope.choose([[width], [1, width], []]))] : [];
    const attributes = [
      ...(flip ? ['transB = 1'] : []),
      ...(scope.chance(0.2) ? ['alpha = 0.5'] : []),
      ...(scope.chance(0.2) ? ['beta = 2.0'] : []),
    ];
    return scope.node('Gemm', [x, w, ...c], result, attributes.join(', '));
  }
  if (scope.chance(0.2))
    return scope.node('MatMul', [x, transpose(scope, scope.constant(type, [width, inner]), [1, 0])], result);
  return scope.node(
    'MatMul',
    [x, type === 'float' ? weight(scope, [inner, width]) : scope.constant(type, [inner, width])],
    result,
  );
}

const dense: Block = (scope) => {
  const type = scope.chance(0.9) ? 'float' : 'double';
  let x = rows(scope, type);
  const width = scope.choose([2, 4, 6, widthOf(x)]);
  const folded = x.sizes.length === 3 && scope.chance(0.25);
  const [n, s] = x.sizes as [Size, Size];
  const whole = x;
  if (folded) x = reshape(scope, x, [[n[0] * s[0], n[1] * s[1]], x.sizes[2] as Size]) ?? x;
  let y = project(scope, x, width, type);
  if (scope.chance(0.7))
    y = either(scope, 'Add', y, scope.constant(type, scope.choose([[width], [1, width], [1], []])));
  if (type === 'float' && y.sizes.length === 2 && scope.chance(0.15)) y = batchNormalization(scope, y);
  if (scope.chance(0.2))
    y = binary(scope, scope.choose(['Mul', 'Div']), y, scope.scalar(type, scope.choose([0.5, 2])), y.bound * 2);
  if (scope.chance(0.2)) y = project(scope, y, scope.choose([2, 4]), type);
  if (folded && x !== whole) y = reshape(scope, y, [n, s, fixed(widthOf(y))]) ?? y;
  if (scope.chance(0.5)) smooth(scope, y);
  return true;
};

/** A product of two computed values, each perhaps transposed or scaled before. */
const product: Block = (scope) => {
  const a = rows(scope);
  const lead = a.sizes.slice(0, -2);
  const inner = a.sizes.at(-1) as Size;
  const width = fixed(scope.choose([3, 4]));
  let b: Item;
  if (scope.chance(0.4)) {
    const rank = a.sizes.length;
    const perm = Array.from({ length: rank }, (_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
    b = transpose(scope, scope.tensor('float', [...lead, width, inner]), perm);
  } else b = scope.tensor('float', [...lead, inner, width]);
  const scaled = scope.chance(0.25) ? binary(scope, 'Mul', a, scope.scalar('float', 0.5), a.bound) : a;
  const y = scope.node('MatMul', [scaled, b], {
    type: 'float',
    sizes: [...a.sizes.slice(0, -1), width],
    bound: Math.min(100, a.bound * b.bound),
  });
  if (scope.chance(0.4)) binary(scope, scope.choose(['Div', 'Mul']), y, scope.scalar('float', 4), y.bound * 4);
  return true;
};

const einsum: Block = (scope) => {
  const a = rows(scope, 'float', [3]);
  // ONNX Runtime's Einsum ends the process where a size is zero.
  if (scope.opset < 12 || a.sizes.some(([x, y]) => x * y === 0)) return false;
  const [n, s, w] = a.sizes as [Size, Size, Size];
  const way = scope.below(3);
  if (way === 0)
    scope.node(
      'Einsum',
      [a, scope.constant('float', [w[0], 4])],
      { type: 'float', sizes: [n, s, fixed(4)], bound: 60 },
      'equation = "bsh,hk->bsk"',
    );
  else if (way === 1)
    scope.node(
      'Einsum',
      [a, scope.tensor('float', [n, fixed(3), w])],
      { type: 'float', sizes: [n, s, fixed(3)], bound: 60 },
      'equation = "bij,bkj->bik"',
    );
  else
    scope.node(
      'Einsum',
      [a, scope.tensor('float', [n, w, fixed(3)])],
      { type: 'float', sizes: [n, s, fixed(3)], bound: 60 },
      'equation = "bij,bjk->bik"',
    );
  return true;
};

const gemm: Block = (scope) => {
  const x = scope.pick(
    ({ type, sizes, bound }) =>
      type === 'float' && bound <= 50 && sizes.length === 2 && sizes.every(([a, b]) => a > 0 && b > 0),
  );
  if (!x || !floats(x)) return false;
  const [rowsOf, inner] = x.sizes as [Size, Size];
  if (!isFixed(inner)) return false;
  const y = scope.tensor('float', [inner, fixed(3)]);
  const flipped = scope.chance(0.4) ? transpose(scope, y, [1, 0]) : undefined;
  const attributes = [...(flipped ? ['transB = 1'] : []), ...(scope.chance(0.3) ? ['alpha = 0.25'] : [])];
  const c = scope.opset < 11 || scope.chance(0.5) ? [scope.constant('float', [3])] : [];
  const result = scope.node(
    'Gemm',
    [x, flipped ?? y, ...c],
    { type: 'float', sizes: [rowsOf, fixed(3)], bound: 60 },
    attributes.join(', '),
  );
  if (scope.chance(0.4)) binary(scope, 'Add', result, scope.constant('float', [3]));
  return true;
};

export const LINEAR: readonly Block[] = [
  convolution,
  convolution,
  convolution,
  convolution,
  pooling,
  pooling,
  excitation,
  normalized,
  dense,
  dense,
  dense,
  product,
  product,
  einsum,
  gemm,
];
