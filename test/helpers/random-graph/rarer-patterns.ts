/** Layers that few exporters write out, or that came late as operators. */
import { castTo } from './elementwise.js';
import { rows } from './linear.js';
import { binary, either, reduce, tame } from './operators.js';
import { type Block, type Item, isFixed, type Size } from './scope.js';

/** One slope, or one for each place, for negative values. */
export const slopes: Block = (scope) => {
  const x = tame(scope, rows(scope), 30);
  const scalar = (value: number): Item => scope.scalar(x.type, value);
  const slope = scope.choose([0.1, 0.3, -0.2, 1.5]);
  const width = x.sizes.at(-1) as Size;
  const factor = scope.chance(0.8) || !isFixed(width) ? scalar(slope) : scope.constant(x.type, [width[0]]);
  const way = scope.below(4);
  if (way === 0) {
    scope.node('PRelu', [x, factor], { type: x.type, sizes: x.sizes, bound: 2 * x.bound });
  } else if (way === 1) {
    const scaled = either(scope, 'Mul', x, factor, 2 * x.bound);
    if (scope.opset >= 12 || x.type === 'float') either(scope, 'Max', x, scaled, 2 * x.bound);
  } else if (way === 2 && scope.opset >= 9) {
    const scaled = either(scope, 'Mul', x, factor, 2 * x.bound);
    const threshold = scalar(scope.chance(0.9) ? 0 : 0.5);
    const above = scope.chance(0.5);
    const condition = scope.node(above ? 'Greater' : 'Less', [x, threshold], { type: 'bool', sizes: x.sizes });
    const result = { type: x.type, sizes: x.sizes, bound: 2 * x.bound };
    scope.node('Where', above ? [condition, x, scaled] : [condition, scaled, x], result);
  } else {
    const negative = scope.same('Relu', [scope.same('Neg', [x])]);
    const scaled = either(scope, 'Mul', negative, factor, 2 * x.bound);
    binary(scope, scope.choose(['Add', 'Sub']), scope.same('Relu', [x]), scaled, 3 * x.bound);
  }
  return true;
};

/** Means over all axes but two. */
export const instanceNormalization: Block = (scope) => {
  const x = scope.pick(
    ({ type, sizes, bound }) =>
      type === 'float' && bound <= 50 && sizes.length >= 3 && sizes.every(([a, b]) => a > 0 && b > 0),
  );
  if (!x) return false;
  const axes = [...x.sizes.keys()].slice(2);
  const centred = binary(scope, 'Sub', x, reduce(scope, 'ReduceMean', x, axes, true));
  const squared = binary(scope, 'Mul', centred, centred, x.bound ** 2);
  const sum = either(scope, 'Add', reduce(scope, 'ReduceMean', squared, axes, true), scope.scalar('float', 1e-3));
  const normal = binary(scope, 'Div', centred, scope.same('Sqrt', [sum]), 20);
  const channels = x.sizes[1] as Size;
  if (!isFixed(channels) || scope.chance(0.2)) return true;
  const byChannel = (): Item => scope.constant('float', [channels[0], ...axes.map(() => 1)]);
  const scaled = scope.chance(0.8) ? either(scope, 'Mul', normal, byChannel(), 30) : normal;
  if (scope.chance(0.8)) either(scope, 'Add', scaled, byChannel(), 40);
  return true;
};

/** Softmax in float between casts. */
export const narrowSoftmax: Block = (scope) => {
  const x = tame(scope, rows(scope), 10);
  const wide = castTo(scope, castTo(scope, x, 'float16'), 'float');
  const result = scope.same(scope.choose(['Softmax', 'LogSoftmax']), [wide], 10, `axis = ${x.sizes.length - 1}`);
  castTo(scope, castTo(scope, result, 'float16'), 'float');
  return true;
};
