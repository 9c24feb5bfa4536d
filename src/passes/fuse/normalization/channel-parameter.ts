import type { Value } from '../../../ir/value.js';
import type { DataTypeCode } from '../../../tensor/dtype.js';
import type { Tensor } from '../../../tensor/tensor.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { filledTensor, repeatedTensor } from '../../scalar.js';
import { dataTypeOf, rankOf, shapeOf } from '../../types.js';
import { followedBy } from './normalization-pattern.js';

/**
 * A constant that has one number for each channel (axis 1) of `x` and is broadcast over all other axes, as a tensor of one axis;
 * undefined for any other value.
 */
export function channelTensor(value: Value, x: Value, context: RewriteContext): Tensor | undefined {
  const rank = rankOf(x);
  const channels = shapeOf(x)?.[1];
  const tensor = context.constant(value);
  if (!tensor || rank === undefined || typeof channels !== 'number' || tensor.rank > rank) return undefined;
  if (tensor.size === 1) return repeatedTensor(tensor, [channels]);
  const lead = rank - tensor.rank;
  const isByChannel = tensor.dims.every((dim, at) => dim === (lead + at === 1 ? channels : 1));
  return isByChannel && tensor.size === channels ? tensor.reshaped([channels]) : undefined;
}

/** A tensor with the same number for each channel of `x`. */
export function uniformChannels(number: number, x: Value, dataType: DataTypeCode): Tensor | undefined {
  const channels = shapeOf(x)?.[1];
  return typeof channels === 'number' ? filledTensor(number, dataType, [channels]) : undefined;
}

/** The factor or summand for each channel that follows a value, and nothing else does, with the node that applies it. */
export function channelFollower(value: Value, opType: 'Mul' | 'Add', x: Value, context: RewriteContext) {
  const follower = followedBy(value, opType);
  const tensor = follower && channelTensor(follower.other, x, context);
  return follower && tensor && tensor.dataType === dataTypeOf(x) ? { node: follower.node, tensor } : undefined;
}
