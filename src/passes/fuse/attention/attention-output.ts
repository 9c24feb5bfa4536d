/** Putting a fused operator that gives [batch, sequence, features] in the place of attention written out. */
import { attribute } from '../../../ir/attribute.js';
import type { NodeSpec } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import { type Dim, tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { takeOver } from '../../nodes.js';
import { dataTypeOf } from '../../types.js';
import type { OutputLayout } from './attention-heads.js';

/** Nodes that are needed after the fused one. */
export const OUTPUT_COST: Readonly<Record<OutputLayout['form'], number>> = {
  features: 0,
  reshaped: 0,
  'sequence-first': 1,
  'heads-last': 1,
  'heads-first': 2,
};

/** The nodes of a layout that go. */
export function replacedNodes(layout: OutputLayout): readonly Node[] {
  return layout.form === 'reshaped' ? layout.nodes.slice(0, -1) : layout.nodes;
}

export interface OutputDims {
  readonly batch: Dim;
  readonly sequence: Dim;
  readonly heads: number;
  readonly size: number;
}

/** What a node computes from the fused output, of the same shape. */
export type AfterOutput = (output: Value) => Omit<NodeSpec, 'outputs'>;

/**
 * Adds the fused node, whose first output is [batch, sequence, heads·size], and whatever gives the values after `layout.last`
 * from it. `spec.outputs` are the further outputs; `after` tells of a node that comes directly after it.
 */
export function attachOutput(layout: OutputLayout, spec: NodeSpec, dims: OutputDims, after?: AfterOutput): Node {
  const { last, form } = layout;
  const { graph } = last;
  const dataType = dataTypeOf(last.output()) ?? 0;
  if (form === 'features' && spec.outputs.length === 0 && !after) return takeOver(last, spec);
  const type = tensorType(dataType, [dims.batch, dims.sequence, dims.heads * dims.size]);
  const outputs = [{ name: `${spec.opType}_output`, type }, ...spec.outputs];
  const fused = graph.addNode({ ...spec, outputs }, last);
  if (form === 'features') {
    if (after) takeOver(last, after(fused.output()));
    else handOver(last, fused);
    return fused;
  }
  const name = `${spec.opType}_result`;
  const output = after
    ? graph.addNode({ ...after(fused.output()), outputs: [{ name, type }] }, last).output()
    : fused.output();
  switch (form) {
    case 'reshaped':
      last.setInput(0, output);
      break;
    case 'sequence-first':
      takeOver(last, { opType: 'Transpose', inputs: [output], attributes: [attribute('perm', [1, 0, 2])] });
      break;
    case 'heads-last':
      takeOver(last, { opType: 'Reshape', inputs: [output, splitTarget(last, dims)] });
      break;
    case 'heads-first': {
      const heads = tensorType(dataType, [dims.batch, dims.sequence, dims.heads, dims.size]);
      const splitOutputs = [{ name: `${spec.opType}_heads`, type: heads }];
      const inputs = [output, splitTarget(last, dims)];
      const split = graph.addNode({ opType: 'Reshape', inputs, outputs: splitOutputs }, last);
      takeOver(last, { opType: 'Transpose', inputs: [split.output()], attributes: [attribute('perm', [0, 2, 1, 3])] });
    }
  }
  return fused;
}

/** Lets `to` compute the output of `from`, which goes. */
function handOver(from: Node, to: Node): void {
  const value = from.output();
  const own = to.output();
  from.setOutput(0, undefined);
  from.graph.remove(from);
  to.setOutput(0, value);
  to.graph.forget(own);
}

function splitTarget(last: Node, dims: OutputDims) {
  return addConstant(last.graph, 'heads_shape', Tensor.int64([0, 0, dims.heads, dims.size]), last);
}
