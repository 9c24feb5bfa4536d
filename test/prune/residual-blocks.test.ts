import { describe, expect, it } from 'vitest';
import { nodeLabel } from '../../src/ir/problem.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { optimizeGraph } from '../../src/passes/optimize-graph.js';
import { withoutBlocks } from '../../src/passes/prune/drop-blocks.js';
import { residualBlocks } from '../../src/prune/residual-blocks.js';
import { runModel } from '../helpers/run-model.js';

function numbers(count: number, seed: number): string {
  return Array.from({ length: count }, (_, at) => (Math.sin(at * 7.3 + seed) / 3).toFixed(3)).join(',');
}

function matrix(name: string, rows: number, columns = rows): string {
  return `float[${rows},${columns}] ${name} = {${numbers(rows * columns, name.charCodeAt(0))}}`;
}

function network(weights: readonly string[], nodes: string, io = '(float[n,4] x) => (float[n,4] y)'): string {
  return `<ir_version: 8, opset_import: ["": 17]> g ${io} <${weights.join(', ')}> { ${nodes} }`;
}

/** Names of the outputs of all nodes of a block, by that of its sum; and reasons by layer. */
function found(text: string): {
  readonly blocks: Readonly<Record<string, readonly string[]>>;
  readonly outside: { readonly [output: string]: string };
} {
  const { blocks, outside } = residualBlocks(parseModel(text));
  return {
    blocks: Object.fromEntries(
      blocks.map(({ sum, nodes }) => [sum.output().name, nodes.map((node) => node.output().name)]),
    ),
    outside: Object.fromEntries(outside.map(({ node, reason }) => [node.output().name, reason])),
  };
}

describe('residualBlocks', () => {
  it('finds what a sum leads around, whichever input comes first', () => {
    const { blocks, outside } = found(
      network(
        [matrix('a', 4), matrix('b', 4), matrix('c', 4), matrix('d', 4)],
        'p = MatMul (x, a) h = Relu (p) f = MatMul (h, b) s = Add (x, f) g = MatMul (s, c) t = Add (g, s) y = MatMul (t, d)',
      ),
    );
    expect(blocks).toEqual({ s: ['p', 'h', 'f'], t: ['g'] });
    expect(outside).toEqual({ y: 'no sum leads around it' });
  });

  it('leaves nodes alone that something else needs too', () => {
    const { blocks } = found(
      network([matrix('a', 4), matrix('b', 4)], 'h = MatMul (x, a) f = MatMul (h, b) s = Add (x, f) y = Mul (s, h)'),
    );
    expect(blocks).toEqual({ s: ['f'] });
  });

  it('refuses blocks both of whose sides compute, and those of another shape', () => {
    const { blocks, outside } = found(
      network(
        [matrix('a', 4), matrix('b', 4), matrix('c', 4)],
        'u = MatMul (x, a) v = MatMul (x, b) s = Add (u, v) w = MatMul (s, c) r = ReduceMean <axes = [1], keepdims = 1> (s) y = Add (r, w)',
      ),
    );
    expect(blocks).toEqual({});
    expect(outside.u).toContain('both sides of the sum');
    expect(outside.v).toContain('both sides of the sum');
  });

  it('refuses a block whose input is narrower than its result', () => {
    const { blocks, outside } = found(
      network([matrix('a', 1, 4)], 'f = MatMul (x, a) y = Add (x, f)', '(float[n,1] x) => (float[n,4] y)'),
    );
    expect(blocks).toEqual({});
    expect(outside.f).toContain('its input is float[n,1] and its result float[n,4]');
  });

  it('takes the inner blocks where one is around them', () => {
    const { blocks, outside } = found(
      network(
        [matrix('a', 4), matrix('b', 4), matrix('c', 4)],
        'p = MatMul (x, a) q = MatMul (p, b) s = Add (p, q) r = MatMul (s, c) y = Add (x, r)',
      ),
    );
    expect(blocks).toEqual({ s: ['q'] });
    expect(outside.p).toContain('has 1 blocks inside');
  });

  it('sees no block in sums of masks, biases, and activations written out', () => {
    const { blocks } = found(
      network(
        [matrix('a', 4), 'float[4] k = {1, 2, 3, 4}', 'float c = {0.04}', 'float three = {3}'],
        'm = MatMul (x, a) h = Add (m, k) q = Pow (h, three) i = Mul (q, c) y = Add (h, i)',
      ),
    );
    expect(blocks).toEqual({});
  });
});

describe('withoutBlocks', () => {
  it('leaves what the sum computes with nothing added, and the interface', async () => {
    const weights = [matrix('a', 4), matrix('b', 4), matrix('c', 4)];
    const model = parseModel(
      network(
        weights,
        'p = MatMul (x, a) s = Add (p, x) f = MatMul (s, b) t = Add (s, f) g = MatMul (t, c) y = Add (t, g)',
      ),
    );
    const { blocks } = residualBlocks(model);
    expect(blocks.map(({ sum }) => nodeLabel(sum)).length).toBe(3);
    const dropped = withoutBlocks(model, blocks.slice(1));
    await optimizeGraph(dropped, { level: 'basic' });
    const wanted = parseModel(network([matrix('a', 4)], 'p = MatMul (x, a) y = Add (p, x)'));
    expect(await runModel(dropped)).toEqual(await runModel(wanted));
    expect(dropped.graph.outputs.map(({ name }) => name)).toEqual(['y']);
    expect([...dropped.graph.nodes].length).toBe(2);
  });
});
