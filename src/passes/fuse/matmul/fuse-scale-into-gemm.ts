import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { nameOf, onlyConsumer, takeOver } from '../../nodes.js';
import { dataTypeOf } from '../../types.js';
import { type GemmOptions, gemmAttributes, gemmOptions, matrixProduct } from './gemm.js';
import { isFactor, scaleOf } from './scalar-factor.js';

/**
 * Gemm(A, B, C; α, β) · s = Gemm(A, B, C; α·s, β·s), and Gemm(A · s, B, C; α, β) = Gemm(A, B, C; α·s, β), for a constant number s:
 * Mul, Div or Neg after a Gemm, or before one of its matrices. A MatMul of matrices before such a node becomes a Gemm.
 *
 * Fires when nothing else reads the value in between and the new factors are normal numbers of their type; in double precision only
 * when they are exact, since attributes are float. Numerics: reassociates. Reference: ONNX Gemm-13.
 */
export const fuseScaleIntoGemm = defineRewrite<object>({
  name: 'fuse-scale-into-gemm',
  summary: 'Folds a multiplication by a scalar into the Gemm or MatMul next to it.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['Mul', 'Div', 'Neg', 'Gemm'],
  rules: () => ({
    match: (node, context) => (node.is('Gemm') ? matchBefore(node, context) : matchAfter(node, context)),
  }),
});

function matchAfter(node: Node, context: RewriteContext): Match {
  const scale = scaleOf(node, 2);
  const gemm = scale?.input.producer;
  // A MatMul of matrices is a Gemm without C, which is possible from 11 on.
  const isProduct = gemm?.is('Gemm') || (gemm?.is('MatMul') && context.opset(node) >= 11);
  if (!scale || !gemm || !isProduct || !matrixProduct(gemm, context)) return undefined;
  if (onlyConsumer(scale.input) !== node) return `"${scale.input.name}" is also used elsewhere`;
  const options = gemmOptions(gemm);
  return rewrite([node, gemm], node, gemm, gemm.inputs, {
    ...options,
    alpha: options.alpha * scale.factor,
    beta: gemm.input(2) ? options.beta * scale.factor : 1,
  });
}

function matchBefore(gemm: Node, context: RewriteContext): Match {
  if (!matrixProduct(gemm, context)) return undefined;
  for (const slot of [0, 1]) {
    const value = gemm.input(slot);
    const node = value?.producer;
    const scale = scaleOf(node, 2);
    if (!value || !node || !scale || onlyConsumer(value) !== gemm) continue;
    const options = gemmOptions(gemm);
    const inputs = gemm.inputs.map((input, at) => (at === slot ? scale.input : input));
    const match = rewrite([node, gemm], gemm, gemm, inputs, { ...options, alpha: options.alpha * scale.factor });
    if (match) return match;
  }
  return undefined;
}

function rewrite(
  nodes: readonly Node[],
  last: Node,
  gemm: Node,
  inputs: readonly (Value | undefined)[],
  options: Required<GemmOptions>,
): Match {
  const dataType = dataTypeOf(inputs[0]) ?? dataTypeOf(last.outputs[0]);
  if (!isFactor(options.alpha, dataType) || !isFactor(options.beta, dataType)) return undefined;
  return {
    nodes,
    apply: () => takeOver(last, { opType: 'Gemm', ...nameOf(gemm), inputs, attributes: gemmAttributes(options) }),
  };
}
