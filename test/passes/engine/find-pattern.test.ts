import { describe, expect, it } from 'vitest';
import type { Graph } from '../../../src/ir/graph.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { constantTensor } from '../../../src/ir/walk.js';
import { inferTypes } from '../../../src/ops/infer-types.js';
import { findPattern, firstPattern } from '../../../src/passes/engine/find-pattern.js';
import { any, constant, either, maybe, op, type Pattern, scalar } from '../../../src/passes/engine/pattern.js';
import type { RewriteContext } from '../../../src/passes/engine/rewrite.js';

const GELU = op('Mul', ['x', 0.5, op('Add', [op('Erf', [op('Div', ['x', scalar(Math.SQRT2)])]), 1])]);

function find(pattern: Pattern, nodes: string, last = 'y', type = 'float[2,3]') {
  const model = parseModel(`<ir_version: 8, opset_import: ["": 17]>
g (${type} a, ${type} b) => (${type} y)
{
${nodes}
}`);
  inferTypes(model);
  const { graph } = model;
  const context: RewriteContext = {
    model,
    operators: 'portable',
    opset: () => 17,
    elements: () => undefined,
    constant: constantTensor,
    mayGrow: () => false,
    maySearch: () => true,
    memoryBytes: Number.POSITIVE_INFINITY,
    evaluate: undefined,
  };
  const root = producerOf(graph, last);
  const found = findPattern(pattern, root, context);
  return typeof found === 'object'
    ? { found, nodes: found.nodes.map((node) => node.output().name), root, context }
    : { found, nodes: [], root, context };
}

function producerOf(graph: Graph, name: string) {
  const node = graph.lookup(name)?.producer;
  if (!node) throw new Error(`nothing computes ${name}`);
  return node;
}

const gelu = (product: string, more = '') => `
  half = Constant <value: tensor = float {0.5}> ()
  one = Constant <value: tensor = float {1}> ()
  root2 = Constant <value: tensor = float {1.4142}> ()
  d = Div (a, root2)
  e = Erf (d)
  s = Add (one, e)
  ${product}
  ${more}`;

describe('findPattern', () => {
  it.each([
    ['left to right', 'm = Mul (a, s)\n y = Mul (m, half)'],
    ['scaled first', 'm = Mul (half, a)\n y = Mul (m, s)'],
    ['scaled last', 'm = Mul (s, half)\n y = Mul (a, m)'],
  ])('finds products in any order and grouping: %s', (_, product) => {
    const { found, nodes } = find(GELU, gelu(product));
    expect(typeof found === 'object' && found.value('x').name).toBe('a');
    expect(nodes).toEqual(expect.arrayContaining(['y', 'm', 's', 'e', 'd']));
    expect(nodes[0]).toBe('y');
    expect(nodes.length).toBe(5);
  });

  it('demands that a name is one value', () => {
    expect(find(GELU, gelu('m = Mul (b, s)\n y = Mul (m, half)')).found).toBe('"a" and "b" are not the same');
  });

  it('says which constant is wrong', () => {
    const { found } = find(
      GELU,
      gelu('two = Constant <value: tensor = float {2}> ()\n m = Mul (a, s)\n y = Mul (m, two)'),
    );
    expect(found).toBe('"two" is 2, not 0.5');
  });

  it('says what else reads a value in between', () => {
    const { found } = find(GELU, gelu('m = Mul (a, s)\n y = Mul (m, half)', 'z = Neg (e)'));
    expect(found).toBe('"e" is also used elsewhere');
  });

  it('keeps silent where little of the pattern is there', () => {
    expect(find(GELU, 'y = Mul (a, b)').found).toBeUndefined();
    expect(find(op('Mul', [op('Sigmoid', ['x']), 'x']), 's = Sigmoid (b)\n y = Mul (a, s)').found).toBeUndefined();
  });

  it('does not take a constant that would add axes', () => {
    const pattern = op('Mul', ['x', 2]);
    const nodes = 'c = Constant <value: tensor = float[1,1,1] {2}> ()\n y = Mul (a, c)';
    expect(find(pattern, nodes).found).toBe('"c" may add axes');
    expect(typeof find(pattern, nodes, 'y', 'float[2,3,4]').found).toBe('object');
  });

  it('takes what the type of a constant can tell for equal', () => {
    const nodes = 'c = Constant <value: tensor = float16 {14760}> ()\n y = Mul (a, c)';
    expect(typeof find(op('Mul', ['x', Math.SQRT1_2]), nodes, 'y', 'float16[2]').found).toBe('object');
  });

  it('undoes what an alternative bound before it tries the next', () => {
    const pattern = op('Add', [either(op('Mul', ['x', 'scale'], { name: 'product' }), op('Sub', ['x', 'y'])), 'x']);
    const { found } = find(pattern, 's = Sub (a, b)\n y = Add (s, a)');
    expect(typeof found === 'object' && [found.value('y').name, found.has('product'), found.has('scale')]).toEqual([
      'b',
      false,
      false,
    ]);
  });

  it('knows optional nodes, other outputs and nodes that may stay', () => {
    const pattern = op('Add', [
      maybe('Neg', op('Split', [any('x'), constant('sizes')], { output: 1, mayStay: true, name: 'half' })),
      'y',
    ]);
    const nodes = `sizes = Constant <value: tensor = int64[2] {1, 1}> ()
  p, q = Split <axis = 0> (a, sizes)
  n = Neg (q)
  y = Add (n, p)`;
    const { found } = find(pattern, nodes);
    expect(typeof found === 'object' && found.node('half').opType).toBe('Split');
    expect(typeof found === 'object' && found.value('y').name).toBe('p');
  });

  it('asks conditions and gives their reasons', () => {
    const pattern = op(
      'Softmax',
      [op('Mul', ['x', scalar(undefined, 'scale', (n) => n > 0 || `scale ${n} is negative`)])],
      {
        where: (node) => node.int('axis', -1) === -1 || 'its axis is not the last',
      },
    );
    const nodes = (scale: number, axis: number) => `c = Constant <value: tensor = float {${scale}}> ()
  m = Mul (a, c)
  y = Softmax <axis = ${axis}> (m)`;
    const { found } = find(pattern, nodes(0.25, -1));
    expect(typeof found === 'object' && found.number('scale')).toBe(0.25);
    expect(find(pattern, nodes(-2, -1)).found).toBe('scale -2 is negative');
    expect(find(pattern, nodes(2, 0)).found).toBe('its axis is not the last');
  });

  it('tries several patterns and keeps the first reason', () => {
    const nodes = 'n = Neg (a)\n y = Abs (n)';
    const { root, context } = find(op('Abs', ['x']), nodes);
    const patterns = [op('Abs', [op('Neg', ['x'])]), op('Abs', ['x'])];
    const names = firstPattern(patterns, root, context, (found) =>
      found.nodes.length === 2 ? 'two are too many' : { x: found.value('x').name },
    );
    expect(names).toEqual({ x: 'n' });
    expect(firstPattern(patterns.slice(0, 1), root, context, () => 'no')).toBe('no');
  });
});
