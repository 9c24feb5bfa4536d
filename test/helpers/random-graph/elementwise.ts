/** Elementwise operators, alone and in the combinations that are simplified. */
import { anyFloat, binary, broadcast, clip, either, floats, positive, tame } from './operators.js';
import { type Block, type ElementType, type Item, isFixed, isFloat, type Scope, sameSizes } from './scope.js';

/** Continuous functions of one float: name, first operator set, and the bound of the result. */
const SMOOTH: readonly (readonly [op: string, since: number, bound: (b: number) => number, attributes?: string])[] = [
  ['Relu', 1, (b) => b],
  ['Neg', 1, (b) => b],
  ['Abs', 1, (b) => b],
  ['Sigmoid', 1, () => 1],
  ['Tanh', 1, () => 1],
  ['Erf', 9, () => 1],
  ['Softplus', 1, (b) => b + 1],
  ['Softsign', 1, () => 1],
  ['LeakyRelu', 6, (b) => b, 'alpha = 0.2'],
  ['HardSigmoid', 6, () => 1, 'alpha = 0.3, beta = 0.4'],
  ['Elu', 6, (b) => b],
  ['Selu', 6, (b) => 2 * b],
  ['Identity', 1, (b) => b],
  ['HardSwish', 14, (b) => b],
  ['Mish', 18, (b) => b],
  ['Gelu', 20, (b) => b, 'approximate = "tanh"'],
  ['Gelu', 20, (b) => b],
  ['Sin', 7, () => 1],
  ['Cos', 7, () => 1],
  ['Atan', 7, () => 2],
];
/** Where ONNX Runtime has kernels for float only. */
const FLOAT_ONLY = new Set([
  'HardSigmoid',
  'Elu',
  'Selu',
  'HardSwish',
  'Mish',
  'Gelu',
  'LeakyRelu',
  'Softsign',
  'Erf',
  'Atan',
  'Softplus',
]);
const HALF = new Set(['Identity', 'Neg', 'Abs', 'Relu', 'Tanh', 'Sigmoid']);

/** A function of one value that keeps type and sizes; it never fails. */
export function smooth(scope: Scope, x: Item): Item {
  const rows = SMOOTH.filter(
    ([op, since]) =>
      since <= scope.opset && (x.type === 'float' || (x.type === 'double' ? !FLOAT_ONLY.has(op) : HALF.has(op))),
  );
  const [op, , bound, attributes] = scope.choose(rows);
  return scope.same(op, [x], bound(x.bound), attributes);
}

const unary: Block = (scope) => {
  const x = scope.pick(anyFloat);
  if (x) smooth(scope, x);
  return x !== undefined;
};

const guarded: Block = (scope) => {
  const x = scope.pick(floats);
  if (!x) return false;
  const safe = tame(scope, x);
  const op = scope.choose(['Exp', 'Log', 'Sqrt', 'Reciprocal', 'Pow']);
  if (op === 'Exp') scope.same('Exp', [tame(scope, x, 4)], 60);
  else if (op === 'Log' || op === 'Sqrt') scope.same(op, [positive(scope, safe)]);
  else if (op === 'Reciprocal') scope.same(op, [positive(scope, safe)], 2);
  else {
    const power = scope.choose([2, 3, 1, 0.5, 0, -1]);
    const base = power === 0.5 || power === -1 ? positive(scope, safe) : safe;
    binary(scope, 'Pow', base, scope.scalar(x.type, power), 600);
  }
  return true;
};

/** Two values, broadcast; the second may be a new constant of part of the sizes. */
const arithmetic: Block = (scope) => {
  const a = scope.pick((item) => anyFloat(item) || item.type === 'int64' || item.type === 'int32');
  if (!a) return false;
  const found = scope.chance(0.6)
    ? scope.pick((item) => item.type === a.type && item !== a && broadcast(a.sizes, item.sizes) !== undefined)
    : undefined;
  const b = found ?? broadcastConstant(scope, a);
  const op = scope.choose(
    isFloat(a.type) ? ['Add', 'Sub', 'Mul', 'Add', 'Mul', 'Div', 'Max', 'Min'] : ['Add', 'Sub', 'Mul'],
  );
  if (op === 'Div') binary(scope, 'Div', a, isFloat(b.type) ? positive(scope, b) : b);
  else either(scope, op, a, b);
  return true;
};

