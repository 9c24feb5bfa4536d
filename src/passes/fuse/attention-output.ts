/** Putting a fused operator that gives [batch, sequence, features] in the place of attention written out. */
import { attribute } from '../../ir/attribute.js';
import type { NodeSpec } from '../../ir/graph.js';
import type { Node } from '../../ir/node.js';
import { type Dim, tensorType } from '../../ir/type.js';
import { Tensor } from '../../tensor/tensor.js';
import { addConstant } from '../constants.js';
import { takeOver } from '../nodes.js';
import { dataTypeOf } from '../types.js';
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

/**
 * Adds the fused node, whose first output is [batch, sequence, heads·size], and whatever gives the values after `layout.last`
 * from it. `spec.outputs` are the further outputs.
 */
export function attachOutput(layout: OutputLayout, spec: NodeSpec, dims: OutputDims): Node {
  const { last, form } = layout;
  const { graph } = last;
  const dataType = dataTypeOf(last.output()) ?? 0;
  if (form === 'features' && spec.outputs.length === 0) return takeOver(last, spec);
  const features = tensorType(dataType, [dims.batch, dims.sequence, dims.heads * dims.size]);
  const fused = graph.addNode(
    { ...spec, outputs: [{ name: `${spec.opType}_output`, type: features }, ...spec.outputs] },
    last,
  );
  const output = fused.output();
  switch (form) {
    case 'features': {
      const value = last.output();
      last.setOutput(0, undefined);
      graph.remove(last);
      fused.setOutput(0, value);
      graph.forget(output);
      break;
    }
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
      const type = tensorType(dataType, [dims.batch, dims.sequence, dims.heads, dims.size]);
      const outputs = [{ name: `${spec.opType}_heads`, type }];
      const split = graph.addNode({ opType: 'Reshape', inputs: [output, splitTarget(last, dims)], outputs }, last);
      const attributes = [attribute('perm', [0, 2, 1, 3])];
      takeOver(last, { opType: 'Transpose', inputs: [split.output()], attributes });
    }
  }
  return fused;
}

function splitTarget(last: Node, dims: OutputDims) {
  return addConstant(last.graph, 'heads_shape', Tensor.int64([0, 0, dims.heads, dims.size]), last);
}
