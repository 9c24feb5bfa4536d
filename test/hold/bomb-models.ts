/** Models of a few kilobytes that ask for gigabytes or for ages, and large graphs of nothing. */
import { tensorType } from '../../src/ir/type.js';
import { DataType } from '../../src/tensor/dtype.js';
import { writeGraph, writeNamedNodes, writeText } from '../helpers/small-models.js';

export interface Bomb {
  readonly name: string;
  /** Writes the model; only this file is made. */
  write(path: string): void | Promise<void>;
}

function text(name: string, body: string, head?: string): Bomb {
  return { name, write: (path) => writeText(path, body, head) };
}

/** `count` steps, each written by `step` with the names of what it reads and makes. */
function chain(count: number, step: (from: string, to: string) => string): string {
  return Array.from({ length: count }, (_, index) => step(`v${index}`, `v${index + 1}`)).join(' ');
}

/** A condition that is an input, so that no branch is ever decided. */
function nestedIf(depth: number): string {
  let body = 'r0 = Relu (x)';
  for (let level = 1; level <= depth; level++) {
    const [inner, outer] = [`r${level - 1}`, `r${level}`];
    const other = level % 2 === 0 ? `e${level} = Neg (x)` : `e${level} = RandomNormalLike (x)`;
    body = `${outer} = If (c) <then_branch = t${level} () => (float[4] ${inner}) { ${body} }, else_branch = f${level} () => (float[4] e${level}) { ${other} }>`;
  }
  return `g (bool c, float[4] x) => (float[4] r${depth}) { ${body} }`;
}

/** Function k calls function k − 1 twice. */
function functionTower(depth: number): string {
  const functions = Array.from({ length: depth }, (_, level) => {
    const call = level === 0 ? 'Relu' : `my.f${level - 1}`;
    return `<domain: "my", opset_import: ["": 17, "my": 1]> f${level} (v) => (w) { u = ${call} (v) w = ${call} (u) }`;
  });
  return `g (float[4] x) => (float[4] y) { y = my.f${depth - 1} (x) } ${functions.join(' ')}`;
}

const WITH_FUNCTIONS = '<ir_version: 8, opset_import: ["": 17, "my": 1]>';

export const BOMBS: readonly Bomb[] = [
  text(
    'constant-of-shape',
    'g () => (float[] y) <int64[2] s = {65536, 65536}> { a = ConstantOfShape (s) y = ReduceSum <keepdims = 0> (a) }',
  ),
  text('expand', 'g (float[1] x) => (float[n] y) <int64[1] s = {2147483648}> { y = Expand (x, s) }'),
  text('tile', 'g (float[4] x) => (float[n] y) <int64[1] r = {1000000000}> { y = Tile (x, r) }'),
  text(
    'tile-chain',
    `g (float[4] v0) => (float[n] v9) <int64[1] r = {16}> { ${chain(9, (a, b) => `${b} = Tile (${a}, r)`)} }`,
  ),
  text('range', 'g () => (int64[n] y) <int64 a = {0}, int64 b = {1000000000}, int64 d = {1}> { y = Range (a, b, d) }'),
  text(
    'concat-doubling',
    `g (float[4] v0) => (float[n] v30) { ${chain(30, (a, b) => `${b} = Concat <axis = 0> (${a}, ${a})`)} }`,
  ),
  text(
    'concat-doubling-constant',
    `g () => (float[n] v30) <float[4] v0 = {1, 2, 3, 4}> { ${chain(30, (a, b) => `${b} = Concat <axis = 0> (${a}, ${a})`)} }`,
  ),
  text('add-doubling', `g (float[4] v0) => (float[4] v60) { ${chain(60, (a, b) => `${b} = Add (${a}, ${a})`)} }`),
  text('outer-product', 'g (float[65536,1] x, float[1,65536] z) => (float[65536,65536] y) { y = Add (x, z) }'),
  text(
    'one-hot',
    'g (int64[8] x) => (float[8,n] y) <int64 depth = {500000000}, float[2] v = {0, 1}> { y = OneHot (x, depth, v) }',
  ),
  text('einsum', 'g (float[400,400] x) => (float[a,b,c,d] y) { y = Einsum <equation = "ab,cd->abcd"> (x, x) }'),
  text('pad', 'g (float[1] x) => (float[n] y) <int64[2] p = {0, 2000000000}> { y = Pad (x, p) }'),
  text(
    'resize',
    'g (float[1,1,1,1] x) => (float[1,1,h,w] y) <int64[4] s = {1, 1, 50000, 50000}> { y = Resize (x, , , s) }',
  ),
  text(
    'non-zero',
    'g () => (int64[2,n] y) <int64[2] s = {40000, 40000}> { a = ConstantOfShape <value = float[1] {1}> (s) y = NonZero (a) }',
  ),
  text(
    'loop-doubling',
    'g (float[4] x) => (float[n] y) <int64 trips = {30}, bool go = {1}> { y = Loop (trips, go, x) <body = b (int64 i, bool c, float[n] v) => (bool c2, float[m] v2) { c2 = Identity (c) v2 = Concat <axis = 0> (v, v) }> }',
  ),
  text(
    'loop-endless',
    'g (float[4] x) => (float[4] y) <int64 trips = {9000000000000000}, bool go = {1}> { y = Loop (trips, go, x) <body = b (int64 i, bool c, float[4] v) => (bool c2, float[4] v2) { c2 = Identity (c) v2 = Relu (v) }> }',
  ),
  text('nested-if-25', nestedIf(25)),
  text('nested-if-60', nestedIf(60)),
  text('function-tower', functionTower(28), WITH_FUNCTIONS),
  { name: 'named-nodes-20000', write: (path) => writeNamedNodes(path, 20_000, 'Identity') },
  { name: 'named-nodes-100000', write: (path) => writeNamedNodes(path, 100_000) },
  {
    name: 'outputs-50000',
    write: (path) =>
      writeGraph(path, (graph) => {
        const type = tensorType(DataType.FLOAT, [4]);
        const input = graph.newValue('X', type);
        graph.addInput(input);
        for (let index = 0; index < 50_000; index++) {
          const outputs = [{ name: `y${index}`, type }];
          graph.addOutput(graph.addNode({ opType: 'Relu', inputs: [input], outputs }).output());
        }
      }),
  },
];
