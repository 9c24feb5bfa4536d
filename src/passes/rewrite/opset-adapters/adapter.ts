import type { Node } from '../../../ir/node.js';
import { nodeLabel } from '../../../ir/problem.js';
import type { Value } from '../../../ir/value.js';
import type { DataTypeCode } from '../../../tensor/dtype.js';
import { DataType } from '../../../tensor/dtype.js';
import { toFloat16 } from '../../../tensor/float16.js';
import { bytesOf, Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';

/** How nodes of one operator are brought over one operator set version that changed it. */
export interface OpsetAdapter {
  readonly opType: string;
  /** The version that changed the operator: the adapter goes from the one before it to this one. */
  readonly version: number;
  /** The operator's name afterwards, where it changes. */
  readonly renames?: string;
  /**
   * Why this node cannot be brought over; undefined when it can. Sees the node as it is in the model, before any
   * adapter of an earlier version has run.
   */
  readonly check?: (node: Node) => string | undefined;
  /** Rewrites the node, and may put others around it. Must succeed where `check` gave no reason. */
  readonly apply: (node: Node) => void;
}

/** Element type of a tensor value, where known. */
export function elementType(value: Value | undefined): DataTypeCode | undefined {
  if (value?.tensor) return value.tensor.dataType;
  return value?.type?.kind === 'tensor' ? value.type.dataType : undefined;
}

/** Sizes of a tensor value, undefined where a size is not a known number; undefined when the rank is unknown. */
export function knownDims(value: Value | undefined): readonly (number | undefined)[] | undefined {
  if (value?.tensor) return value.tensor.dims;
  if (value?.type?.kind !== 'tensor') return undefined;
  return value.type.shape?.map((dim) => (typeof dim === 'number' ? dim : undefined));
}

/** A scalar of a floating-point type; undefined for any other type. */
export function floatScalar(dataType: DataTypeCode | undefined, value: number): Tensor | undefined {
  switch (dataType) {
    case DataType.FLOAT:
      return Tensor.float32([value], []);
    case DataType.FLOAT16:
      return Tensor.of(DataType.FLOAT16, [], bytesOf(Uint16Array.of(toFloat16(value, { clamp: true }))));
    case DataType.DOUBLE:
      return Tensor.of(DataType.DOUBLE, [], bytesOf(Float64Array.of(value)));
    default:
      return undefined;
  }
}

/** Makes a constant input of `node`, named after it. */
export function setConstantInput(node: Node, slot: number, what: string, tensor: Tensor): void {
  node.setInput(slot, addConstant(node.graph, `${nodeLabel(node)}_${what}`, tensor, node));
}
