import { attribute } from '../../../ir/attribute.js';
import type { NodeSpec } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import { tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { freedBytes } from '../../dying-nodes.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { writeList } from '../../engine/operands.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { nodeLabel, onlyConsumer } from '../../nodes.js';
import { dataTypeOf, shapeOf } from '../../types.js';
import { type Columns, columnsBeside, type LinearProjection, linearProjection } from './linear-projection.js';

/**
 * x·W₁ + b₁, x·W₂ + b₂, … = Split(x·[W₁ W₂ …] + [b₁ b₂ …]): the projections of query, key and value, which read the
 * same input, as one product.
 *
 * Fires for MatMuls of one value with constant FLOAT matrices, with an Add of a constant row or without, where nodes
 * are saved: three products, or two that have rows added. Refuses weights that are also used elsewhere, where the copy
 * would make the file larger than allowed. Numerics: reassociates (each number is the same sum; a runtime may add it up
 * in another order). Reference: Vaswani et al. 2017 (arXiv 1706.03762), section 3.2.2.
 */
export const fuseQkvMatmuls = defineRewrite<object>({
  name: 'fuse-qkv-matmuls',
  summary: 'Merges MatMuls of one input with constant matrices into one.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [2, null],
  options: {},
  roots: ['MatMul'],
  rules: () => ({ match }),
});

/** A product, with the row that is added to it. */
interface Product extends LinearProjection {
  readonly output: Value;
}

function match(node: Node, context: RewriteContext): Match {
  const input = node.input(0);
  if (!input || dataTypeOf(input) !== DataType.FLOAT || !shapeOf(input)) return undefined;
  if (!context.maySearch(input.uses.size)) return undefined;
  const products = productsOf(input, node, context);
  const sums = products.filter(({ bias }) => bias !== undefined).length;
  const saved = products.length + sums - (sums > 0 ? 3 : 2);
  if (products.length < 2 || saved <= 0) return undefined;
  const nodes = products.flatMap((product) => product.nodes);
  const growth = packedBytes(products) - freedBytes(new Set(nodes), context);
  if (!context.mayGrow(growth)) return `its weights are also used elsewhere, and a copy takes ${growth} bytes`;
  return { nodes, apply: () => fuse(input, products, nodes, context) };
}

/** The products of `input` that stand in the graph of `node`. */
function productsOf(input: Value, node: Node, context: RewriteContext): Product[] {
  const products: Product[] = [];
  for (const use of input.uses) {
    if (use.slot !== 0 || !use.node.is('MatMul') || use.node.graph !== node.graph) continue;
    const output = use.node.output();
    const sum = onlyConsumer(output);
    const value = sum?.is('Add') ? sum.output() : output;
    const found = linearProjection(value, context) ?? linearProjection(output, context);
    if (found) products.push({ ...found, output: found.bias ? value : output });
  }
  return products;
}

function packedBytes(products: readonly Product[]): number {
  let bytes = 0;
  for (const { weight, bias } of products) bytes += weight.byteLength + (bias?.byteLength ?? 0);
  return bytes;
}

function fuse(input: Value, products: readonly Product[], nodes: readonly Node[], context: RewriteContext): Node {
  const [first] = nodes as [Node];
  const { graph } = first;
  const before = input.graph === graph && input.producer ? input.producer.next : graph.nodes.first;
  const at = before ?? first;
  const label = nodeLabel(first);
  const rows = products[0]?.weight.dims[0] ?? 0;
  const widths = products.map(({ weight }) => weight.dims[1] ?? 0);
  const width = widths.reduce((a, b) => a + b, 0);
  const type = tensorType(DataType.FLOAT, [...(shapeOf(input) ?? []).slice(0, -1), width]);
  const add = (opType: string, operand: Value, name: string, dims: number[], parts: Columns[]) => {
    const tensor = Tensor.of(DataType.FLOAT, dims, columnsBeside(dims.length > 1 ? rows : 1, parts));
    const inputs = [operand, addConstant(graph, `${label}_${name}`, tensor, at)];
    return graph.addNode({ opType, inputs, outputs: [{ name: `${label}_packed`, type }] }, at);
  };
  const all = (size: number) => Array.from({ length: size }, (_, column) => column);
  const parts = products.map(({ weight, bias }, index) => ({ weight, bias, columns: all(widths[index] ?? 0) }));
  const product = add(
    'MatMul',
    input,
    'weight',
    [rows, width],
    parts.map(({ weight, columns }) => ({ tensor: weight, columns })),
  );
  const sum = products.some(({ bias }) => bias)
    ? add(
        'Add',
        product.output(),
        'bias',
        [width],
        parts.map(({ bias, columns }) => ({ tensor: bias, columns })),
      )
    : product;
  const outputs = products.map(({ output }) => output);
  for (const { producer } of outputs) producer?.setOutput(0, undefined);
  const { inputs, attributes } = writeList(context, at, 'Split', 'split', widths);
  const axis = attribute('axis', (shapeOf(input)?.length ?? 1) - 1);
  const spec: NodeSpec = {
    opType: 'Split',
    inputs: [sum.output(), ...inputs],
    outputs,
    attributes: [axis, ...attributes],
  };
  graph.addNode(spec, at);
  return product;
}
