/** An operator after another of its kind, and operators with nothing to do. */
import { broadcast, floats, pad, reduce, slice } from './operators.js';
import { type Block, fixed, type Item, isFixed, type Scope, type Size } from './scope.js';

const filled = (item: Item): boolean => item.sizes.every(([a, b]) => a > 0 && b > 0);

/** Gather of a Gather or of a Slice, and a Slice of a Gather. */
const gathers: Block = (scope) => {
  const x = scope.pick(
    (item) => item.type !== 'string' && filled(item) && item.sizes.some(([a, b]) => Math.min(a, b) >= 3),
  );
  if (!x) return false;
  const axis = x.sizes.findIndex(([a, b]) => Math.min(a, b) >= 3);
  const least = Math.min(...(x.sizes[axis] as Size));
  const gather = (from: Item, count: number, among: number): Item => {
    const indices = scope.ints(
      Array.from({ length: count }, () => scope.below(among) - (scope.chance(0.2) ? among : 0)),
    );
    const sizes = from.sizes.map((size, at) => (at === axis ? fixed(count) : size));
    return scope.node('Gather', [from, indices], { type: from.type, sizes }, `axis = ${axis}`);
  };
  const way = scope.below(3);
  if (way === 0) gather(gather(x, 3, least), 2, 3);
  else if (way === 1) gather(slice(scope, x, [{ axis, start: 1 }]), 2, least - 1);
  else slice(scope, gather(x, 4, least), [{ axis, start: scope.choose([0, 1, -3]), end: scope.choose([3, -1]) }]);
  return true;
};

/** A reduction of a reduction. */
const reductions: Block = (scope) => {
  const x = scope.pick((item) => item.type === 'float' && filled(item) && item.sizes.length >= 2);
  if (!x) return false;
  const op = scope.choose(['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceL2', 'ReduceProd']);
  const keep = scope.chance(0.5);
  const first = reduce(
    scope,
    scope.choose([op, op, 'ReduceSumSquare', 'ReduceL1']),
    x,
    [scope.below(x.sizes.length)],
    keep,
  );
  reduce(scope, op, first, [scope.below(first.sizes.length)], scope.chance(0.7) ? keep : !keep);
  return true;
};

const pads: Block = (scope) => {
  const x = scope.pick((item) => item.type === 'float' && item.sizes.length >= 1 && item.sizes.length <= 4);
  if (!x) return false;
  const mode = scope.choose(['', '', 'constant', 'edge']);
  const amounts = (): number[] => [...x.sizes, ...x.sizes].map(() => scope.choose([0, 0, 1, 2]));
  const fill = (): number | undefined => (mode === 'edge' ? undefined : scope.choose([undefined, 0, 0, 1]));
  if (mode === 'edge' && !filled(x)) return false;
  pad(scope, pad(scope, x, amounts(), fill(), mode), amounts(), fill(), mode);
  return true;
};

/** A choice within a choice, by the same condition or another. */
const choices: Block = (scope) => {
  const x = scope.pick((item) => floats(item));
  if (!x) return false;
  const conditions = (item: Item): boolean => item.type === 'bool' && broadcast(item.sizes, x.sizes) !== undefined;
  const condition = scope.pick(conditions) ?? scope.fresh('bool', x.sizes);
  const sizes = broadcast(condition.sizes, x.sizes) ?? x.sizes;
  const y = scope.tensor(x.type, sizes);
  const where = (given: Item, a: Item, b: Item): Item =>
    scope.node('Where', [given, a, b], { type: x.type, sizes, bound: Math.max(a.bound, b.bound) });
  const inner = where(condition, x, y);
  const other = scope.chance(0.5) ? scope.scalar(x.type, 0) : y;
  const again = scope.chance(0.8) ? condition : (scope.pick(conditions) ?? condition);
  if (broadcast(again.sizes, sizes)?.length !== sizes.length) return true;
  if (scope.chance(0.5)) where(again, inner, other);
  else where(again, other, inner);
  return true;
};

