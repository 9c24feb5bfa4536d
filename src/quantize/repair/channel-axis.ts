import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { constantTensor } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';

/** A constant that is multiplied along one axis, index by index, where channels are scaled. */
export interface ScaledConstant {
  readonly node: Node;
  readonly slot: number;
  /** Axis of the constant that the channels are on. */
  readonly axis: number;
  /** True where channels are divided by their factors, false where they are multiplied. */
  readonly divides: boolean;
}

/** Number of dimensions of a value, where it is known. */
export function rankOf({ type }: Value): number | undefined {
  return type?.kind === 'tensor' ? type.shape?.length : undefined;
}

/** The axis of a constant operand on which the channels lie; undefined where it has not one value a channel. */
export function alongChannels(node: Node, slot: number, axis: number, channels: number): number | undefined {
  const tensor = constantTensor(node.input(slot));
  const rank = rankOf(node.output());
  if (!tensor || rank === undefined || tensor.dataType !== DataType.FLOAT) return undefined;
  const at = axis - (rank - tensor.rank);
  return at >= 0 && tensor.dims[at] === channels && tensor.size === channels ? at : undefined;
}
