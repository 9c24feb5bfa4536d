import type { Node } from '../../../ir/node.js';
import { whyNotOfType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';
import { dataTypeOf } from '../../types.js';
import { clampOf, clampOperator, clampSpec, composeClamps } from './clamp.js';

/**
 * Clip, Relu, and Min or Max with a constant, in sequence, merge into one: Clip(Clip(x, a, b), c, d) = Clip(x, e, f)
 * with e and f = a and b clipped to c … d; Min(Max(x, 0), 6) = Clip(x, 0, 6). Max(x, 0) = Relu(x).
 *
 * Fires for constant bounds of one element, in any type, when nothing else reads the value between the two. Does not
 * merge computed bounds and bounds with axes. Numerics: reassociates, by the sign of zero only. Reference: ONNX
 * operator Clip-13.
 */
export const fuseClip = defineRewrite<object>({
  name: 'fuse-clip',
  summary: 'Merges consecutive Clip, Relu, Min and Max with constant bounds.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [6, null],
  options: {},
  roots: ['Clip', 'Relu', 'Min', 'Max'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  const outer = clampOf(node, context);
  const producer = outer?.x.producer;
  const inner = producer && onlyConsumer(outer.x) === node ? clampOf(producer, context) : undefined;
  const isRelu = node.is('Max') && outer?.low === 0;
  if (!outer || !(inner || isRelu)) return undefined;
  const clamp = inner ? composeClamps(inner, outer) : outer;
  const nodes: [Node, ...Node[]] = inner && producer ? [node, producer] : [node];
  const dataType = dataTypeOf(outer.x);
  if (dataType === undefined) return `the type of "${outer.x.name}" is unknown`;
  const opType = clampOperator(clamp, dataType);
  if (opType === undefined || (!inner && opType !== 'Relu')) return undefined;
  const reason = whyNotOfType(opType, context.opset(node), outer.x);
  if (reason !== undefined) return reason;
  return { nodes, apply: () => takeOver(node, clampSpec(clamp, opType, nodes, context)) };
}
