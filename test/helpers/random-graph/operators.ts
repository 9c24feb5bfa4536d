/** Operators whose spelling depends on the operator set, and a few that need their sizes computed. */
import { fixed, type Item, isFixed, ONE, product, type Scope, type Size, type Sizes, sameSize } from './scope.js';

export const INT64_MAX = 9223372036854775807n;

export const floats = (item: Item): boolean => item.type === 'float' || item.type === 'double';
export const anyFloat = (item: Item): boolean => floats(item) || item.type === 'float16';

/** An axis from the front or, as often, from the back. */
export const axisText = (scope: Scope, axis: number, rank: number): number =>
  scope.opset < 11 || scope.chance(0.5) ? axis : axis - rank;

export function squeeze(scope: Scope, x: Item, axes: readonly number[]): Item {
  const sizes = x.sizes.filter((_, axis) => !axes.includes(axis));
  const written = axes.map((axis) => axisText(scope, axis, x.sizes.length));
  return scope.opset >= 13
    ? scope.node('Squeeze', [x, scope.ints(written)], { type: x.type, sizes })
    : scope.node('Squeeze', [x], { type: x.type, sizes }, `axes = [${written.join(',')}]`);
}

/** @param axes places in the result, in any order */
export function unsqueeze(scope: Scope, x: Item, axes: readonly number[]): Item {
  const sizes: Size[] = [...x.sizes];
  for (const axis of [...axes].sort((a, b) => a - b)) sizes.splice(axis, 0, ONE);
  const written = axes.map((axis) => axisText(scope, axis, sizes.length));
  return scope.opset >= 13
    ? scope.node('Unsqueeze', [x, scope.ints(written)], { type: x.type, sizes })
    : scope.node('Unsqueeze', [x], { type: x.type, sizes }, `axes = [${written.join(',')}]`);
}

export function reduce(scope: Scope, op: string, x: Item, axes: readonly number[], keep: boolean): Item {
  const sizes = x.sizes.flatMap((size, axis) => (axes.includes(axis) ? (keep ? [ONE] : []) : [size]));
  const written = axes.map((axis) => axisText(scope, axis, x.sizes.length));
  const keepText = keep && scope.chance(0.5) ? '' : `keepdims = ${keep ? 1 : 0}`;
  const result = { type: x.type, sizes, bound: /Sum|L1|L2|Prod/.test(op) ? x.bound * 8 : x.bound };
  if (scope.opset >= 18 || (op === 'ReduceSum' && scope.opset >= 13))
    return scope.node(op, [x, scope.ints(written)], result, keepText);
  return scope.node(op, [x], result, `axes = [${written.join(',')}]${keepText === '' ? '' : `, ${keepText}`}`);
}

export function transpose(scope: Scope, x: Item, perm: readonly number[]): Item {
  const sizes = perm.map((axis) => x.sizes[axis] as Size);
  const reversed = perm.every((axis, at) => axis === perm.length - 1 - at);
  const attributes = reversed && scope.chance(0.5) ? '' : `perm = [${perm.join(',')}]`;
  return scope.node('Transpose', [x], { type: x.type, sizes }, attributes);
}

/** A slice of fixed bounds along some axes; `ends` of undefined reach to the end. */
export function slice(
  scope: Scope,
  x: Item,
  cuts: readonly { readonly axis: number; readonly start: number; readonly end?: number; readonly step?: number }[],
): Item {
  const sizes = [...x.sizes];
  for (const { axis, start, end, step = 1 } of cuts) {
    const cut = (size: number): number => {
      const from = Math.min(start < 0 ? start + size : start, size);
      const to = Math.min(end === undefined ? size : end < 0 ? end + size : end, size);
      return Math.max(0, Math.ceil((to - from) / step));
    };
    const [a, b] = sizes[axis] as Size;
    sizes[axis] = [cut(a), cut(b)];
  }
  const far = scope.choose([2 ** 31 - 1, INT64_MAX, 1000]);
  const lists = [cuts.map((cut) => cut.start), cuts.map((cut) => cut.end ?? far)];
  const axes = cuts.map((cut) => axisText(scope, cut.axis, x.sizes.length));
  const steps = cuts.map((cut) => cut.step ?? 1);
  const plain = steps.every((step) => step === 1) && (scope.opset < 10 || scope.chance(0.5));
  if (scope.opset < 10) {
    const [starts, ends] = lists.map((list) => list.join(',')) as [string, string];
    const attributes = `starts = [${starts}], ends = [${ends}], axes = [${axes.join(',')}]`;
    return scope.node('Slice', [x], { type: x.type, sizes }, attributes);
  }
  const inputs = [x, ...lists.map((list) => scope.ints(list)), scope.ints(axes), ...(plain ? [] : [scope.ints(steps)])];
  return scope.node('Slice', inputs, { type: x.type, sizes });
}

