import type { Node } from '../../../ir/node.js';
import { nodeLabel } from '../../../ir/problem.js';
import type { Value } from '../../../ir/value.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { combine, numbersOf, numbersTensor } from '../../constant-arithmetic.js';
import { addConstant } from '../../constants.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { nameOf, onlyConsumer, takeOver } from '../../nodes.js';
import { shapeOf } from '../../types.js';
import { fitsAsBias, GEMM_DEFAULTS, gemmAttributes, gemmOptions, matrixProduct } from './gemm.js';

/**
 * A·B + C = Gemm(A, B, C), for matrices: MatMul, or a Gemm without C or with a constant one, and Add, Sub or a Sum of
 * two.
 *
 * Fires when A and B are known to be float matrices, nothing else reads the product, and C broadcasts to its shape
 * without enlarging it. Refuses where C may be larger than the product, where ranks are unknown and, unless operators
 * of ONNX Runtime are allowed, where C is computed but B is a weight: as MatMul and Add it can be quantized. Products
 * of higher rank stay: a Gemm would need a Reshape on each side. Numerics: the sum is rounded elsewhere. Reference:
 * ONNX Gemm-11.
 */
export const fuseMatmulAdd = defineRewrite<object>({
  name: 'fuse-matmul-add',
  summary: 'Fuses MatMul and Add of matrices into Gemm.',
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
  if (!producer || !(producer.is('MatMul') || producer.is('Gemm'))) return undefined;
  const dims = matrixProduct(producer, context);
  if (!dims) return undefined;
  const label = `${producer.opType} "${nodeLabel(producer)}"`;
  if (onlyConsumer(product) !== node) return `${label} is also used elsewhere`;
  const shape = shapeOf(bias);
  if (!fitsAsBias(shape, dims)) return `"${bias.name}" may not broadcast to the output of ${label}`;
  const { alpha, beta, transA, transB } = producer.is('Gemm') ? gemmOptions(producer) : GEMM_DEFAULTS;
  const signs = { product: node.is('Sub') && slot === 1 ? -1 : 1, bias: node.is('Sub') && slot === 0 ? -1 : 1 };
  const options = { alpha: signs.product * alpha, transA, transB };
  const write = (c: Value, factor: number): Node =>
    takeOver(node, {
      opType: 'Gemm',
      ...nameOf(producer),
      inputs: [producer.input(0), producer.input(1), c],
      attributes: gemmAttributes({ ...options, beta: factor }),
    });
  const nodes = [node, producer];
  if (producer.input(2)) {
    const both = mergedBias(producer, bias, signs.product * beta, signs.bias, context);
    if (!both) return undefined;
    return { nodes, apply: () => write(addConstant(node.graph, `${node.output().name}_bias`, both, node), 1) };
  }
  // A layer whose bias is computed has no 8-bit kernel; MatMul and Add have one each.
  if (context.operators === 'portable' && context.constant(producer.input(1)) && !context.constant(bias))
    return `"${bias.name}" is computed at run time, and ${label} could not be quantized then`;
  return { nodes, apply: () => write(bias, signs.bias) };
}

/** Bytes that the sum of two constants may take without being asked for. */
const FREE_BYTES = 1024;

/** C · first + bias · second, where both are constant. */
function mergedBias(
  gemm: Node,
  bias: Value,
  first: number,
  second: number,
  context: RewriteContext,
): Tensor | undefined {
  const [old, added] = [context.constant(gemm.input(2)), context.constant(bias)];
  const [a, b] = [old && numbersOf(old), added && numbersOf(added)];
  const both = a && b && combine(a, b, (x, y) => x * first + y * second);
  const tensor = old && both && numbersTensor(old.dataType, both);
  return tensor && (tensor.byteLength <= FREE_BYTES || context.mayGrow(tensor.byteLength)) ? tensor : undefined;
}
