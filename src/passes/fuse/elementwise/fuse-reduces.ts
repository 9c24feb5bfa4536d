import type { Node } from '../../../ir/node.js';
import { isFloat } from '../../../tensor/dtype.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { writeList } from '../../engine/operands.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';
import { readReduction, withKeepdims } from '../../reduce-axes.js';
import { dataTypeOf } from '../../types.js';

/**
 * A reduction of a reduction of other axes, where one over all of them is the same: sums of sums, means of means (all of
 * the same number of elements), extremes, products, norms of norms, a sum of sums of squares or of L1 norms.
 *
 * Fires when the axes are known, both keep them or both drop them, and nothing else reads the value between. Refuses one
 * that keeps its axes and one that drops them: no single reduction does both. Numerics: reassociates (ReduceMax and
 * ReduceMin: exact).
 */
export const fuseReduces = defineRewrite<object>({
  name: 'fuse-reduces',
  summary: 'Merges consecutive reductions over different axes into one.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: ['ReduceL1', 'ReduceL2', 'ReduceLogSumExp', 'ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd', 'ReduceSum'],
  rules: () => ({ match: matchReduces }),
});

/** The second and the first reduction, and the one that does both, where it is not the same operator three times. */
const JOINED: ReadonlyMap<string, string> = new Map([
  ['ReduceSum ReduceL1', 'ReduceL1'],
  ['ReduceSum ReduceSumSquare', 'ReduceSumSquare'],
]);

function matchReduces(node: Node, context: RewriteContext): Match {
  const middle = node.input(0);
  const first = middle?.producer;
  const source = first?.input(0);
  const opType = first?.opType === node.opType ? node.opType : JOINED.get(`${node.opType} ${first?.opType}`);
  if (!middle || !source || !first || first.domain !== '' || opType === undefined || onlyConsumer(middle) !== node)
    return undefined;
  const dataType = dataTypeOf(source);
  // Integers are divided and rooted with a remainder dropped each time.
  if (dataType === undefined || (!isFloat(dataType) && ROUNDING.has(opType))) return undefined;
  const inner = readReduction(context, first);
  const outer = readReduction(context, node);
  if (!inner || !outer || inner.axes.length === 0 || outer.axes.length === 0) return undefined;
  if (inner.keepsAxes !== outer.keepsAxes) return 'one of the two keeps the reduced axes, and one drops them';
  const axes = [...new Set([...inner.axes, ...(inner.keepsAxes ? outer.axes : sourceAxes(inner.axes, outer.axes))])];
  return {
    nodes: [node, first],
    apply() {
      const { inputs, attributes } = writeList(
        context,
        node,
        opType,
        'axes',
        axes.sort((a, b) => a - b),
      );
      const rest = withKeepdims(first, inner.keepsAxes).filter(({ name }) => name !== 'axes');
      return takeOver(node, { opType, inputs: [source, ...inputs], attributes: [...attributes, ...rest] });
    },
  };
}

const ROUNDING: ReadonlySet<string> = new Set(['ReduceMean', 'ReduceL2', 'ReduceLogSumExp']);

/** Axes of what is left after `dropped` are gone, as axes of the value they were dropped from. */
function sourceAxes(dropped: readonly number[], axes: readonly number[]): number[] {
  const gone = new Set(dropped);
  const last = Math.max(-1, ...axes) + gone.size + 1;
  const kept = Array.from({ length: last + 1 }, (_, axis) => axis).filter((axis) => !gone.has(axis));
  return axes.flatMap((axis) => kept[axis] ?? []);
}
