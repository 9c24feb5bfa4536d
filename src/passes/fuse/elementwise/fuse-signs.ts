import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { isFloat } from '../../../tensor/dtype.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';
import { dataTypeOf } from '../../types.js';

/**
 * x + (−y) = x − y, x − (−y) = x + y, (−x)·(−y) = x·y, (−x)/(−y) = x/y, |−x| = |x|. The first two are how IEEE 754
 * defines them.
 *
 * Fires when nothing else reads the negated value; for quotients on floats only. Does not merge −(x − y): it is −0
 * where y − x is 0. Numerics: exact.
 */
export const fuseSigns = defineRewrite<object>({
  name: 'fuse-signs',
  summary: 'Merges Neg into the Add, Sub, Mul, Div or Abs after it.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: ['Add', 'Sub', 'Mul', 'Div', 'Abs'],
  rules: () => ({ match: matchSigns }),
});

function matchSigns(node: Node, context: RewriteContext): Match {
  const [a, b] = [node.input(0), node.input(1)];
  const minusA = negated(a, node);
  const minusB = negated(b, node);
  if (!minusA && !minusB) return undefined;
  const spec = withoutSigns(node, a, b, minusA?.input(0), minusB?.input(0));
  if (!spec) return undefined;
  const dataType = dataTypeOf(a);
  if (node.is('Div') && (dataType === undefined || !isFloat(dataType))) return undefined;
  if (context.opset(node) < 7) return undefined;
  const signs = [minusA, minusB].filter((sign) => sign !== undefined);
  return { nodes: [node, ...signs], apply: () => takeOver(node, spec) };
}

/** The Neg that computes a value for this node alone. */
function negated(value: Value | undefined, node: Node): Node | undefined {
  const producer = value?.producer;
  return value && producer?.is('Neg') && producer.input(0) && onlyConsumer(value) === node ? producer : undefined;
}

/** The operator without negated inputs; `x` and `y` are what is negated. */
function withoutSigns(
  node: Node,
  a: Value | undefined,
  b: Value | undefined,
  x: Value | undefined,
  y: Value | undefined,
): { readonly opType: string; readonly inputs: readonly (Value | undefined)[] } | undefined {
  switch (node.opType) {
    case 'Add':
      return y ? { opType: 'Sub', inputs: [a, y] } : { opType: 'Sub', inputs: [b, x] };
    case 'Sub':
      return y ? { opType: 'Add', inputs: [a, y] } : undefined;
    case 'Abs':
      return { opType: 'Abs', inputs: [x] };
    default:
      return x && y ? { opType: node.opType, inputs: [x, y] } : undefined;
  }
}
