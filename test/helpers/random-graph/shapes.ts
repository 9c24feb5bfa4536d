/** Operators that move data: shapes, slices, joins, and the arithmetic of sizes. */
import { castTo, smooth } from './elementwise.js';
import {
  anyFloat,
  binary,
  concat,
  INT64_MAX,
  pad,
  reduce,
  reshape,
  sizeVector,
  slice,
  split,
  squeeze,
  transpose,
  unsqueeze,
} from './operators.js';
import {
  type Block,
  fixed,
  type Item,
  isFixed,
  ONE,
  product,
  type Scope,
  type Size,
  type Sizes,
  sameSize,
  sameSizes,
} from './scope.js';

const shaped = (item: Item): boolean => item.type !== 'string' && item.sizes.length >= 1 && item.sizes.length <= 5;

/** Other sizes with as many elements. */
function otherSizes(scope: Scope, sizes: Sizes): Sizes {
  const result: Size[] = [...sizes];
  for (let steps = 1 + scope.below(2); steps > 0; steps--) {
    const at = scope.below(result.length + 1);
    const way = scope.below(4);
    const size = result[at];
    const next = result[at + 1];
    if (way === 0 && result.length < 6) result.splice(at, 0, ONE);
    else if (way === 1 && size && sameSize(size, ONE)) result.splice(at, 1);
    else if (way === 2 && size && next) result.splice(at, 2, [size[0] * next[0], size[1] * next[1]]);
    else if (way === 3 && size && isFixed(size) && size[0] % 2 === 0 && size[0] > 0 && result.length < 6)
      result.splice(at, 1, fixed(2), fixed(size[0] / 2));
  }
  return result;
}

const reshapes: Block = (scope) => {
  let x = scope.pick(shaped);
  for (let left = 1 + scope.below(3); left > 0 && x; left--) {
    if (scope.chance(0.2) && anyFloat(x)) x = smooth(scope, x);
    const way = scope.below(5);
    const axes = x.sizes.flatMap((size, axis) => (sameSize(size, ONE) ? [axis] : []));
    if (way === 0 && x.sizes.length < 5) {
      const axis = scope.below(x.sizes.length + 1);
      x = unsqueeze(scope, x, scope.chance(0.3) ? [axis, x.sizes.length + 1] : [axis]);
    } else if (way === 1 && axes.length > 0) x = squeeze(scope, x, scope.chance(0.5) ? axes : axes.slice(0, 1));
    else if (way === 2) {
      const axis = scope.below(x.sizes.length + 1);
      const sizes = [product(x.sizes.slice(0, axis)), product(x.sizes.slice(axis))];
      x = scope.node('Flatten', [x], { type: x.type, sizes }, `axis = ${axis}`);
    } else x = reshape(scope, x, scope.chance(0.1) ? x.sizes : otherSizes(scope, x.sizes)) ?? x;
  }
  return x !== undefined;
};

const transposes: Block = (scope) => {
  let x = scope.pick((item) => shaped(item) && item.sizes.length >= 2);
  if (!x) return false;
  for (let left = 1 + scope.below(2); left > 0; left--) {
    x = transpose(scope, x, permutation(scope, x.sizes.length));
    if (scope.chance(0.4) && anyFloat(x)) x = smooth(scope, x);
    if (scope.chance(0.2) && x.type === 'float') x = binary(scope, 'Add', x, scope.constant('float', []));
  }
  if (scope.chance(0.3)) transpose(scope, x, permutation(scope, x.sizes.length));
  return true;
};

function permutation(scope: Scope, rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  if (scope.chance(0.1)) return axes;
  if (rank === 4 && scope.chance(0.5))
    return scope.choose([
      [0, 2, 3, 1],
      [0, 3, 1, 2],
      [0, 2, 1, 3],
      [0, 1, 3, 2],
    ]);
  for (let at = rank - 1; at > 0; at--) {
    const other = scope.below(at + 1);
    [axes[at], axes[other]] = [axes[other] as number, axes[at] as number];
  }
  return axes;
}

