import type { Node } from '../../../ir/node.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { nameOf, onlyConsumer, takeOver } from '../../nodes.js';
import { type GemmOptions, gemmAttributes, gemmOptions, matrixProduct, transposedMatrix } from './gemm.js';

/**
 * Gemm(Aᵀ, B, C) = Gemm(A, B, C; transA = 1), the same for B, and (A·B)ᵀ = Gemm(B, A; transA = 1, transB = 1). MatMul
 * of matrices with a Transpose before or after it becomes such a Gemm.
 *
 * Fires on a Transpose that swaps the axes of a matrix; one with other readers stays for them, but then a MatMul stays
 * as well. A Transpose after the product needs one without C, that nothing else reads. Numerics: terms may be added in
 * another order. Reference: ONNX Gemm-11.
 */
export const fuseTransposeIntoGemm = defineRewrite<object>({
  name: 'fuse-transpose-into-gemm',
  summary: 'Merges the Transpose of a matrix into the Gemm or MatMul next to it.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  // Before 11 a Gemm must have C.
  opset: [11, null],
  options: {},
  roots: ['Gemm', 'MatMul', 'Transpose'],
  rules: () => ({
    match: (node, context) => (node.is('Transpose') ? matchAfter(node, context) : matchBefore(node, context)),
  }),
});

function matchBefore(node: Node, context: RewriteContext): Match {
  const [a, b] = [transposedMatrix(node.input(0)), transposedMatrix(node.input(1))];
  const before = node.inputs.slice(0, 2).flatMap((input, slot) => {
    const transpose = (slot === 0 ? a : b) && input?.producer;
    return transpose ? [transpose] : [];
  });
  if (before.length === 0 || !matrixProduct(node, context)) return undefined;
  if (node.is('MatMul') && !before.some((transpose) => readers(transpose).every((reader) => reader === node)))
    return 'the transposed matrix is also used elsewhere';
  const options = gemmOptions(node);
  const turned = {
    ...options,
    transA: options.transA !== (a !== undefined),
    transB: options.transB !== (b !== undefined),
  };
  return {
    nodes: [node, ...before],
    apply: () =>
      takeOver(node, {
        opType: 'Gemm',
        inputs: [a ?? node.input(0), b ?? node.input(1), ...node.inputs.slice(2)],
        attributes: gemmAttributes(turned),
      }),
  };
}

/** Who reads the output of a node; a graph output counts as a reader that is no node. */
function readers(node: Node): (Node | undefined)[] {
  const output = node.outputs[0];
  if (!output || output.isGraphOutput || output.pinned) return [undefined];
  return [...output.consumers()];
}

function matchAfter(node: Node, context: RewriteContext): Match {
  const product = node.input(0);
  const gemm = product?.producer;
  if (!product || !gemm || !(gemm.is('Gemm') || gemm.is('MatMul')) || !matrixProduct(gemm, context)) return undefined;
  if (transposedMatrix(node.outputs[0]) !== product) return undefined;
  if (onlyConsumer(product) !== node) return `"${product.name}" is also used elsewhere`;
  if (gemm.input(2)) return `"${gemm.input(2)?.name}" would have to be transposed as well`;
  const { alpha, transA, transB }: Required<GemmOptions> = gemmOptions(gemm);
  return {
    nodes: [node, gemm],
    apply: () =>
      takeOver(node, {
        opType: 'Gemm',
        ...nameOf(gemm),
        inputs: [gemm.input(1), gemm.input(0)],
        attributes: gemmAttributes({ alpha, transA: !transB, transB: !transA }),
      }),
  };
}
