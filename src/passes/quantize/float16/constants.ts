import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { newConversionStatistics } from '../../../tensor/conversion.js';
import { Tensor } from '../../../tensor/tensor.js';
import type { NarrowFloat } from './narrow-float.js';
import type { Float16Report } from './report.js';

/** Up to here a constant is converted at once, so that it is told about at once. */
const SMALL_BYTES = 64 * 1024;
/** Up to here it may be an epsilon, a scale or a table of such, where zero would not do. */
const SMALL_ELEMENTS = 1024;

/**
 * A FLOAT tensor in 16 bits. Finite values beyond the largest one (±65504 in FLOAT16) are clamped (an attention mask of -3.4e38 must not become an
 * infinity, which a Softmax turns into NaN); in small tensors a nonzero value stays nonzero.
 */
export function toNarrowTensor(name: string, tensor: Tensor, to: NarrowFloat, report: Float16Report): Tensor {
  const statistics = newConversionStatistics();
  report.tensors.push({ name, statistics });
  const lazy = to.bytes(tensor.data, { clamp: true, keepNonZero: tensor.size <= SMALL_ELEMENTS, statistics });
  return Tensor.of(to.dataType, tensor.dims, tensor.byteLength <= SMALL_BYTES ? lazy.read() : lazy);
}

/** Gives an initializer, or the Constant node that makes `value`, the 16-bit form of its tensor. */
export function replaceConstant(value: Value, tensor: Tensor): void {
  const node = value.producer;
  if (node) setConstantNode(node, tensor);
  else value.tensor = tensor;
  value.type = tensorType(tensor.dataType, tensor.dims);
}

function setConstantNode(node: Node, tensor: Tensor): void {
  for (const name of ['value_float', 'value_floats']) node.removeAttribute(name);
  node.setAttribute(attribute('value', tensor));
}
