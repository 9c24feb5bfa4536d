/** Branches, loops and local functions around smaller graphs. */
import { broadcastConstant, ELEMENTWISE, smooth } from './elementwise.js';
import { batchNormalization, LINEAR } from './linear.js';
import { binary, clip, either, floats, transpose, unsqueeze } from './operators.js';
import { PATTERNS } from './patterns.js';
import { type Block, fixed, type Item, isFixed, Scope, type Size, sameSizes } from './scope.js';
import { SHAPES } from './shapes.js';

/** Steps that keep type and sizes. */
function keeping(scope: Scope, x: Item, steps: number): Item {
  let y = x;
  for (let left = steps; left > 0; left--) {
    const way = scope.below(5);
    if (way === 0) y = binary(scope, scope.choose(['Add', 'Mul']), y, scope.constant(y.type, []), y.bound * 2);
    else if (way === 1) y = scope.same('Identity', [y]);
    else if (way === 2) y = either(scope, 'Add', y, x);
    else y = smooth(scope, y);
  }
  return y;
}

/** Anything at all inside, then the steps that give the output. Its name belongs to the inner graph alone. */
function fill(inner: Scope, x: Item): Item {
  const blocks = [...ELEMENTWISE, ...SHAPES, ...LINEAR, ...PATTERNS];
  for (let left = inner.below(3); left > 0; left--) inner.choose(blocks)(inner);
  const start = inner.chance(0.4) ? continued(inner, x) : x;
  const y = keeping(inner, start, (start === x ? 1 : 0) + inner.below(3));
  return inner.items.includes(y) ? y : inner.same('Identity', [y]);
}

/** What would be merged into the node that gives `x`, if that stood in the same graph. */
function continued(inner: Scope, x: Item): Item {
  const channels = x.sizes[1];
  const way = inner.below(5);
  if (way === 0 && x.sizes.length === 4 && channels && isFixed(channels)) return batchNormalization(inner, x);
  if (way === 1) return inner.same('Relu', [x]);
  if (way === 2) return clip(inner, x, 0, 6);
  if (way === 3 && x.sizes.length >= 2) {
    const perm = x.sizes.map((_, axis) => x.sizes.length - 1 - axis);
    return transpose(inner, transpose(inner, x, perm), perm);
  }
  return binary(inner, inner.choose(['Add', 'Mul']), x, broadcastConstant(inner, x));
}

/** The last value of a layer that was added for it, which nothing else reads yet, or any value. */
function enteringValue(scope: Scope): Item | undefined {
  if (scope.chance(0.4)) {
    const known = scope.items.length;
    scope.choose([...LINEAR, ...SHAPES])(scope);
    const last = scope.items.slice(known).findLast(fitsBody);
    if (last && !scope.used.has(last.name)) return last;
  }
  return scope.pick(fitsBody);
}

const fitsBody = ({ type, sizes, bound }: Item): boolean => type === 'float' && bound <= 50 && sizes.length <= 4;

const value = (scope: Scope): Item | undefined => scope.pick(fitsBody);

const branches: Block = (scope) => {
  const x = enteringValue(scope);
  if (!x || depth(scope) > 1) return false;
  const condition = conditionOf(scope, x);
  const body = (name: string): string => {
    const inner = new Scope(scope.program, 'subgraph', scope);
    const y = fill(inner, x);
    return inner.body(name, [], [`${inner.typeText(y)} ${y.name}`]);
  };
  const attributes = `then_branch: graph = ${body('yes')}, else_branch: graph = ${body('no')}`;
  scope.use(condition.name);
  scope.multi('If', [condition], [{ type: x.type, sizes: x.sizes, bound: 100 }], attributes);
  return true;
};

function conditionOf(scope: Scope, x: Item): Item {
  const way = scope.below(4);
  if (way === 0) return scope.values('bool', [], [scope.below(2)]);
  if (way === 1)
    return scope.pick(({ type, sizes }) => type === 'bool' && sizes.length === 0) ?? scope.fresh('bool', []);
  if (way === 2 && x.sizes.length > 0) {
    const shape = scope.node('Shape', [x], { type: 'int64', sizes: [fixed(x.sizes.length)], bound: 12 });
    const size = scope.node('Gather', [shape, scope.scalar('int64', 0, 0)], { type: 'int64', sizes: [], bound: 12 });
    return scope.node(scope.choose(['Equal', 'Greater']), [size, scope.scalar('int64', scope.choose([1, 2]), 0)], {
      type: 'bool',
      sizes: [],
      bound: 1,
    });
  }
  return scope.node('Not', [scope.values('bool', [], [scope.below(2)])], { type: 'bool', sizes: [], bound: 1 });
}

function depth(scope: Scope): number {
  return scope.parent && scope.kind === 'subgraph' ? 1 + depth(scope.parent) : 0;
}