/** A constant that broadcasts to a value: a scalar, a vector along the last axis, or one channel each. */
export function broadcastConstant(scope: Scope, a: Item): Item {
  const last = a.sizes.at(-1);
  const channels = a.sizes[1];
  const way = scope.below(4);
  if (way === 0 && last && isFixed(last)) return scope.constant(a.type, [last[0]]);
  if (way === 1 && channels && isFixed(channels) && a.sizes.length >= 3)
    return scope.constant(a.type, [channels[0], ...a.sizes.slice(2).map(() => 1)]);
  if (way === 2 && a.sizes.every(isFixed))
    return scope.constant(
      a.type,
      a.sizes.map(([size]) => size),
    );
  return scope.constant(a.type, new Array<number>(scope.below(a.sizes.length + 1)).fill(1));
}

/** Arithmetic that changes nothing, or only looks like it. */
const neutral: Block = (scope) => {
  const x = scope.pick((item) => isFloat(item.type) || item.type === 'int64' || item.type === 'int32');
  if (!x) return false;
  const value = scope.chance(0.9) ? undefined : 2;
  const rank = scope.chance(0.6) ? 0 : scope.below(x.sizes.length + 2);
  const [op, unit] = scope.choose([
    ['Add', 0],
    ['Mul', 1],
    ['Sub', 0],
    ['Div', 1],
    ['Pow', 1],
    ['Add', -0],
    ['Mul', 0],
  ] as const);
  if (op === 'Pow' && !isFloat(x.type)) return false;
  const number = value ?? unit;
  const c = scope.values(x.type, new Array<number>(rank).fill(1), [
    isFloat(x.type) && Object.is(number, -0) ? -0 : number,
  ]);
  const sizes = broadcast(x.sizes, c.sizes) ?? x.sizes;
  const commutes = op === 'Add' || op === 'Mul';
  const result = { type: x.type, sizes, bound: x.bound + 2 };
  scope.node(op, commutes && scope.chance(0.5) ? [c, x] : [x, c], result);
  return true;
};

/** The same operator, or its inverse, twice. */
const chained: Block = (scope) => {
  const x = scope.pick(floats);
  if (!x) return false;
  const way = scope.below(7);
  if (way === 0) {
    const op = scope.choose(
      x.exact
        ? ['Relu', 'Abs', 'Ceil', 'Floor', scope.opset < 11 ? 'Abs' : 'Round', 'Sign', 'Neg', 'Identity']
        : ['Relu', 'Abs', 'Neg'],
    );
    scope.same(op, [scope.same(op, [x])]);
  } else if (way === 1) {
    const op = scope.choose(['Add', 'Mul', 'Sub', 'Div']);
    const number = () => scope.scalar(x.type, scope.choose([0.5, 2, -1.5, 0.25]));
    const inner = binary(scope, op, x, number(), x.bound * 4);
    binary(scope, op, inner, number(), x.bound * 16);
  } else if (way === 2) {
    const [low, high] = scope.choose([
      [-1, 1],
      [0, 6],
      [undefined, 2],
      [-2, undefined],
    ] as const);
    clip(scope, clip(scope, x, low, high), scope.choose([-0.5, undefined]), scope.choose([0.5, undefined]));
  } else if (way === 3) {
    const bound = (value: number) => scope.scalar(x.type, value);
    const first = scope.choose(['Min', 'Max']);
    either(scope, scope.choose(['Min', 'Max']), either(scope, first, x, bound(scope.choose([1, -0.5]))), bound(0.75));
  } else if (way === 4) {
    const relu = scope.same('Relu', [x]);
    if (scope.chance(0.5)) clip(scope, relu, scope.choose([0, -1, 0.5]), 6);
    else scope.same('Relu', [clip(scope, x, scope.choose([0, -1]), 3)]);
  } else if (way === 5) binary(scope, 'Mul', x, scope.same('Reciprocal', [positive(scope, tame(scope, x))], 2));
  else {
    const negative = scope.same('Neg', [x]);
    const other = scope.pick((item) => item.type === x.type && sameSizes(item.sizes, x.sizes)) ?? x;
    binary(scope, scope.choose(['Add', 'Sub', 'Mul']), other, negative);
  }
  return true;
};

const several: Block = (scope) => {
  const x = scope.pick((item) => item.type === 'float');
  if (!x) return false;
  const op = scope.choose(['Sum', 'Mean', 'Max', 'Min']);
  const others = Array.from({ length: scope.below(3) }, () => scope.tensor('float', x.sizes));
  scope.same(op, [x, ...others], x.bound * 3);
  return true;
};

