import type { Tolerance } from '../../evaluate/equality.js';
import type { Model } from '../../ir/model.js';
import { allGraphs, allNodes } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';

const EXACT: Tolerance = { exact: true, relative: 0, ofLargest: 0, ties: 0 };
const FLOAT: Tolerance = { exact: false, relative: 1e-4, ofLargest: 1e-5, ties: 1e-3 };
/** 11 bits of precision: one rounding is 5e-4. */
const HALF: Tolerance = { exact: false, relative: 1e-2, ofLargest: 5e-3, ties: 1e-2 };
/** One step of an 8-bit scale, which rounding before it decides. */
const QUANTIZED: Tolerance = { exact: false, relative: 1e-2, ofLargest: 2e-2, ties: 2e-2 };

const QUANTIZERS = /^(DynamicQuantizeLinear|QuantizeLinear|QLinear\w+|\w+Integer\w*)$/;

/**
 * How far the outputs of a result may be from the original's: not at all after exact changes, else by what rounding in the
 * narrowest type of the model makes of it.
 */
export function toleranceOf(model: Model, exact: boolean): Tolerance {
  if (exact) return EXACT;
  for (const node of allNodes(model)) if (QUANTIZERS.test(node.opType)) return QUANTIZED;
  for (const graph of allGraphs(model)) {
    for (const { type, tensor } of graph.values.values()) {
      const dataType = tensor?.dataType ?? (type?.kind === 'tensor' ? type.dataType : undefined);
      if (dataType === DataType.FLOAT16 || dataType === DataType.BFLOAT16) return HALF;
    }
  }
  return FLOAT;
}
