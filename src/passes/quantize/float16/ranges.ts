import type { Model } from '../../../ir/model.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { walkGraphs } from '../../../ir/walk.js';
import type { RangeMap } from '../../../quantize/observers.js';
import { DataType } from '../../../tensor/dtype.js';
import { FLOAT16_MAX } from '../../../tensor/float16.js';
import { elementTypeOf, isFloat32, isShapeOnly } from './classes.js';
import { fillsWithLimit } from './constant-range.js';
import { formatRange } from './words.js';

/** Measured values may reach half of the range: other samples than those measured reach further. */
const LARGEST_MEASURED = FLOAT16_MAX / 2;
/** FLOAT16 holds whole numbers up to here. */
const WHOLE_NUMBERS = 2048;

/** Operators that make whole numbers, as positions and counts are. */
const MAKES_WHOLE = new Set(['Range', 'CumSum', 'Floor', 'Ceil', 'Round']);

/** Operators through which the fill of a mask stays one. */
const PASSES_FILL = new Set(['Add', 'Sub', 'Mul', 'Where', 'Cast', 'Max', 'Min', 'Trilu', 'ScatterND']);

/** Tells of each value why its measured range forbids FLOAT16; undefined where it does not. */
export function rangeReasons(model: Model, ranges: RangeMap): (value: Value) => string | undefined {
  if (ranges.size === 0) return () => undefined;
  const masked = maskedValues(model);
  return (value) => {
    const range = ranges.get(value.name);
    if (!range) return undefined;
    const largest = Math.max(-range.min, range.max);
    if (largest > LARGEST_MEASURED && !masked.has(value)) {
      return `"${value.name}" was measured from ${formatRange(range)}: the largest float16 is 65504`;
    }
    if (largest > WHOLE_NUMBERS && value.producer && makesWhole(value.producer)) {
      return `"${value.name}" has integer values from ${formatRange(range)}: float16 is exact for integers up to ${WHOLE_NUMBERS} only`;
    }
    return undefined;
  };
}

function makesWhole(node: Node): boolean {
  if (node.domain !== '') return false;
  if (!node.is('Cast')) return MAKES_WHOLE.has(node.opType);
  const from = elementTypeOf(node.input(0));
  return from === DataType.INT64 || from === DataType.INT32;
}

/** Values whose extremes are the fill of a mask: FLOAT16 has its own largest number there. */
function maskedValues(model: Model): Set<Value> {
  const masked = new Set<Value>();
  for (const graph of walkGraphs(model.graph)) {
    for (const node of graph.nodes) {
      const passes = node.domain === '' && (PASSES_FILL.has(node.opType) || isShapeOnly(node));
      const fills = fillsWithLimit(node) || (passes && node.inputs.some((input) => input && masked.has(input)));
      if (!fills) continue;
      for (const output of node.outputs) if (isFloat32(output)) masked.add(output);
    }
  }
  return masked;
}
