import type { Model } from '../../../ir/model.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { walkGraphs } from '../../../ir/walk.js';
import type { RangeMap } from '../../../quantize/value-range.js';
import { DataType } from '../../../tensor/dtype.js';
import { elementTypeOf, isFloat32, isShapeOnly } from './classes.js';
import { fillsWithLimit } from './constant-range.js';
import type { NarrowFloat } from './narrow-float.js';
import { formatRange } from './words.js';

/** Measured values may reach this share of the range: other samples than those measured reach further. */
const MEASURED_SHARE = 0.5;

/** Operators that make whole numbers, as positions and counts are. */
const MAKES_WHOLE = new Set(['Range', 'CumSum', 'Floor', 'Ceil', 'Round']);

/** Operators through which the fill of a mask stays one. */
const PASSES_FILL = new Set(['Add', 'Sub', 'Mul', 'Where', 'Cast', 'Max', 'Min', 'Trilu', 'ScatterND']);

/** Tells of each value why its measured range forbids FLOAT16; undefined where it does not. */
export function rangeReasons(
  model: Model,
  ranges: RangeMap,
  { name, max, wholeNumbers }: NarrowFloat,
): (value: Value) => string | undefined {
  if (ranges.size === 0) return () => undefined;
  const masked = maskedValues(model);
  return (value) => {
    const range = ranges.get(value.name);
    if (!range) return undefined;
    const largest = Math.max(-range.min, range.max);
    if (largest > max * MEASURED_SHARE && !masked.has(value)) {
      return `"${value.name}" was measured from ${formatRange(range)}: the largest ${name} is ${max}`;
    }
    if (largest > wholeNumbers && value.producer && makesWhole(value.producer)) {
      return `"${value.name}" has integer values from ${formatRange(range)}: ${name} is exact for integers up to ${wholeNumbers} only`;
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