const loop: Block = (scope) => {
  const x = value(scope);
  if (!x || depth(scope) > 0 || scope.kind === 'function') return false;
  const count = scope.choose([1, 2, 3]);
  const trips = scope.chance(0.6) ? scope.scalar('int64', count, 0) : scope.fresh('int64', []);
  const inner = new Scope(scope.program, 'subgraph', scope);
  const iteration: Item = { name: inner.name('i'), type: 'int64', sizes: [], exact: true, constant: false, bound: 4 };
  const before: Item = { name: inner.name('b'), type: 'bool', sizes: [], exact: true, constant: false, bound: 1 };
  const state: Item = {
    name: inner.name('t'),
    type: x.type,
    sizes: x.sizes,
    exact: false,
    constant: false,
    bound: x.bound,
  };
  inner.items.push(iteration, before, state);
  const next = inner.same('Identity', [before]);
  const y = inner.same('Tanh', [fill(inner, state)], 1);
  const gathered = trips.constant && inner.chance(0.5) ? [inner.same('Relu', [y])] : [];
  const text = (item: Item): string => `${inner.typeText(item)} ${item.name}`;
  const body = inner.body('body', [iteration, before, state].map(text), [next, y, ...gathered].map(text));
  const condition = scope.chance(0.5) ? scope.values('bool', [], [1]) : undefined;
  const results = [x.sizes, ...gathered.map(() => [fixed(count), ...x.sizes])].map((sizes) => ({
    type: x.type,
    sizes,
    bound: 2,
  }));
  scope.multi('Loop', [trips, condition, x], results, `body: graph = ${body}`);
  return true;
};

const scan: Block = (scope) => {
  const x = scope.pick(
    ({ type, sizes, bound }) =>
      type === 'float' && bound <= 50 && sizes.length === 3 && sizes.every(([a, b]) => a > 0 && b > 0),
  );
  if (!x || depth(scope) > 0 || scope.kind === 'function') return false;
  const [s, ...rest] = x.sizes as [Size, ...Size[]];
  const inner = new Scope(scope.program, 'subgraph', scope);
  const state: Item = { name: inner.name('t'), type: 'float', sizes: rest, exact: false, constant: false, bound: 4 };
  const step: Item = {
    name: inner.name('t'),
    type: 'float',
    sizes: rest,
    exact: false,
    constant: false,
    bound: x.bound,
  };
  inner.items.push(state, step);
  const next = inner.same('Tanh', [either(inner, 'Add', state, step)], 1);
  const out = keeping(inner, next, 1);
  const last = inner.same('Identity', [out]);
  const text = (item: Item): string => `${inner.typeText(item)} ${item.name}`;
  const body = inner.body('body', [text(state), text(step)], [text(next), text(last)]);
  const results = [
    { type: 'float', sizes: rest, bound: 1 },
    { type: 'float', sizes: [s, ...rest], bound: 8 },
  ] as const;
  scope.multi('Scan', [scope.tensor('float', rest), x], results, `num_scan_inputs = 1, body: graph = ${body}`);
  return true;
};

/** A local function, called once or twice with values of one shape. */
const localFunction: Block = (scope) => {
  const x = value(scope);
  if (!x || scope.kind === 'function' || !floats(x) || scope.program.constantsAreInputs) return false;
  const { program } = scope;
  const body = new Scope(program, 'function');
  const parameter: Item = {
    name: body.name('p'),
    type: x.type,
    sizes: x.sizes,
    exact: false,
    constant: false,
    bound: x.bound,
  };
  body.items.push(parameter);
  const slope = body.chance(0.3);
  const start = slope ? body.same('LeakyRelu', [parameter], x.bound, 'alpha: float = @slope') : parameter;
  const y = fill(body, start);
  const name = `F${program.names++}`;
  const declared = slope ? ' <slope: float = 0.25>' : '';
  const domain = 'local';
  program.domains.add(domain);
  program.functionTexts.push(
    `<domain: "${domain}", opset_import: ["": ${program.opset}]>\n${name}${declared} (${parameter.name}) => (${y.name}) {\n  ${body.lines.join('\n  ')}\n}`,
  );
  const result = { type: x.type, sizes: x.sizes, bound: 100 };
  const attributes = slope && scope.chance(0.5) ? 'slope = 0.5' : '';
  const first = scope.node(`${domain}.${name}`, [x], result, attributes);
  if (scope.chance(0.4)) {
    const other = scope.pick((item) => item.type === x.type && sameSizes(item.sizes, x.sizes)) ?? first;
    scope.node(`${domain}.${name}`, [other], result);
  }
  return true;
};

/** Nodes that nobody reads, and values that leave as they came. */
const dead: Block = (scope) => {
  const x = value(scope);
  if (!x) return false;
  const size = scope.items.length;
  keeping(scope, unsqueeze(scope, x, [0]), 2);
  // Nothing may build on them, nor may they become outputs.
  for (const item of scope.items.splice(size)) scope.use(item.name);
  return true;
};

export const CONTROL: readonly Block[] = [branches, branches, loop, scan, localFunction, localFunction, dead];
