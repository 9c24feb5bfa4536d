import type { Node } from '../../../ir/node.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { productOf, transposeAfter, transposeBefore } from './fused-matmul.js';

/**
 * MatMul(Aᵀ, B) = FusedMatMul(A, B; transA = 1), the same for B, and (A·B)ᵀ = Bᵀ·Aᵀ, for products of any rank, whose batch axes may be
 * transposed too.
 *
 * Fires on a Transpose that nothing else reads and that FusedMatMul can do: one that swaps the last two axes, or brings the first
 * one behind the batch. FLOAT, DOUBLE and FLOAT16. Numerics: terms may be added in another order. Reference: ONNX Runtime
 * FusedMatMul-1.
 */
export const fuseMatmulTranspose = defineRewrite<object>({
  name: 'fuse-matmul-transpose',
  summary: 'Fuses MatMul and the Transposes next to it into FusedMatMul of ONNX Runtime.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  ortOnly: true,
  roots: ['MatMul', 'com.microsoft.FusedMatMul', 'Transpose'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  if (node.is('Transpose')) return transposeAfter(node, false, context);
  const product = productOf(node, false);
  return product && transposeBefore(product, context);
}
