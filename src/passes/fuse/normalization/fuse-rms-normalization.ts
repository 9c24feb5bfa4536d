import { attribute, floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { DataType } from '../../../tensor/dtype.js';
import { whyNotOfType } from '../../element-type.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { firstPattern } from '../../engine/find-pattern.js';
import { op, type Pattern, type PatternMatch } from '../../engine/pattern.js';
import type { Match, Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { takeOver } from '../../nodes.js';
import { dataTypeOf } from '../../types.js';
import {
  commonTail,
  epsilonOf,
  inverseRoot,
  mean,
  type NormalizationParts,
  normalizationParts,
  overRoot,
  parameterValue,
  square,
} from './normalization-pattern.js';

/** ONNX Runtime has no RMSNormalization of BFLOAT16. */
const NARROW: ReadonlySet<number> = new Set([DataType.FLOAT16]);

const MEAN_SQUARE = mean(square('x'));
/** x / √(mean of x² + epsilon): what comes after it is looked for by itself. */
const NORMALIZED = overRoot('x', MEAN_SQUARE);
/** With the scale multiplied in before: x · (scale / √…). */
const SCALED = op('Mul', ['x', inverseRoot(MEAN_SQUARE), 'scale']);

export const RMS_PATTERNS: readonly Pattern[] = [...NORMALIZED, SCALED];
export const RMS_NORMALIZATION_OPSET = 23;

/**
 * x / √(mean of x² + epsilon) · scale = RMSNormalization(x, scale), where the mean is over the last axes.
 *
 * Fires for Pow or Mul as the square; Sqrt with Div or Reciprocal, or Pow(−0.5); factors in any order; a scale of the
 * sizes of the last axes, computed or constant, or none. FLOAT16 that is cast to FLOAT for this and back before the
 * scale is normalized without the casts. Refuses sizes that may not fit, a mean that is used elsewhere, and DOUBLE
 * (RMSNormalization computes it in FLOAT). Numerics: reassociates. Reference: Zhang and Sennrich 2019 (arXiv
 * 1910.07467); ONNX operator RMSNormalization-23.
 */
export const fuseRmsNormalization = defineRewrite<object>({
  name: 'fuse-rms-normalization',
  summary: 'Fuses Pow, ReduceMean, Sqrt, Div and Mul of a root mean square normalization into RMSNormalization.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [RMS_NORMALIZATION_OPSET, null],
  options: {},
  roots: ['Div', 'Mul'],
  rules: () => ({
    match: (node, context): Match => firstPattern(RMS_PATTERNS, node, context, (found) => fuse(found, node, context)),
  }),
});

/** The parts of a match of `RMS_PATTERNS` that ends at `root`, and over how many of the last axes it is; why it is none. */
export function rmsNormalizationParts(
  found: PatternMatch,
  root: Node,
): (NormalizationParts & { readonly count: number }) | string {
  if (dataTypeOf(found.value('x')) === DataType.DOUBLE) return 'RMSNormalization would compute double in float';
  const count = commonTail(found);
  if (typeof count === 'string') return count;
  const parts = normalizationParts(found, root, count, { narrow: NARROW, bias: false });
  return typeof parts === 'string' ? parts : { ...parts, count };
}

function fuse(found: PatternMatch, root: Node, context: RewriteContext): Rewrite | string {
  const parts = rmsNormalizationParts(found, root);
  if (typeof parts === 'string') return parts;
  const { x, scale, last, nodes, count } = parts;
  const reason = whyNotOfType('RMSNormalization', context.opset(root), x);
  if (reason !== undefined) return reason;
  return {
    nodes,
    apply() {
      const inputs = [x, parameterValue(scale, last.graph, last)];
      const attributes = [floatAttribute('epsilon', epsilonOf(found))];
      if (count !== 1) attributes.unshift(attribute('axis', -count));
      return takeOver(last, { opType: 'RMSNormalization', inputs, attributes });
    },
  };
}
