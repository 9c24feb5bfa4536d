import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { constantTensor } from '../../../ir/walk.js';
import { exchangesLastAxes } from '../../../quantize/constant-operand.js';
import { DataType, type DataTypeCode } from '../../../tensor/dtype.js';
import type { Tensor } from '../../../tensor/tensor.js';

/** A constant that a node reads, directly or behind Transposes of its last axes and Casts between floats. */
export interface WeightOperand {
  readonly value: Value;
  readonly tensor: Tensor;
  /** From the node to the constant. */
  readonly chain: readonly Node[];
  /** The last axes are exchanged on the way. */
  readonly turned: boolean;
  /** FLOAT or FLOAT16: what the node reads. */
  readonly dataType: DataTypeCode;
}

/** Types of weights that are quantized. */
const WEIGHT_TYPES: ReadonlySet<DataTypeCode> = new Set([DataType.FLOAT, DataType.FLOAT16]);
/** Nodes between a constant and its reader that are looked at. */
const MOST_STEPS = 4;

/** The weight at `slot`; undefined where there is none, or of another type. */
export function weightOperand(node: Node, slot: number): WeightOperand | undefined {
  const chain: Node[] = [];
  let value = node.input(slot);
  let turned = false;
  let dataType: DataTypeCode | undefined;
  for (;;) {
    const tensor = constantTensor(value);
    if (value && tensor) {
      const read = dataType ?? tensor.dataType;
      if (!WEIGHT_TYPES.has(tensor.dataType) || !WEIGHT_TYPES.has(read)) return undefined;
      return { value, tensor, chain, turned, dataType: read };
    }
    const step = value?.producer;
    if (!step || step.graph !== node.graph || chain.length === MOST_STEPS) return undefined;
    if (step.is('Cast')) dataType ??= step.int('to', 0) as DataTypeCode;
    else if (step.is('Transpose') && exchangesLast(step)) turned = !turned;
    else return undefined;
    chain.push(step);
    value = step.input(0);
  }
}

function exchangesLast(transpose: Node): boolean {
  const rank = transpose.ints('perm')?.length ?? rankOf(transpose.input(0));
  return rank !== undefined && exchangesLastAxes(transpose, rank);
}

function rankOf(value: Value | undefined): number | undefined {
  const tensor = constantTensor(value);
  if (tensor) return tensor.rank;
  return value?.type?.kind === 'tensor' ? value.type.shape?.length : undefined;
}
