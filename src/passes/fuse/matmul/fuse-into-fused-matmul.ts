import type { Node } from '../../../ir/node.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { productOf, scaleAfter, scaleBefore, transposeAfter, transposeBefore } from './fused-matmul.js';

/**
 * Transposes and multiplications by a scalar next to a com.microsoft.FusedMatMul that the model already has become its
 * flags and factor; see `fuse-matmul-transpose` and `fuse-matmul-scale`, which create one from a MatMul.
 *
 * Fires also on a Transpose with other readers: it stays for them. Numerics: reassociates. Reference: ONNX Runtime
 * FusedMatMul-1.
 */
export const fuseIntoFusedMatmul = defineRewrite<object>({
  name: 'fuse-into-fused-matmul',
  summary: 'Merges Transposes and multiplications by a scalar into the FusedMatMul next to them.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['com.microsoft.FusedMatMul', 'Transpose', 'Mul', 'Div', 'Neg'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  if (node.is('Transpose')) return transposeAfter(node, true, context);
  const product = productOf(node, true);
  if (!product) return scaleAfter(node, true, context);
  return transposeBefore(product, context) ?? scaleBefore(product, context);
}
