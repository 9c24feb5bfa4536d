import type { Node } from '../../ir/node.js';
import type { Dim } from '../../ir/type.js';
import type { Value } from '../../ir/value.js';
import { hasReference } from '../engine/operands.js';
import { shapeOf } from '../types.js';

/** Sizes that stand next to each other in the shape of a tensor: those of axes `start` up to `end`. */
export interface ShapeRun {
  readonly source: Value;
  readonly start: number;
  readonly end: number;
  readonly rank: number;
  /** A node that gives the whole shape of the source, if there is one. */
  readonly whole: Value | undefined;
}

/** How many nodes above are looked at for a Shape. */
const MOST_NODES = 48;

/** The tensor, among those whose shape goes into `node`, that has these sizes next to each other. */
export function findRun(node: Node, items: readonly Dim[]): ShapeRun | undefined {
  const seen = new Set<Node>([node]);
  for (const above of seen) {
    if (seen.size > MOST_NODES) return undefined;
    const run = above === node ? undefined : runIn(above, items);
    if (run) return run;
    if (above.is('Shape')) continue;
    for (const input of above.inputs) if (input?.producer) seen.add(input.producer);
  }
  return undefined;
}

function runIn(shape: Node, items: readonly Dim[]): ShapeRun | undefined {
  const source = shape.input(0);
  const dims = shapeOf(source);
  if (!shape.is('Shape') || !source || !dims || hasReference(shape)) return undefined;
  for (let start = 0; start + items.length <= dims.length; start++) {
    if (!items.every((item, at) => item !== undefined && item === dims[start + at])) continue;
    const isWhole = shape.int('start', 0) === 0 && !shape.attributes.has('end');
    const whole = isWhole ? shape.outputs[0] : undefined;
    return { source, start, end: start + items.length, rank: dims.length, whole };
  }
  return undefined;
}
