import type { Node } from '../../../ir/node.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { productOf, scaleAfter, scaleBefore, transposeAfter, transposeBefore } from './fused-matmul.js';

/**
 * Transposes and multiplications with a number beside a com.microsoft.FusedMatMul that the model has already become flags and factor
 * of it; see `fuse-matmul-transpose` and `fuse-matmul-scale`, which make one of a MatMul.
 *
 * Fires also on a Transpose that others read: it stays for them. Numerics: reassociates. Reference: ONNX Runtime FusedMatMul-1.
 */
export const fuseIntoFusedMatmul = defineRewrite<object>({
  name: 'fuse-into-fused-matmul',
  summary: 'Takes Transposes and multiplications with a number into the FusedMatMul beside them.',
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