/** Values of one shape moved to another layout, joined and moved back, as exporters of other frameworks write it. */
const sandwich: Block = (scope) => {
  const x = scope.pick((item) => item.type === 'float' && item.sizes.length === 4);
  if (!x) return false;
  const [there, back] = scope.choose([
    [
      [0, 2, 3, 1],
      [0, 3, 1, 2],
    ],
    [
      [0, 3, 1, 2],
      [0, 2, 3, 1],
    ],
  ] as const);
  let inner: Item = transpose(scope, x, there);
  for (let left = 1 + scope.below(3); left > 0; left--) {
    const way = scope.below(4);
    if (way === 0) inner = smooth(scope, inner);
    else if (way === 1) {
      const unmoved = back.map((axis) => inner.sizes[axis] as Size);
      inner = binary(scope, 'Add', inner, transpose(scope, scope.tensor('float', unmoved), there));
    } else if (way === 2) inner = concat(scope, [inner, inner], 3);
    else if (isFixed(inner.sizes[3] as Size))
      inner = binary(scope, 'Mul', inner, scope.constant('float', [(inner.sizes[3] as Size)[0]]));
  }
  if (scope.chance(0.3)) inner = reduce(scope, 'ReduceMean', inner, [1, 2], true);
  transpose(scope, inner, back);
  return true;
};

const slices: Block = (scope) => {
  let x = scope.pick((item) => shaped(item) && item.sizes.some(([a, b]) => Math.min(a, b) >= 2));
  if (!x) return false;
  for (let left = 1 + scope.below(3); left > 0; left--) {
    const long = x.sizes.flatMap(([a, b], axis) => (Math.min(a, b) >= 2 ? [axis] : []));
    if (long.length === 0) return true;
    const axis = scope.choose(long);
    const way = scope.below(5);
    if (way === 0) x = slice(scope, x, [{ axis, start: 0 }]);
    else if (way === 1) x = slice(scope, x, [{ axis, start: 1 }]);
    else if (way === 2) x = slice(scope, x, [{ axis, start: 0, end: -1 }]);
    else if (scope.opset < 11) return true;
    else if (way === 3) x = slice(scope, x, [{ axis, start: 0, step: 2 }]);
    else {
      const ends = [scope.ints([-1]), scope.ints([-INT64_MAX]), scope.ints([axis]), scope.ints([-1])];
      x = scope.node('Slice', [x, ...ends], { type: x.type, sizes: x.sizes });
    }
  }
  return true;
};

/** Parts that are taken and put together again, some of them in order. */
const partsAndWhole: Block = (scope) => {
  const even = ([a, b]: Size): boolean => a === b && a >= 2 && a % 2 === 0;
  const x = scope.pick((item) => shaped(item) && item.sizes.some(even));
  if (!x) return false;
  const axis = scope.choose(x.sizes.flatMap((size, at) => (even(size) ? [at] : [])));
  const half = (x.sizes[axis] as Size)[0] / 2;
  const parts = scope.chance(0.6)
    ? split(scope, x, axis, scope.chance(0.8) ? [half, half] : [1, 2 * half - 1])
    : [slice(scope, x, [{ axis, start: 0, end: half }]), slice(scope, x, [{ axis, start: half }])];
  const [first, second] = parts as [Item, Item];
  const way = scope.below(4);
  if (way === 0) concat(scope, [first, second], axis);
  else if (way === 1) concat(scope, [anyFloat(second) ? scope.same('Neg', [second]) : second, first], axis);
  else if (way === 2 && anyFloat(first) && sameSizes(first.sizes, second.sizes))
    binary(scope, 'Mul', first, smooth(scope, second));
  else concat(scope, [concat(scope, [first, second], axis), x], axis);
  return true;
};

const joins: Block = (scope) => {
  const x = scope.pick(shaped);
  if (!x) return false;
  const axis = scope.below(x.sizes.length);
  const others = Array.from({ length: scope.below(3) }, () => scope.tensor(x.type, x.sizes));
  const joined = concat(scope, [x, ...others], axis);
  if (scope.chance(0.3)) concat(scope, [joined, x], scope.chance(0.7) ? axis : axis);
  return true;
};

const gathers: Block = (scope) => {
  const x = scope.pick((item) => shaped(item) && item.sizes.every(([a, b]) => a > 0 && b > 0));
  if (!x) return false;
  const axis = scope.below(x.sizes.length);
  const [a, b] = x.sizes[axis] as Size;
  const count = Math.min(a, b);
  const way = scope.below(3);
  const indices =
    way === 0
      ? scope.scalar('int64', scope.choose([0, -1, count - 1]), 0)
      : way === 1
        ? scope.ints(Array.from({ length: 1 + scope.below(3) }, () => scope.below(count)))
        : scope.ints(Array.from({ length: count }, (_, at) => at));
  const sizes = [...x.sizes.slice(0, axis), ...indices.sizes, ...x.sizes.slice(axis + 1)];
  scope.node('Gather', [x, indices], { type: x.type, sizes }, `axis = ${axis}`);
  return true;
};