export function concat(scope: Scope, items: readonly Item[], axis: number): Item {
  const [first] = items as [Item];
  const sizes = [...first.sizes];
  sizes[axis] = items.reduce<Size>(
    ([a, b], item) => [a + (item.sizes[axis] as Size)[0], b + (item.sizes[axis] as Size)[1]],
    [0, 0],
  );
  const attributes = `axis = ${axisText(scope, axis, sizes.length)}`;
  return scope.node('Concat', items, { type: first.type, sizes }, attributes);
}

/** Equal or given parts of a fixed size. */
export function split(scope: Scope, x: Item, axis: number, parts: readonly number[]): Item[] {
  const results = parts.map((part) => ({
    type: x.type,
    sizes: x.sizes.map((size, at) => (at === axis ? fixed(part) : size)),
  }));
  const axisWord = `axis = ${axisText(scope, axis, x.sizes.length)}`;
  const equal = parts.every((part) => part === parts[0]);
  if (scope.opset < 13) return scope.multi('Split', [x], results, `${axisWord}, split = [${parts.join(',')}]`);
  if (equal && scope.opset >= 18 && scope.chance(0.5))
    return scope.multi('Split', [x], results, `${axisWord}, num_outputs = ${parts.length}`);
  if (equal && scope.opset < 18 && scope.chance(0.5)) return scope.multi('Split', [x], results, axisWord);
  return scope.multi('Split', [x, scope.ints(parts)], results, axisWord);
}

/**
 * A Pad by amounts before all axes, then after all axes. A fill that is not given is not written.
 * @param mode `''`, `constant`, `edge` or `reflect`
 */
export function pad(scope: Scope, x: Item, amounts: readonly number[], fill: number | undefined, mode: string): Item {
  const rank = x.sizes.length;
  const sizes = x.sizes.map(([a, b], axis): Size => {
    const more = (amounts[axis] ?? 0) + (amounts[axis + rank] ?? 0);
    return [a + more, b + more];
  });
  const result = { type: x.type, sizes, bound: Math.max(x.bound, Math.abs(fill ?? 0)) };
  const attributes = mode === '' ? [] : [`mode = "${mode}"`];
  if (scope.opset < 11) {
    const value = fill === undefined ? [] : [`value: float = ${fill}`];
    return scope.node('Pad', [x], result, [`pads = [${amounts.join(',')}]`, ...value, ...attributes].join(', '));
  }
  const value = fill === undefined ? [] : [scope.scalar(x.type, fill, 0)];
  return scope.node('Pad', [x, scope.ints(amounts), ...value], result, attributes.join());
}

export function clip(scope: Scope, x: Item, low: number | undefined, high: number | undefined): Item {
  if (scope.opset < 12 && x.type !== 'float') return scope.same('Tanh', [x], 1);
  if (scope.opset < 11) {
    const sides = [
      ...(low === undefined ? [] : [`min: float = ${low}`]),
      ...(high === undefined ? [] : [`max: float = ${high}`]),
    ];
    const most = Math.max(Math.abs(low ?? x.bound), Math.abs(high ?? x.bound), 1);
    return scope.same('Clip', [x], most, sides.join(', '));
  }
  const side = (value: number | undefined) => (value === undefined ? undefined : scope.scalar(x.type, value, 0));
  const inputs = [x, side(low), side(high)] as const;
  const bound = Math.max(Math.abs(low ?? x.bound), Math.abs(high ?? x.bound), 1);
  if (high !== undefined) return scope.same('Clip', inputs, bound);
  return scope.same('Clip', low === undefined ? [x] : [x, inputs[1]], bound);
}

/** The sizes that two shapes broadcast to; undefined where they do not in both ways of feeding. */
export function broadcast(a: Sizes, b: Sizes): Sizes | undefined {
  const rank = Math.max(a.length, b.length);
  const sizes: Size[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - rank + a.length] ?? ONE;
    const right = b[axis - rank + b.length] ?? ONE;
    if (sameSize(left, right) || sameSize(right, ONE)) sizes.push(left);
    else if (sameSize(left, ONE)) sizes.push(right);
    else return undefined;
  }
  return sizes;
}