/** Casts, alone and in chains. Only exact values become whole numbers: rounding must not depend on the last bit. */
const cast: Block = (scope) => {
  const x = scope.pick((item) => item.type !== 'string');
  if (!x) return false;
  let current = x;
  for (let left = 1 + scope.below(3); left > 0; left--) {
    const types: readonly ElementType[] = isFloat(current.type)
      ? current.exact
        ? ['float', 'double', 'float16', 'int32', 'int64', 'bool']
        : ['float', 'double', 'float16']
      : ['float', 'double', 'int32', 'int64', 'bool'];
    current = castTo(scope, current, scope.chance(0.25) ? current.type : scope.choose(types));
  }
  return true;
};

const TYPE_CODE: Readonly<Record<ElementType, number>> = {
  float: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  double: 11,
};

export function castTo(scope: Scope, x: Item, type: ElementType): Item {
  const result = scope.node('Cast', [x], { type, sizes: x.sizes, bound: x.bound }, `to = ${TYPE_CODE[type]}`);
  if (!x.exact || type === 'float16') return result;
  // Widening and whole numbers keep exactness, which `node` cannot see.
  const known = { ...result, exact: true };
  scope.items[scope.items.length - 1] = known;
  return known;
}

/** Comparisons and logic over exact values, and Where. */
const logic: Block = (scope) => {
  const a = scope.pick((item) => item.exact && (item.type === 'int64' || (item.type === 'float' && scope.opset >= 11)));
  if (!a) return false;
  const b = scope.chance(0.5)
    ? broadcastConstant(scope, a)
    : scope.scalar(a.type, scope.choose(a.type === 'float' ? [0, 0.5, 1] : [0, 1, 2]));
  const bool = (op: string, inputs: Item[], sizes = inputs[0]?.sizes ?? []): Item =>
    scope.node(op, inputs, { type: 'bool', sizes, bound: 1 });
  let condition = bool(
    scope.choose(['Less', 'Greater', 'Equal', 'LessOrEqual', 'GreaterOrEqual'].slice(0, scope.opset >= 12 ? 5 : 3)),
    [a, b],
    broadcast(a.sizes, b.sizes),
  );
  if (scope.chance(0.6)) condition = bool('Not', [condition]);
  if (scope.chance(0.4)) condition = bool('Not', [condition]);
  const other = scope.pick((item) => item.type === 'bool' && sameSizes(item.sizes, condition.sizes));
  if (other && scope.chance(0.5)) condition = bool(scope.choose(['And', 'Or', 'Xor']), [condition, other]);
  const x = scope.pick((item) => floats(item) && broadcast(item.sizes, condition.sizes) !== undefined);
  if (!x) return true;
  const y = scope.chance(0.5) ? scope.scalar(x.type, scope.choose([0, -10])) : scope.tensor(x.type, x.sizes);
  const sizes = broadcast(condition.sizes, x.sizes) ?? x.sizes;
  const inputs = scope.chance(0.5) ? [condition, x, y] : [condition, y, x];
  scope.node('Where', inputs, { type: x.type, sizes, bound: Math.max(x.bound, y.bound) });
  return true;
};

/** Operators on whole numbers. */
const whole: Block = (scope) => {
  const x = scope.pick((item) => item.type === 'int64' && item.bound < 50);
  if (!x) return false;
  const other = scope.scalar('int64', scope.choose([1, 2, 3]));
  const op = scope.choose(['Add', 'Mul', 'Sub', 'Div', 'Mod', 'Max', 'Min']);
  if ((op === 'Mod' && scope.opset < 10) || (scope.opset < 12 && (op === 'Max' || op === 'Min'))) return false;
  binary(scope, op, x, other);
  return true;
};

const dropout: Block = (scope) => {
  const x = scope.pick((item) => item.type === 'float');
  if (!x) return false;
  if (scope.opset < 12) scope.same('Dropout', [x], x.bound, 'ratio = 0.3');
  else {
    const ratio = scope.chance(0.6) ? scope.values('float', [], [0.5]) : undefined;
    const training = ratio && scope.chance(0.3) ? scope.values('bool', [], [0]) : undefined;
    scope.same('Dropout', [x, ...(ratio ? [ratio] : []), ...(training ? [training] : [])]);
  }
  return true;
};

export const ELEMENTWISE: readonly Block[] = [
  unary,
  unary,
  guarded,
  arithmetic,
  arithmetic,
  arithmetic,
  neutral,
  neutral,
  chained,
  chained,
  several,
  cast,
  logic,
  whole,
  dropout,
];
