/** Small constants that FLOAT16 does not hold. Large weights that leave its range are rare, and found by what they do. */
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { constantTensor } from '../../../ir/walk.js';
import { DataType } from '../../../tensor/dtype.js';
import { minMax } from '../../../tensor/statistics.js';
import type { Tensor } from '../../../tensor/tensor.js';
import type { NarrowFloat } from './narrow-float.js';
import { formatRangeNumber } from './words.js';

/** Constants of more elements are weights: they are not looked through here. */
const SMALL_ELEMENTS = 1 << 12;
/** From here on a number stands for infinity: what attention masks and limits are filled with. */
const FILL = 1e8;
/** A scale that loses more than this share of itself is another scale. */
const SCALE_LOSS = 2 ** -9;

/** Operators that put a number in where something is masked, or limit by it: the largest FLOAT16 does as well. */
const FILLS = new Set(['Where', 'Add', 'Sub', 'Mul', 'Max', 'Min', 'Clip', 'Pad', 'ConstantOfShape', 'Expand']);

/** Largest finite magnitude of a small FLOAT constant; undefined for anything else. */
function largestOf(value: Value | undefined): number | undefined {
  const tensor = constantTensor(value);
  if (tensor?.dataType !== DataType.FLOAT || tensor.size > SMALL_ELEMENTS) return undefined;
  let largest = 0;
  for (const element of tensor.float32Array()) {
    const size = Math.abs(element);
    if (size > largest && size < Number.POSITIVE_INFINITY) largest = size;
  }
  return largest;
}

/** True when no finite element of a FLOAT tensor would overflow. */
export function fitsNarrow(tensor: Tensor, { max: largest }: NarrowFloat): boolean {
  const { min, max } = minMax(tensor.float32Array());
  return min >= -largest && max <= largest;
}

/** True for a node that fills with a number which only stands for infinity. */
export function fillsWithLimit(node: Node): boolean {
  if (node.domain !== '' || !FILLS.has(node.opType)) return false;
  if (node.is('ConstantOfShape')) {
    const tensor = node.tensor('value');
    return tensor?.dataType === DataType.FLOAT && Math.abs(tensor.float32Array()[0] ?? 0) >= FILL;
  }
  return node.inputs.some((input) => (largestOf(input) ?? 0) >= FILL);
}

/** Why the constants of a node want FLOAT, or undefined. */
export function whyConstantsDoNotFit(node: Node, to: NarrowFloat): string | undefined {
  if (!to.isShortRanged) return undefined;
  if (node.is('Constant') || node.subgraphs().length > 0) return undefined;
  const fills = fillsWithLimit(node);
  for (const input of node.inputs) {
    const largest = largestOf(input);
    if (!input || largest === undefined || largest === 0) continue;
    if (largest > to.max && !fills) {
      return `its constant "${input.name}" reaches ${formatRangeNumber(largest)}: the largest ${to.name} is ${to.max}`;
    }
    const isScale = (node.is('Mul') || node.is('Div')) && constantTensor(input)?.size === 1;
    if (isScale && Math.abs(to.round(largest) / largest - 1) > SCALE_LOSS && largest < to.max) {
      return `its scale ${formatRangeNumber(largest)} is too small for ${to.name}`;
    }
  }
  return undefined;
}
