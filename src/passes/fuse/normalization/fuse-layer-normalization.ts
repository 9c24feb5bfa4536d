import { attribute, floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { DataType } from '../../../tensor/dtype.js';
import { whyNotOfType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { findPattern, firstPattern } from '../../engine/find-pattern.js';
import { either, op, type Pattern, type PatternMatch } from '../../engine/pattern.js';
import type { Match, Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { dataTypeOf } from '../../types.js';
import {
  commonTail,
  epsilonOf,
  inverseRoot,
  mean,
  normalizationParts,
  overRoot,
  parameterValue,
  square,
} from './normalization-pattern.js';

const NARROW: ReadonlySet<number> = new Set([DataType.FLOAT16, DataType.BFLOAT16]);

const DEVIATION = op('Sub', ['x', mean('x')], { name: 'deviation' });
/** Some exporters compute the deviation twice. */
const VARIANCE = mean(either(square('deviation'), square(op('Sub', ['x', mean('x')]))));

/** (x − mean) / √(variance + epsilon): what comes after it is looked for by itself. */
export const NORMALIZED: readonly Pattern[] = overRoot(DEVIATION, VARIANCE);
/** With the scale multiplied in before: deviation · (scale / √…). */
const SCALED = op('Mul', [DEVIATION, inverseRoot(VARIANCE), 'scale']);
/** x · m + (bias − mean · m) with m = scale / √…, as batch normalization is written in TensorFlow. */
const MULTIPLIER = op('Mul', ['scale', inverseRoot(mean(square(op('Sub', ['x', 'mean']))))], { name: 'multiplier' });
const SHIFTED = op('Add', [
  op('Mul', ['x', MULTIPLIER]),
  op('Sub', ['bias', op('Mul', [mean('x', 'mean'), 'multiplier'])]),
]);

/**
 * (x − mean) / √(variance + epsilon) · scale + bias = LayerNormalization(x, scale, bias), where mean and variance are
 * over the last axes: one pass over the data instead of nine.
 *
 * Fires for Pow or Mul as the square; Sqrt with Div or Reciprocal, or Pow(−0.5); factors in any order; scale and bias,
 * each of which may be missing, of the sizes of the last axes, computed or constant. FLOAT16 that is cast to FLOAT for
 * this and back before the scale is normalized without the casts: LayerNormalization computes in FLOAT internally.
 * Refuses sizes that may not fit, means that are used elsewhere, DOUBLE (LayerNormalization computes it in FLOAT).
 * Numerics: reassociates. Reference: Ba et al. 2016 (arXiv 1607.06450); ONNX operator LayerNormalization-17.
 */
export const fuseLayerNormalization = defineRewrite<object>({
  name: 'fuse-layer-normalization',
  summary: 'Fuses means, Sub, Pow, Sqrt, Div, Mul and Add of a layer normalization into LayerNormalization.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [17, null],
  options: {},
  roots: ['Div', 'Mul', 'Add'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  if (node.is('Add')) {
    const found = findPattern(SHIFTED, node, context);
    return typeof found === 'object' ? fuse(found, node, context) : found;
  }
  return firstPattern([...NORMALIZED, SCALED], node, context, (found) => fuse(found, node, context));
}

function fuse(found: PatternMatch, root: Node, context: RewriteContext): Rewrite | string {
  const computed = found.value('x');
  const reason = whyNotOfType('LayerNormalization', context.opset(root), computed);
  if (reason !== undefined) return reason;
  if (dataTypeOf(computed) === DataType.DOUBLE) return 'LayerNormalization would compute double in float';
  const count = commonTail(found);
  if (typeof count === 'string') return count;
  const parts = normalizationParts(found, root, count, { narrow: NARROW, bias: true });
  if (typeof parts === 'string') return parts;
  const { x, scale, bias, last, nodes } = parts;
  return {
    nodes,
    apply() {
      const inputs = [scale, ...(bias ? [bias] : [])].map((part) => parameterValue(part, last.graph, last));
      const attributes = [floatAttribute('epsilon', epsilonOf(found))];
      if (count !== 1) attributes.unshift(attribute('axis', -count));
      return takeOver(last, { opType: 'LayerNormalization', inputs: [x, ...inputs], attributes });
    },
  };
}
