import type { Node } from '../../../ir/node.js';
import { DataType } from '../../../tensor/dtype.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { findPattern } from '../../engine/find-pattern.js';
import { op } from '../../engine/pattern.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { dataTypeOf } from '../../types.js';

const WIDENED = op('Cast', [
  op(['Softmax', 'LogSoftmax'], [op('Cast', ['x'], { name: 'widened', mayStay: true })], { name: 'softmax' }),
]);

/**
 * Cast(Softmax(Cast(x to FLOAT)) to FLOAT16) = Softmax(x) for FLOAT16 x, and the same for LogSoftmax: runtimes
 * accumulate in FLOAT internally.
 *
 * Fires when the Casts go from FLOAT16 to FLOAT and back, and nothing else reads the result in FLOAT. Numerics:
 * reassociates, within the rounding of FLOAT16.
 */
export const fuseSoftmaxCasts = defineRewrite<object>({
  name: 'fuse-softmax-casts',
  summary: 'Computes Softmax in float16 where Casts to float surround only the Softmax.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['Cast'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  if (node.int('to', 0) !== DataType.FLOAT16) return undefined;
  const found = findPattern(WIDENED, node, context);
  if (typeof found !== 'object') return found;
  const x = found.value('x');
  if (dataTypeOf(x) !== DataType.FLOAT16 || dataTypeOf(found.value('widened')) !== DataType.FLOAT) return undefined;
  const softmax = found.node('softmax');
  const attributes = [...softmax.attributes.values()];
  return { nodes: found.nodes, apply: () => takeOver(node, { opType: softmax.opType, inputs: [x], attributes }) };
}
