import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { verifyModel } from '../../src/ir/verify.js';
import { replaceByConstants } from '../../src/passes/fold/constant-results.js';
import { Tensor } from '../../src/tensor/tensor.js';

describe('a Constant for an output of the graph', () => {
  it('brings the operator set that a model of another domain alone lacks', () => {
    const model = parseModel(`<ir_version: 8, opset_import: ["ai.onnx.ml": 1]>
g (float[2] x) => (float[2] y)
{
  y = ai.onnx.ml.Binarizer <threshold: float = 0.5> (x)
}`);
    const node = model.graph.nodes.first;
    if (!node) throw new Error('the model has a node');
    const made = replaceByConstants(node, [Tensor.float32([0, 1])]);
    model.graph.remove(node);
    expect(made?.opType).toBe('Constant');
    expect(model.opset()).toBe(9);
    expect(verifyModel(model)).toEqual([]);
  });
});