export function binary(scope: Scope, op: string, a: Item, b: Item, bound?: number): Item {
  const sizes = broadcast(a.sizes, b.sizes) ?? a.sizes;
  const most =
    bound ??
    (op === 'Mul' ? a.bound * b.bound : op === 'Max' || op === 'Min' ? Math.max(a.bound, b.bound) : a.bound + b.bound);
  return scope.node(op, [a, b], { type: a.type, sizes, bound: most });
}

/** The commutative operator with its operands in either order. */
export const either = (scope: Scope, op: string, a: Item, b: Item, bound?: number): Item =>
  scope.chance(0.5) ? binary(scope, op, a, b, bound) : binary(scope, op, b, a, bound);

/** A value brought to a tame range. */
export function tame(scope: Scope, x: Item, most = 8): Item {
  if (x.bound <= most) return x;
  return scope.chance(0.5) ? scope.same('Tanh', [x], 1) : clip(scope, x, -2, 2);
}

/** A value above zero. */
export function positive(scope: Scope, x: Item): Item {
  const above = scope.choose(['Abs', 'Sigmoid', 'Square']);
  const base = above === 'Square' ? binary(scope, 'Mul', tame(scope, x), x) : scope.same(above, [x]);
  return either(scope, 'Add', base, scope.scalar(x.type, 0.5, 0));
}

/** One-dimensional int64 of the sizes that are asked for, computed where they depend on the feeds. */
export function sizeVector(scope: Scope, like: Item, sizes: Sizes): Item | undefined {
  const parts: Item[] = [];
  for (const size of sizes) {
    if (isFixed(size)) {
      parts.push(scope.ints([size[0]]));
      continue;
    }
    const source = scope.pick((item) => item.sizes.some((other) => sameSize(other, size))) ?? like;
    const axis = source.sizes.findIndex((other) => sameSize(other, size));
    if (axis < 0) return undefined;
    parts.push(oneSize(scope, source, axis));
  }
  return parts.length === 1 ? parts[0] : concat(scope, parts, 0);
}

/** Size `axis` of a value as an int64[1], in one of the ways exporters write it. */
function oneSize(scope: Scope, source: Item, axis: number): Item {
  const rank = source.sizes.length;
  const size = source.sizes[axis] as Size;
  const whole = { type: 'int64', sizes: [fixed(rank)], bound: 8 } as const;
  if (scope.opset >= 15 && scope.chance(0.15))
    return scope.node('Shape', [source], { ...whole, sizes: [ONE] }, `start = ${axis}, end = ${axis + 1}`);
  const shape = scope.node('Shape', [source], whole);
  if (scope.chance(0.3)) return slice(scope, shape, [{ axis: 0, start: axis, end: axis + 1 }]);
  if (scope.chance(0.3)) {
    const index = scope.ints([axis]);
    return scope.node('Gather', [shape, index], { type: 'int64', sizes: [ONE], bound: size[0] }, 'axis = 0');
  }
  const index = scope.scalar('int64', axisText(scope, axis, rank), 0);
  const number = scope.node('Gather', [shape, index], { type: 'int64', sizes: [], bound: size[0] }, 'axis = 0');
  return unsqueeze(scope, number, [0]);
}

/** A Reshape to other sizes with the same number of elements; undefined where its target cannot be written. */
export function reshape(scope: Scope, x: Item, sizes: Sizes): Item | undefined {
  const total = product(x.sizes);
  const wanted = product(sizes);
  if (!sameSize(total, wanted)) return undefined;
  const result = { type: x.type, sizes };
  let open = false;
  const target = sizes.map((size, axis) => {
    const kept = axis < x.sizes.length && sameSize(size, x.sizes[axis] as Size);
    if (kept && (!isFixed(size) || scope.chance(0.3)) && scope.chance(0.8)) return 0;
    if (!open && (!isFixed(size) || scope.chance(0.2)) && wanted[0] * wanted[1] > 0) {
      open = true;
      return -1;
    }
    return isFixed(size) && size[0] > 0 ? size[0] : undefined;
  });
  if (target.every((size) => size !== undefined) && scope.chance(0.8))
    return scope.node('Reshape', [x, scope.ints(target)], result);
  const vector = sizeVector(scope, x, sizes);
  return vector ? scope.node('Reshape', [x, vector], result) : undefined;
}
