import type { Node } from '../../ir/node.js';
import { nodeLabel } from '../../ir/problem.js';
import type { Value } from '../../ir/value.js';
import { defineRewrite, type Match, type RewriteContext } from '../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../nodes.js';
import { shapeOf } from '../types.js';
import { fitsAsBias, gemmAttributes, gemmOptions, matrixProduct } from './gemm.js';

/**
 * A·B + C = Gemm(A, B, C), for matrices: MatMul, or a Gemm without C, and Add, Sub or a Sum of two.
 *
 * Fires when A and B are known to be float matrices, nothing else reads the product, and C can be stretched to its shape without
 * stretching it. Refuses where C may be larger than the product, and where ranks are not known. Products of higher rank stay: a
 * Gemm would need a Reshape on each side. Numerics: the sum is rounded in another place. Reference: ONNX Gemm-11.
 */
export const fuseMatmulAdd = defineRewrite<object>({
  name: 'fuse-matmul-add',
  summary: 'Writes MatMul and Add of matrices as Gemm.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['Add', 'Sub', 'Sum'],
  rules: () => ({ match: matchSum }),
});

function matchSum(node: Node, context: RewriteContext): Match {
  const [left, right] = node.inputs;
  if (node.inputs.length !== 2 || !left || !right || left === right || !node.outputs[0]) return undefined;
  let nearMiss: string | undefined;
  for (const [slot, product] of [left, right].entries()) {
    const match = matchProduct(node, product, slot === 0 ? right : left, slot, context);
    if (typeof match === 'object') return match;
    nearMiss ??= match;
  }
  return nearMiss;
}

function matchProduct(node: Node, product: Value, bias: Value, slot: number, context: RewriteContext): Match {
  const producer = product.producer;
  const isGemm = producer?.is('Gemm') && !producer.input(2);
  if (!producer || !(producer.is('MatMul') || isGemm)) return undefined;
  const dims = matrixProduct(producer, context);
  if (!dims) return undefined;
  const label = `${producer.opType} "${nodeLabel(producer)}"`;
  if (onlyConsumer(product) !== node) return `${label} is also used elsewhere`;
  const shape = shapeOf(bias);
  if (!fitsAsBias(shape, dims)) return `"${bias.name}" is not known to fit into the output of ${label}`;
  const { alpha, transA, transB } = gemmOptions(producer);
  const negated = node.is('Sub');
  const options = {
    alpha: negated && slot === 1 ? -alpha : alpha,
    beta: negated && slot === 0 ? -1 : 1,
    transA: transA && isGemm === true,
    transB: transB && isGemm === true,
  };
  return {
    nodes: [node, producer],
    apply: () =>
      takeOver(node, {
        opType: 'Gemm',
        inputs: [producer.input(0), producer.input(1), bias],
        attributes: gemmAttributes(options),
      }),
  };
}