/** A Split into one part, a Resize to the same or twice the size, a Concat of one, a Sum of one. */
const idle: Block = (scope) => {
  const x = scope.pick((item) => item.type === 'float' && filled(item) && item.sizes.length >= 1);
  if (!x) return false;
  const way = scope.below(4);
  if (way === 0) {
    const axis = scope.below(x.sizes.length);
    const size = x.sizes[axis] as Size;
    if (!isFixed(size)) return false;
    const inputs = scope.opset >= 13 ? [x, scope.ints([size[0]])] : [x];
    scope.multi('Split', inputs, [{ type: 'float', sizes: x.sizes, bound: x.bound }], `axis = ${axis}`);
  } else if (way === 1 && x.sizes.length === 4 && scope.opset >= 13) resize(scope, x);
  else if (way === 2) scope.same('Concat', [x], x.bound, `axis = ${scope.below(x.sizes.length)}`);
  else scope.same(scope.choose(['Sum', 'Mean', 'Max', 'Min']), [x]);
  return true;
};

function resize(scope: Scope, x: Item): void {
  const factor = scope.choose([1, 1, 2]);
  const [n, c, h, w] = x.sizes as [Size, Size, Size, Size];
  const grown = ([a, b]: Size): Size => [a * factor, b * factor];
  const scales = scope.values('float', [4], [1, 1, factor, factor]);
  const mode = scope.choose(['mode = "nearest"', 'mode = "linear"', 'coordinate_transformation_mode = "asymmetric"']);
  scope.node('Resize', [x, undefined, scales], { type: 'float', sizes: [n, c, grown(h), grown(w)] }, mode);
}

/** Operators with several outputs, not all of which are read. */
const outputs: Block = (scope) => {
  const x = scope.pick((item) => item.type === 'float' && item.exact && filled(item) && item.sizes.length >= 2);
  if (!x) return false;
  const way = scope.below(3);
  const last = x.sizes.at(-1) as Size;
  if (way === 0 && isFixed(last) && scope.opset >= 11) {
    const sizes = [...x.sizes.slice(0, -1), fixed(1)];
    const results = [
      { type: 'float', sizes },
      { type: 'int64', sizes, bound: last[0] },
    ] as const;
    scope.multi('TopK', [x, scope.ints([1])], results);
  } else if (way === 1 && scope.opset >= 17 && isFixed(last)) {
    const sizes = [...x.sizes.slice(0, -1), fixed(1)];
    const results = [
      { type: 'float', sizes: x.sizes, bound: 8 },
      { type: 'float', sizes },
      { type: 'float', sizes, bound: 150 },
    ] as const;
    scope.multi('LayerNormalization', [x, scope.constant('float', [last[0]])], results);
  } else if (scope.opset >= 12) {
    const results = [
      { type: 'float', sizes: x.sizes, bound: x.bound },
      { type: 'bool', sizes: x.sizes },
    ] as const;
    scope.multi('Dropout', [x], results);
  }
  return true;
};

/** A cast to the type of something else, a scatter over all rows, rows of a table that are all the same. */
const roundabout: Block = (scope) => {
  const x = scope.pick((item) => floats(item) && filled(item) && item.sizes.length >= 1);
  if (!x) return false;
  const way = scope.below(3);
  if (way === 0 && scope.opset >= 15) {
    const like = scope.choose([scope.scalar('float', 1), scope.scalar('double', 1), x]);
    const given = scope.choose([x, scope.scalar('float', 0.5), scope.scalar('int64', 2)]);
    scope.node('CastLike', [given, like], { type: like.type, sizes: given.sizes, bound: given.bound });
  } else if (way === 1 && scope.opset >= 11) {
    const [rows] = x.sizes as [Size, ...Size[]];
    if (!isFixed(rows)) return false;
    const order = Array.from({ length: rows[0] }, (_, at) => (scope.chance(0.05) ? 0 : at));
    const indices = scope.values('int64', [rows[0], 1], order);
    scope.node('ScatterND', [x, indices, scope.tensor(x.type, x.sizes)], { type: x.type, sizes: x.sizes });
  } else if (x.type === 'float') {
    const lead = x.sizes.slice(0, -1);
    const last = x.sizes.at(-1) as Size;
    if (!lead.every(isFixed) || !isFixed(last)) return false;
    const dims = lead.map(([size]) => size);
    const ids = scope.values('int64', dims, new Array<number>(dims.reduce((a, b) => a * b, 1)).fill(scope.below(3)));
    const rows = scope.node('Gather', [scope.constant('float', [3, last[0]]), ids], { type: 'float', sizes: x.sizes });
    scope.same('Add', [x, rows], x.bound + 2);
  }
  return true;
};

export const PAIRS: readonly Block[] = [
  gathers,
  reductions,
  pads,
  choices,
  idle,
  idle,
  outputs,
  roundabout,
  roundabout,
];
