/**
 * Upsample and Resize. Upsample (7: scales attribute, 9: scales input) became Resize at 10; Resize got its coordinate and
 * rounding modes at 11. Before that, coordinates were `output / scale` (asymmetric), and ONNX Runtime rounds them down
 * along a dimension that grows and up along one that shrinks.
 */
import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { constantTensor } from '../../../ir/walk.js';
import { DataType } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import type { OpsetAdapter } from './adapter.js';
import { setConstantInput } from './adapter.js';
import { movedAttributes } from './moved-attributes.js';

const ROI = 1;
const SCALES = 2;

export const RESIZE_ADAPTERS: readonly OpsetAdapter[] = [
  movedAttributes('Upsample', 9, [{ name: 'scales', slot: 1, form: 'list', required: true }]),
  {
    opType: 'Upsample',
    version: 10,
    renames: 'Resize',
    apply: (node) => {
      node.opType = 'Resize';
    },
  },
  {
    opType: 'Resize',
    version: 11,
    check: (node) =>
      isNearest(node) && roundingOf(node) === undefined
        ? 'its scales must be constant, and all at least 1 or all at most 1, to know how it rounds'
        : undefined,
    apply: (node) => {
      const scales = node.input(1);
      if (isNearest(node)) node.setAttribute(attribute('nearest_mode', roundingOf(node) ?? 'floor'));
      node.setAttribute(attribute('coordinate_transformation_mode', 'asymmetric'));
      setConstantInput(node, ROI, 'roi', Tensor.float32([]));
      node.setInput(SCALES, scales);
    },
  },
  {
    opType: 'Resize',
    version: 13,
    check: (node) =>
      node.string('coordinate_transformation_mode', '') === 'tf_half_pixel_for_nn'
        ? 'coordinate_transformation_mode "tf_half_pixel_for_nn" was removed'
        : undefined,
    apply: omitEmptyInputs,
  },
];

function isNearest(node: Node): boolean {
  return node.string('mode', 'nearest') === 'nearest';
}

/** `nearest_mode` of a Resize before version 11, or of an Upsample (which never shrinks); undefined when it cannot be known. */
function roundingOf(node: Node): 'floor' | 'ceil' | undefined {
  if (node.opType === 'Upsample' || node.attributes.has('scales')) return 'floor';
  const tensor = constantTensor(node.input(1));
  if (tensor?.dataType !== DataType.FLOAT) return undefined;
  const scales = tensor.float32Array();
  if (scales.every((scale) => scale >= 1)) return 'floor';
  return scales.every((scale) => scale <= 1) ? 'ceil' : undefined;
}

/** Empty tensors stood for omitted `roi` and `scales` until version 13 made them optional. */
function omitEmptyInputs(node: Node): void {
  for (const slot of [ROI, SCALES]) {
    const value = node.input(slot);
    if (constantTensor(value)?.size === 0) node.setInput(slot, undefined);
  }
}
