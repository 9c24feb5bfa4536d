import type { Attribute } from '../../src/ir/attribute.js';
import { Model } from '../../src/ir/model.js';
import type { Node } from '../../src/ir/node.js';
import { type EvaluateOptions, evaluateNode } from '../../src/ops/eval/evaluate-node.js';
import type { Tensor } from '../../src/tensor/tensor.js';

/** A node of the default domain with as many inputs as given (undefined stands for an omitted one). */
export function operatorNode(
  opType: string,
  inputs: readonly (Tensor | undefined)[],
  attributes: readonly Attribute[] = [],
  outputCount = 1,
): Node {
  const model = new Model();
  return model.graph.addNode({
    opType,
    inputs: inputs.map((tensor, at) => tensor && model.graph.newValue(`x${at}`)),
    outputs: Array.from({ length: outputCount }, () => ({})),
    attributes,
  });
}

/** The first output of one operator. @throws the reason why there is none. */
export function evaluateOperator(
  opType: string,
  inputs: readonly (Tensor | undefined)[],
  attributes: readonly Attribute[] = [],
  opset = 21,
  options: EvaluateOptions = {},
): Tensor {
  const result = evaluateNode(operatorNode(opType, inputs, attributes), inputs, opset, options);
  const tensor = typeof result === 'string' ? undefined : result[0];
  if (!tensor) throw new Error(typeof result === 'string' ? result : 'there is no output');
  return tensor;
}
