/** Tensors of text. */
import { DataType } from '../../tensor/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { broadcastDims } from './broadcast-dims.js';
import type { KernelContext, KernelTable } from './kernel-context.js';
import { viewedTensor } from './moved-tensor.js';
import { broadcastView } from './strided-view.js';

/** Whether the texts of two tensors, broadcast to each other, are the same byte for byte. */
export function equalTexts(context: KernelContext, a: Tensor, b: Tensor): Tensor {
  const [left, right, dims] = textPairs(context, a, b);
  context.allow(DataType.BOOL, dims);
  const equal = left.map((text, at) => (Buffer.compare(text, right[at] as Uint8Array) === 0 ? 1 : 0));
  return Tensor.of(DataType.BOOL, dims, Uint8Array.from(equal));
}

function stringConcat(context: KernelContext): Tensor {
  const [left, right, dims] = textPairs(context, context.input(0), context.input(1));
  const joined = left.map((text, at) => new Uint8Array(Buffer.concat([text, right[at] as Uint8Array])));
  return Tensor.strings(dims, () => joined);
}

function textPairs(
  context: KernelContext,
  a: Tensor,
  b: Tensor,
): [left: readonly Uint8Array[], right: readonly Uint8Array[], dims: number[]] {
  const dims = broadcastDims([a.dims, b.dims]);
  context.allow(DataType.STRING, dims);
  const spread = (tensor: Tensor) =>
    viewedTensor(context, tensor, broadcastView(tensor.dims, dims), dims).stringElements();
  return [spread(a), spread(b), dims];
}

export const textKernels: KernelTable = [['StringConcat', stringConcat]];
