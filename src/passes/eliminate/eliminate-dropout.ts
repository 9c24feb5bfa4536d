import type { Node } from '../../ir/node.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import { hasReference } from '../engine/operands.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { isUnused } from '../nodes.js';
import { uniformElement } from '../uniform.js';
import { passThrough } from './pass-through.js';

/**
 * Dropout(x) = x outside training, and with a ratio of 0.
 *
 * Fires when: `training_mode` (opset 12) is absent or known to be false, or the ratio is known to be 0; always from
 * opset 7 to 11; before that, when `is_test` is set. Refuses: a mask that is used. Numerics: exact.
 */
export const eliminateDropout = defineRewrite<object>({
  name: 'eliminate-dropout',
  summary: 'Removes Dropout, which does nothing outside training.',
  group: 'eliminate',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Dropout'],
  rules: () => ({ match: matchDropout }),
});

function matchDropout(node: Node, context: RewriteContext): Match {
  const [output, mask] = node.outputs;
  const input = node.input(0);
  if (!input || !output || hasReference(node)) return undefined;
  if (!isInference(node, context)) return 'it may run in training mode';
  if (mask && !isUnused(mask)) return `its mask "${mask.name}" is used`;
  return passThrough(node, input, output);
}

function isInference(node: Node, context: RewriteContext): boolean {
  const opset = context.opset(node);
  if (opset < 7) return node.int('is_test', 0) !== 0 || node.float('ratio', 0.5) === 0;
  if (opset < 12) return true;
  const mode = node.input(2);
  if (!mode) return true;
  const [training, ratio] = [context.constant(mode), context.constant(node.input(1))];
  return (training && uniformElement(training) === 0) || (ratio !== undefined && uniformElement(ratio) === 0);
}
