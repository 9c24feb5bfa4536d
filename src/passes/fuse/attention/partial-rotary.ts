import { type Attribute, attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';
import { frontAxis, shapeOf } from '../../types.js';
import { isPart } from './rotation.js';
import { tracesOf } from './strided-view.js';

/** Heads of which only the first elements are turned. */
export interface PartialHeads {
  /** [batch, heads, sequence, size] */
  readonly x: Value;
  /** The node that puts the turned part before the rest. */
  readonly concat: Node;
  /** The node that gives the rest. */
  readonly rest: readonly Node[];
  /** What a RotaryEmbedding of all of x is told. */
  readonly attributes: readonly Attribute[];
}

/**
 * The heads of which `part` is the first part, where `rotated`, which is made of it, is put together with the rest; undefined
 * where it is not, a reason where it nearly is.
 */
export function partialHeads(part: Value, rotated: Value, context: RewriteContext): PartialHeads | string | undefined {
  const concat = onlyConsumer(rotated);
  const rest = concat?.input(1);
  const shape = shapeOf(part);
  const [, heads, , size] = shape ?? [];
  if (!concat?.is('Concat') || concat.input(0) !== rotated || !rest || concat.inputs.length !== 2) return undefined;
  if (shape?.length !== 4 || typeof size !== 'number' || frontAxis(concat.int('axis', 0), 4) !== 3) return undefined;
  const restSize = shapeOf(rest)?.[3];
  const x = typeof restSize === 'number' ? wholeOf(part, size, rest, restSize, context) : undefined;
  if (!x) return 'the values concatenated with it may not be the rest of its input';
  if (typeof heads !== 'number') return 'the number of heads is unknown';
  return {
    x,
    concat,
    rest: rest.producer ? [rest.producer] : [],
    attributes: [attribute('num_heads', heads), attribute('rotary_embedding_dim', size)],
  };
}

/**
 * Concat(RotaryEmbedding(first part of x), rest of x) along the last axis = RotaryEmbedding(x) of as much of each head as
 * the part has. For both domains that have the operator.
 */
export function partialRotary(node: Node, context: RewriteContext): Match {
  const part = node.input(0);
  if (!part || node.int('rotary_embedding_dim', 0) !== 0) return undefined;
  const found = partialHeads(part, node.output(), context);
  if (typeof found !== 'object') return found;
  return {
    nodes: [node, found.concat, ...found.rest],
    apply() {
      const kept = [...node.attributes.values()].filter(
        ({ name }) => name !== 'num_heads' && name !== 'rotary_embedding_dim',
      );
      return takeOver(found.concat, {
        opType: 'RotaryEmbedding',
        domain: node.domain,
        inputs: [found.x, ...node.inputs.slice(1)],
        attributes: [...kept, ...found.attributes],
      });
    },
  };
}

/** The value of which `part` is the first `size` elements along the last axis, and `rest` all others. */
function wholeOf(part: Value, size: number, rest: Value, restSize: number, context: RewriteContext): Value | undefined {
  for (const { source } of tracesOf(part, context)) {
    if (shapeOf(source)?.[3] !== size + restSize || shapeOf(source)?.length !== 4) continue;
    if (isPart(part, source, 0, size, 1, context) && isPart(rest, source, size, restSize, 1, context)) return source;
  }
  return undefined;
}
