import type { Node } from '../../../ir/node.js';
import { DataType, isFloat } from '../../../tensor/dtype.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';
import { dataTypeOf } from '../../types.js';

/**
 * Where(Not(c), a, b) = Where(c, b, a), If(Not(c)) is If(c) with its branches exchanged, and Not of a comparison of
 * integers is the opposite comparison.
 *
 * Fires always on Where and If; the Not stays while something else reads it. Comparisons of floats stay: with a NaN
 * both a < b and a >= b are false. Numerics: exact.
 */
export const fuseNot = defineRewrite<object>({
  name: 'fuse-not',
  summary: 'Merges Not into the Where or If after it, or the comparison of integers before it.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['Where', 'If', 'Not'],
  rules: () => ({ match: (node, context) => (node.is('Not') ? matchNot(node, context) : matchChoice(node)) }),
});

function matchChoice(node: Node): Match {
  const not = node.input(0)?.producer;
  const condition = not?.input(0);
  if (!not?.is('Not') || !condition) return undefined;
  return node.is('Where') ? exchangeValues(node, not) : exchangeBranches(node, not);
}

function exchangeValues(node: Node, not: Node): Rewrite {
  return {
    nodes: [node, not],
    apply() {
      const [yes, no] = [node.input(1), node.input(2)];
      return takeOver(node, { opType: 'Where', inputs: [not.input(0), no, yes] });
    },
  };
}

function exchangeBranches(node: Node, not: Node): Rewrite | undefined {
  const yes = node.attributes.get('then_branch')?.value;
  const no = node.attributes.get('else_branch')?.value;
  if (yes?.kind !== 'graph' || no?.kind !== 'graph') return undefined;
  return {
    nodes: [node, not],
    apply() {
      node.setInput(0, not.input(0));
      node.setAttribute({ name: 'then_branch', value: no });
      node.setAttribute({ name: 'else_branch', value: yes });
      return node;
    },
  };
}

/** Comparisons and what their Not is, with the version that brought it for integers. */
const OPPOSITE: ReadonlyMap<string, readonly [opType: string, since: number]> = new Map([
  ['Less', ['GreaterOrEqual', 12]],
  ['Greater', ['LessOrEqual', 12]],
  ['LessOrEqual', ['Greater', 9]],
  ['GreaterOrEqual', ['Less', 9]],
]);

function matchNot(node: Node, context: RewriteContext): Match {
  const value = node.input(0);
  const comparison = value?.producer;
  const opposite = comparison?.domain === '' ? OPPOSITE.get(comparison.opType) : undefined;
  if (!value || !comparison || !opposite || onlyConsumer(value) !== node) return undefined;
  const dataType = dataTypeOf(comparison.input(0)) ?? DataType.UNDEFINED;
  const [opType, since] = opposite;
  if (isFloat(dataType)) return 'with a NaN both comparisons are false';
  // Runtimes have kernels of all four for these two.
  if ((dataType !== DataType.INT32 && dataType !== DataType.INT64) || context.opset(node) < since) return undefined;
  const inputs = [...comparison.inputs];
  return { nodes: [node, comparison], apply: () => takeOver(node, { opType, inputs }) };
}