/** Expand, Tile and Pad, some of them without effect. */
const enlarged: Block = (scope) => {
  const x = scope.pick((item) => item.type === 'float' && item.sizes.length >= 1 && item.sizes.length <= 4);
  if (!x) return false;
  const way = scope.below(4);
  if (way === 0) {
    const repeats = x.sizes.map(() => (scope.chance(0.7) ? 1 : 2));
    const sizes = x.sizes.map(([a, b], axis): Size => [a * (repeats[axis] ?? 1), b * (repeats[axis] ?? 1)]);
    scope.node('Tile', [x, scope.ints(repeats)], { type: x.type, sizes });
  } else if (way === 1) {
    const amounts = [...x.sizes, ...x.sizes].map(() => (scope.chance(0.7) ? 0 : 1));
    pad(scope, x, amounts, scope.choose([undefined, 0, 1]), scope.choose(['', 'constant']));
  } else {
    const full: Sizes = scope.chance(0.3) ? [fixed(2), ...x.sizes] : x.sizes;
    const target =
      full.every(isFixed) && scope.chance(0.6)
        ? scope.ints(full.map(([size], axis) => (axis === full.length - 1 && scope.chance(0.3) ? 1 : size)))
        : sizeVector(scope, x, full);
    if (!target) return false;
    const wide = scope.node('Expand', [x, target], { type: x.type, sizes: full });
    if (scope.chance(0.6))
      binary(
        scope,
        scope.choose(['Add', 'Mul', 'Sub']),
        wide,
        scope.tensor('float', full.length === x.sizes.length ? x.sizes : full),
      );
  }
  return true;
};

const reductions: Block = (scope) => {
  const x = scope.pick(
    (item) => item.type === 'float' && item.sizes.length >= 1 && item.sizes.every(([a, b]) => a > 0 && b > 0),
  );
  if (!x) return false;
  const axes = x.sizes.flatMap((_, axis) => (scope.chance(0.5) ? [axis] : []));
  const op = scope.choose([
    'ReduceMean',
    'ReduceSum',
    'ReduceMax',
    'ReduceMin',
    'ReduceL2',
    'ReduceSumSquare',
    'ReduceL1',
    'ReduceLogSumExp',
  ]);
  const some = axes.length === 0 ? [x.sizes.length - 1] : axes;
  const keep = scope.chance(0.5);
  const reduced = reduce(
    scope,
    op,
    op === 'ReduceLogSumExp' && x.bound > 8 ? scope.same('Tanh', [x], 1) : x,
    some,
    keep,
  );
  if (!keep && scope.chance(0.6)) unsqueeze(scope, reduced, some);
  else if (keep && scope.chance(0.4)) squeeze(scope, reduced, some);
  return true;
};

/** A choice of the largest, from values whose order cannot depend on rounding. */
const largest: Block = (scope) => {
  const x = scope.pick(
    (item) =>
      item.type === 'float' && item.exact && item.sizes.length >= 1 && item.sizes.every(([a, b]) => a > 0 && b > 0),
  );
  if (!x) return false;
  const axis = scope.below(x.sizes.length);
  const through = scope.chance(0.5)
    ? scope.same(scope.choose(['Softmax', 'Sigmoid', 'LogSoftmax', 'Tanh', 'Identity']), [x])
    : x;
  const keep = scope.chance(0.5);
  const sizes = x.sizes.flatMap((size, at) => (at === axis ? (keep ? [ONE] : []) : [size]));
  scope.node('ArgMax', [through], { type: 'int64', sizes, bound: 8 }, `axis = ${axis}, keepdims = ${keep ? 1 : 0}`);
  return true;
};

