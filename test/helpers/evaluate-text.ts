import { parseModel } from '../../src/ir/text/parse-model.js';
import { printTensor } from '../../src/ir/text/print-tensor.js';
import type { Value } from '../../src/ir/value.js';
import { type EvaluateOptions, evaluateNode } from '../../src/ops/eval/evaluate-node.js';
import type { Tensor } from '../../src/tensor/tensor.js';

/** Evaluates nodes in order and gives what is called `y` (or `names`), or the first reason against it. */
export function evaluateText(
  constants: string,
  nodes: string,
  opset = 21,
  options: EvaluateOptions = {},
): ReadonlyMap<string, Tensor> | string {
  const model = parseModel(
    `<ir_version: 10, opset_import: ["": ${opset}]> g () => (float[] y) <${constants}> { ${nodes} }`,
  );
  const known = new Map<Value, Tensor>();
  const named = new Map<string, Tensor>();
  for (const value of model.graph.initializers) if (value.tensor) known.set(value, value.tensor);
  for (const node of model.graph.nodes) {
    const inputs = node.inputs.map((value) => value && known.get(value));
    const result = evaluateNode(node, inputs, opset, options);
    if (typeof result === 'string') return result;
    node.outputs.forEach((value, index) => {
      const tensor = result[index];
      if (!value || !tensor) return;
      known.set(value, tensor);
      named.set(value.name, tensor);
    });
  }
  return named;
}

/** `y` as ONNX text, or `refused: …`. */
export function evaluatedText(constants: string, nodes: string, opset = 21): string {
  const result = evaluateText(constants, nodes, opset);
  if (typeof result === 'string') return `refused: ${result}`;
  const tensor = result.get('y');
  return tensor ? printTensor(tensor, '', 100) : 'refused: there is no y';
}
