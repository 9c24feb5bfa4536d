import type { Model } from '../ir/model.js';
import type { Node } from '../ir/node.js';
import { nodeLabel } from '../ir/problem.js';
import type { Value } from '../ir/value.js';

/** A value whose sizes end as numbers that something is computed with. */
export interface SizeRead {
  readonly value: Value;
  readonly text: string;
  readonly node: Node;
}

/** Inputs that take sizes, axes or positions: the result follows the sizes, and is written anew where it is cut. */
const SHAPE_INPUTS: ReadonlyMap<string, ReadonlySet<number>> = new Map(
  Object.entries({
    Reshape: [1],
    Expand: [1],
    ConstantOfShape: [0],
    Slice: [1, 2, 3, 4],
    Split: [1],
    Tile: [1],
    Resize: [1, 2, 3],
    Pad: [1],
    Range: [0, 1, 2],
    Squeeze: [1],
    Unsqueeze: [1],
    TopK: [1],
  }).map(([name, slots]) => [name, new Set(slots)]),
);

/** Operators through which a list of sizes goes on its way to such an input. */
const THROUGH: ReadonlySet<string> = new Set([
  'Gather',
  'Unsqueeze',
  'Squeeze',
  'Concat',
  'Slice',
  'Cast',
  'Identity',
  'Mul',
  'Div',
  'Add',
  'Sub',
  'Reshape',
  'Where',
  'Equal',
  'ReduceProd',
  'Floor',
  'Ceil',
  'Max',
  'Min',
  'Mod',
  'ConstantOfShape',
  'ScatterElements',
  'ScatterND',
  'Split',
]);

/**
 * Values whose sizes are read by Shape or Size and reach something else than a shape: a width under a root, a divisor. Cutting
 * them would change what is computed.
 */
export function sizesReadAsNumbers(model: Model): SizeRead[] {
  const found: SizeRead[] = [];
  for (const node of model.graph.nodes) {
    if (!node.is('Shape') && !node.is('Size')) continue;
    const value = node.input(0);
    const reader = value && otherReader(node.output());
    if (value && reader)
      found.push({ value, node: reader, text: `its size is computed with (${reader.opType} ${nodeLabel(reader)})` });
  }
  return found;
}

function otherReader(start: Value): Node | undefined {
  const seen = new Set<Value>([start]);
  const pending = [start];
  for (let value = pending.pop(); value; value = pending.pop()) {
    if (value.isGraphOutput) return value.producer;
    for (const { node, slot } of value.uses) {
      if (node.domain !== '' || node.graph !== start.graph) return node;
      if (SHAPE_INPUTS.get(node.opType)?.has(slot)) {
        // What was filled or counted by a size is data; its own sizes are looked at where they are.
        continue;
      }
      if (node.is('Shape')) continue;
      if (!THROUGH.has(node.opType)) return node;
      for (const output of node.outputs) {
        if (!output || seen.has(output)) continue;
        seen.add(output);
        pending.push(output);
      }
    }
  }
  return undefined;
}
