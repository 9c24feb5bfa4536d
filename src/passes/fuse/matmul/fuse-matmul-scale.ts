import type { Node } from '../../../ir/node.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { productOf, scaleAfter, scaleBefore } from './fused-matmul.js';

/**
 * MatMul(A, B) · s = FusedMatMul(A, B; alpha = s) for a constant number s: Mul, Div or Neg after a MatMul, or before
 * one of its inputs.
 *
 * Fires where nothing else reads the value in between and s is a normal number of the type; in double precision only
 * when it is exact, since attributes are float. For a MatMul with a constant weight, the scalar is folded into the
 * weight instead. FLOAT, DOUBLE and FLOAT16. Numerics: reassociates. Reference: ONNX Runtime FusedMatMul-1.
 */
export const fuseMatmulScale = defineRewrite<object>({
  name: 'fuse-matmul-scale',
  summary: 'Fuses MatMul and a multiplication by a scalar into FusedMatMul of ONNX Runtime.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  ortOnly: true,
  roots: ['MatMul', 'com.microsoft.FusedMatMul', 'Mul', 'Div', 'Neg'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  const product = productOf(node, false);
  return product ? scaleBefore(product, context) : scaleAfter(node, false, context);
}
