import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { sortGraph } from '../../../ir/sort.js';
import type { Value } from '../../../ir/value.js';
import { dyingNodes, leakOf } from '../../dying-nodes.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { rankOf, sameDim, shapeOf } from '../../types.js';
import { headsFirst, headsViews, type Operand, outputLayout } from './attention-heads.js';
import { featuresInput, type OperandInput, rotaryInput, splitInputs } from './attention-inputs.js';
import { attachOutput, OUTPUT_COST, replacedNodes } from './attention-output.js';

/**
 * Attention of heads that Reshape and Transpose split from [batch, sequence, features] = Attention of those with
 * q_num_heads and kv_num_heads: the operator splits them and joins the result itself.
 *
 * Fires where query, key and value are all heads of such tensors, of one or of three, also after a rotary embedding,
 * and the result is joined again. Refuses where the fusion would not save a node. Numerics: exact. Reference: ONNX
 * operator Attention-23.
 */
export const fuseHeadsIntoAttention = defineRewrite<object>({
  name: 'fuse-heads-into-attention',
  summary: 'Moves the split into heads into Attention.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [23, null],
  options: {},
  roots: ['Attention'],
  rules: () => ({ match }),
});

function match(node: Node, context: RewriteContext): Match {
  const operands = node.inputs.slice(0, 3).filter((value) => value !== undefined);
  const presents = node.outputs.slice(1).filter((output) => output !== undefined);
  if (presents.length !== node.outputs.length - 1 || presents.length > 2) return undefined;
  if (operands.length < 3 || operands.some((value) => rankOf(value) !== 4)) return undefined;
  const inputs = splitOperands(operands, context) ?? operands.map((value) => operandOf(value, context));
  const [query, key, value] = inputs;
  if (!query || !key || !value || inputs.some((input) => input?.factor !== 1)) return undefined;
  if (!sameDim(query.batch, key.batch) || !sameDim(key.batch, value.batch) || key.heads !== value.heads)
    return undefined;
  const [, , sequence] = shapeOf(operands[0]) ?? [];
  const dims = { batch: query.batch, heads: query.heads, sequence, size: value.size };
  const layout = outputLayout(node, dims, context);
  const others = node.inputs.slice(3);
  const kept = [query, key, value].flatMap(({ from, alsoReads = [] }) => [from, ...alsoReads]);
  const between = replacedNodes(layout).filter((one) => one !== node);
  const dying = dyingNodes([node, ...between], [...kept, ...others]);
  const computed = [node.output(), ...between.flatMap((one) => (one === layout.last ? [] : one.outputs))];
  const leak = layout.last === node ? undefined : leakOf(computed, layout.last, dying);
  if (leak) return `"${leak.name}" is also used elsewhere`;
  const cost = 1 + OUTPUT_COST[layout.form] + query.cost + key.cost + value.cost;
  if (dying.size <= cost) return 'the fusion would not save a node';
  return {
    nodes: [node, ...between],
    apply() {
      const { last } = layout;
      const built: (Value | undefined)[] = [query, key, value].map((one) => one.build(last));
      for (const index of presents.keys()) node.setOutput(1 + index, undefined);
      const kept = [...node.attributes.values()].filter(
        ({ name }) => name !== 'q_num_heads' && name !== 'kv_num_heads',
      );
      const fused = attachOutput(
        layout,
        {
          opType: 'Attention',
          inputs: [...built, ...others],
          outputs: presents,
          attributes: [...kept, attribute('q_num_heads', query.heads), attribute('kv_num_heads', key.heads)],
        },
        dims,
      );
      // Others may read the keys and values before this place.
      if (presents.length > 0) sortGraph(fused.graph);
      return fused;
    },
  };
}

function operandOf(value: Value, context: RewriteContext): OperandInput | undefined {
  const views = headsViews(value, 'value', context);
  return featuresInput(views, false) ?? rotaryInput(headsFirst(value, 'value', false, context), context);
}

function splitOperands(operands: readonly Value[], context: RewriteContext): (OperandInput | undefined)[] | undefined {
  const kinds: Operand[] = ['query', 'key', 'value'];
  const views = operands.map((value, index) => headsViews(value, kinds[index] ?? 'value', context));
  if (views.every((list) => featuresInput(list, false) !== undefined)) return undefined;
  return splitInputs(views, false, context);
}