/** Sizes computed from sizes: what dynamic exports are full of. */
const sizeArithmetic: Block = (scope) => {
  const x = scope.pick((item) => shaped(item));
  if (!x) return false;
  const rank = x.sizes.length;
  const way = scope.below(5);
  if (way === 0) {
    const shape = scope.node('Shape', [x], { type: 'int64', sizes: [fixed(rank)], bound: 12 });
    const as = castTo(scope, shape, scope.choose(['int64', 'int32', 'float']));
    binary(scope, 'Mul', as, scope.scalar(as.type, 2));
  } else if (way === 1) {
    const flat = [product(x.sizes.slice(0, 1)), product(x.sizes.slice(1))];
    const sizes = sizeVector(scope, x, flat.slice(0, 1));
    if (!sizes) return false;
    scope.node('Reshape', [x, concat(scope, [sizes, scope.ints([-1])], 0)], { type: x.type, sizes: flat });
  } else if (way === 2) {
    const vector = sizeVector(scope, x, x.sizes);
    if (!vector) return false;
    const filled = scope.node(
      'ConstantOfShape',
      [vector],
      { type: 'float', sizes: x.sizes, bound: 2 },
      scope.chance(0.5) ? 'value: tensor = float[1] {1.5}' : '',
    );
    if (scope.chance(0.5)) castTo(scope, filled, 'double');
    if (x.type === 'float') binary(scope, 'Add', x, filled);
  } else if (way === 3 && scope.opset >= 11) {
    const axis = scope.below(rank);
    const size = x.sizes[axis] as Size;
    const shape = scope.node('Shape', [x], { type: 'int64', sizes: [fixed(rank)], bound: 12 });
    const limit = scope.node('Gather', [shape, scope.scalar('int64', axis, 0)], {
      type: 'int64',
      sizes: [],
      bound: 12,
    });
    const range = scope.node('Range', [scope.scalar('int64', 0, 0), limit, scope.scalar('int64', 1, 0)], {
      type: 'int64',
      sizes: [size],
      bound: 12,
    });
    scope.node('Gather', [x, range], { type: x.type, sizes: x.sizes }, `axis = ${axis}`);
  } else scope.node('Size', [x], { type: 'int64', sizes: [], bound: 200 });
  return true;
};

const depthAndSpace: Block = (scope) => {
  const x = scope.pick(
    (item) =>
      item.type === 'float' &&
      item.sizes.length === 4 &&
      isFixed(item.sizes[1] as Size) &&
      (item.sizes[1] as Size)[0] % 4 === 0,
  );
  if (!x) return false;
  const [n, c, h, w] = x.sizes as [Size, Size, Size, Size];
  const wide = scope.node(
    'DepthToSpace',
    [x],
    { type: 'float', sizes: [n, fixed(c[0] / 4), [h[0] * 2, h[1] * 2], [w[0] * 2, w[1] * 2]] },
    'blocksize = 2',
  );
  if (scope.chance(0.3)) scope.node('SpaceToDepth', [wide], { type: 'float', sizes: x.sizes }, 'blocksize = 2');
  return true;
};

/** Sequences made and taken apart again. */
const sequences: Block = (scope) => {
  const x = scope.pick(
    (item) =>
      item.type === 'float' &&
      item.sizes.length >= 1 &&
      item.sizes.some((size) => isFixed(size) && size[0] % 2 === 0 && size[0] > 0),
  );
  if (!x || scope.opset < 11 || scope.kind === 'function') return false;
  const axis = x.sizes.findIndex((size) => isFixed(size) && size[0] % 2 === 0 && size[0] > 0);
  const half = (x.sizes[axis] as Size)[0] / 2;
  const sizes = x.sizes.map((size, at) => (at === axis ? fixed(half) : size));
  const list = scope.name('s');
  scope.use(x.name);
  if (scope.chance(0.5)) {
    const parts = scope.scalar('int64', half, 0);
    scope.use(parts.name);
    scope.lines.push(`${list} = SplitToSequence <axis = ${axis}> (${x.name}, ${parts.name})`);
  } else {
    const [first, second] = split(scope, x, axis, [half, half]) as [Item, Item];
    scope.use(first.name);
    scope.use(second.name);
    scope.lines.push(`${list} = SequenceConstruct (${first.name}, ${second.name})`);
  }
  const sequence: Item = { name: list, type: 'string', sizes: [], exact: x.exact, constant: false, bound: x.bound };
  if (scope.chance(0.6))
    scope.node('SequenceAt', [sequence, scope.scalar('int64', scope.below(2), 0)], {
      type: 'float',
      sizes,
      bound: x.bound,
    });
  else
    scope.node('ConcatFromSequence', [sequence], { type: 'float', sizes: x.sizes, bound: x.bound }, `axis = ${axis}`);
  return true;
};

/** A node written again: the same inputs and attributes. */
const again: Block = (scope) => {
  if (scope.repeatable.length === 0) return false;
  const { op, inputs, attributes, item } = scope.choose(scope.repeatable);
  const name = scope.name('v');
  for (const input of inputs) if (input !== '') scope.use(input);
  scope.lines.push(`${name} = ${op} ${attributes === '' ? '' : `<${attributes}> `}(${inputs.join(', ')})`);
  scope.items.push({ ...item, name });
  return true;
};

export const SHAPES: readonly Block[] = [
  reshapes,
  reshapes,
  transposes,
  sandwich,
  slices,
  partsAndWhole,
  joins,
  gathers,
  enlarged,
  enlarged,
  reductions,
  reductions,
  largest,
  sizeArithmetic,
  sizeArithmetic,
  depthAndSpace,
  sequences,
  again,
];
