/**
 * Softmax, LogSoftmax and Hardmax at operator set 13. Before it they flattened the input to two dimensions at `axis`
 * (default 1) and worked along the second; since then they work along `axis` alone (default -1).
 */
import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { nodeLabel } from '../../../ir/problem.js';
import { tensorType } from '../../../ir/type.js';
import { DataType } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { elementType, knownDims, type OpsetAdapter } from './adapter.js';

export const SOFTMAX_ADAPTERS: readonly OpsetAdapter[] = ['Softmax', 'LogSoftmax', 'Hardmax'].map((opType) => ({
  opType,
  version: 13,
  apply: adapt,
}));

function adapt(node: Node): void {
  const axis = node.int('axis', 1);
  const same = sameAxis(axis, knownDims(node.input(0)));
  if (same === undefined) flatten(node, axis);
  else node.setAttribute(attribute('axis', same));
}

/** The one axis that the flattened dimensions amount to, where at most one of them is not 1; undefined when there is none. */
function sameAxis(axis: number, dims: readonly (number | undefined)[] | undefined): number | undefined {
  if (axis === -1) return -1;
  if (!dims) return undefined;
  const first = axis < 0 ? axis + dims.length : axis;
  const wide = dims.map((dim, at) => (at >= first && dim !== 1 ? at : -1)).filter((at) => at >= 0);
  return wide.length > 1 ? undefined : (wide[0] ?? dims.length - 1);
}

/** Flatten → operator along the last axis → Reshape to the shape of the input. */
function flatten(node: Node, axis: number): void {
  const graph = node.graph;
  const label = nodeLabel(node);
  const input = node.input(0);
  const output = node.output();
  const dataType = elementType(input) ?? elementType(output);
  const type = dataType === undefined ? undefined : tensorType(dataType);
  const flat = graph.addNode(
    {
      opType: 'Flatten',
      inputs: [input],
      outputs: [{ name: `${label}_flat_input`, type }],
      attributes: [attribute('axis', axis)],
    },
    node,
  );
  const shape = constantShape(knownDims(input));
  const shapeValue = shape
    ? addConstant(graph, `${label}_shape`, Tensor.int64(shape), node)
    : graph
        .addNode(
          {
            opType: 'Shape',
            inputs: [input],
            outputs: [{ type: tensorType(DataType.INT64) }],
          },
          node,
        )
        .output();
  node.setInput(0, flat.output());
  node.setAttribute(attribute('axis', -1));
  const flatOutput = graph.newValue(graph.model.freshName(`${label}_flat_output`), type);
  node.setOutput(0, flatOutput);
  graph.addNode({ opType: 'Reshape', inputs: [flatOutput, shapeValue], outputs: [output] }, node.next);
}

/** The target of a Reshape to these sizes, with -1 for the only unknown one; undefined when a constant cannot say it. */
function constantShape(dims: readonly (number | undefined)[] | undefined): number[] | undefined {
  if (!dims || dims.includes(0) || dims.filter((dim) => dim === undefined).length > 1) return undefined;
  return dims.map((dim) => dim ?? -1);
}
