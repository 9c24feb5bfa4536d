import { attribute } from '../../ir/attribute.js';
import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { numericItems } from '../../ops/infer/elements.js';
import { writeList } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { scalarOf } from '../scalar.js';
import { frontAxis, shapeOf } from '../types.js';

/** More outputs than this make no sensible Split. */
const MOST_PARTS = 256;

/** The sizes along its axis of the parts that SplitToSequence makes, where they are known. */
export function partSizes(node: Node, context: RewriteContext): number[] | undefined {
  const shape = shapeOf(node.input(0));
  const axis = shape && frontAxis(node.int('axis', 0), shape.length);
  const length = axis === undefined ? undefined : shape?.[axis];
  const split = node.input(1);
  const elements = split && context.elements(split);
  if (elements?.dims.length === 1) return numericItems(elements);
  const size = split ? numericItems(elements)?.[0] : 1;
  if (typeof length !== 'number' || size === undefined || size < 1 || length > MOST_PARTS * size) return undefined;
  return Array.from({ length: Math.ceil(length / size) }, (_, at) => Math.min(size, length - at * size));
}

/** A SplitToSequence of which only single parts are read becomes a Split that gives these. */
export function splitInstead(node: Node, context: RewriteContext): Match {
  const sequence = node.output();
  if (sequence.isGraphOutput || sequence.pinned || sequence.uses.size === 0) return undefined;
  const readers = new Map<number, Node>();
  const sizes = partSizes(node, context);
  for (const { node: reader, slot } of sequence.uses) {
    if (slot !== 0 || !reader.is('SequenceAt')) return undefined;
    const given = scalarOf(context.constant(reader.input(1)));
    if (given === undefined || !sizes) return 'which of its parts are read, or their sizes, are known at run time only';
    const place = given < 0 ? given + sizes.length : given;
    if (place < 0 || place >= sizes.length) return undefined;
    if (reader.graph !== node.graph || readers.has(place)) return 'one of its parts is read in more than one place';
    readers.set(place, reader);
  }
  const axis = node.int('axis', 0);
  if (!sizes || sizes.length > MOST_PARTS) return undefined;
  if (!node.input(1) && node.int('keepdims', 1) === 0) return 'its parts do not keep the axis that it splits';
  return {
    nodes: [node, ...readers.values()],
    apply() {
      const outputs = sizes.map((_, place) => takenFrom(readers.get(place)) ?? {});
      const operand = writeList(context, node, 'Split', 'split', sizes);
      return node.graph.addNode(
        {
          opType: 'Split',
          name: node.name,
          inputs: [node.input(0), ...operand.inputs],
          outputs,
          attributes: [attribute('axis', axis), ...operand.attributes],
        },
        node,
      );
    },
  };
}

/** The output of a node, which it loses. */
function takenFrom(reader: Node | undefined): Value | undefined {
  const output = reader?.outputs[0];
  if (output) reader?.setOutput(0, undefined);
  return output;
}
