/** The sums of a layer's normal equations, computed in ONNX Runtime, against the layer itself. */
import { describe, expect, it } from 'vitest';
import type { Model } from '../../../src/ir/model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { biasOf, setFits } from '../../../src/passes/prune/set-fits.js';
import { type LinearFit, squaredError } from '../../../src/prune/repair/least-squares.js';
import { normalModel } from '../../../src/prune/repair/normal-model.js';
import { type RepairLayer, repairLayer, weightsOf } from '../../../src/prune/repair/repair-layers.js';
import { toFloat16 } from '../../../src/tensor/float16.js';
import { createRandom } from '../../../src/tensor/random.js';
import { groupSums } from '../../../src/workflows/workbench/layer-sums.js';
import { runModel } from '../../helpers/run-model.js';

const random = createRandom(4);
/** FLOAT16 is written as its bits. */
const numbers = (count: number, type = 'float'): string =>
  Array.from({ length: count }, () =>
    type === 'float' ? random.normal().toFixed(3) : toFloat16(random.normal()),
  ).join(',');

/** One layer from x to y: [input, output, weight, bias, attributes]. */
const LAYERS: Readonly<Record<string, () => string>> = {
  'a convolution': () => layer('Conv', '[2,3,7,6]', '[5,3,3,2]', 5, 'pads = [1, 0, 1, 1], strides = [2, 1]'),
  'a grouped, dilated convolution': () => layer('Conv', '[2,4,9,9]', '[6,2,3,3]', 6, 'group = 2, dilations = [2, 1]'),
  'a transposed convolution': () => layer('ConvTranspose', '[2,3,5,4]', '[3,4,2,2]', 4, 'strides = [2, 2]'),
  'a transposed convolution with pads that cut and windows that overlap': () =>
    layer('ConvTranspose', '[2,3,5,4]', '[3,4,4,3]', 4, 'strides = [2, 2], pads = [1, 0, 2, 1]'),
  'a transposed convolution with output padding, dilated': () =>
    layer(
      'ConvTranspose',
      '[2,3,4,4]',
      '[3,2,3,3]',
      2,
      'strides = [3, 2], output_padding = [2, 1], dilations = [2, 1]',
    ),
  'a transposed convolution in groups': () =>
    layer('ConvTranspose', '[2,4,5]', '[4,3,3]', 6, 'group = 2, strides = [2], pads = [1, 1]'),
  'a transposed convolution with strides of 1 and pads beyond its window': () =>
    layer('ConvTranspose', '[1,2,8,8]', '[2,3,2,2]', 3, 'pads = [2, 2, 2, 2]'),
  'a Gemm': () => layer('Gemm', '[6,4]', '[5,4]', 5, 'transB = 1'),
};

function layer(opType: string, x: string, w: string, outputs: number, attributes: string, type = 'float'): string {
  const size = (dims: string): number => (JSON.parse(dims) as number[]).reduce((a, b) => a * b, 1);
  return `<ir_version: 10, opset_import: ["": 17]> g (${type}${x} x) => (${type} y)
    <${type}${w} w = {${numbers(size(w), type)}}, ${type}[${outputs}] b = {${numbers(outputs, type)}}> { y = ${opType} <${attributes}> (x, w, b) }`;
}

/** The layer, and its error over the sums against a copy with other weights: by the sums, and by running both. */
async function errors(text: string, shift: number): Promise<{ bySums: number; byRuns: number; layer: RepairLayer }> {
  const original = parseModel(text);
  const changed = parseModel(text);
  const found = repairLayer(nodeOf(changed));
  if (typeof found !== 'object') throw new Error(found ?? 'no layer');
  const given = weightsOf(found).map((weights, group): LinearFit => ({ weights, bias: biasOf(found, group) }));
  const other = given.map(
    ({ weights, bias }, group): LinearFit => ({
      weights: weights.map((weight, at) => weight + shift * Math.sin(at + group)),
      bias: bias.map((value, at) => value - shift * Math.cos(at)),
    }),
  );
  const {
    model,
    outputs: [outputs],
  } = normalModel({ changed, original }, [{ layer: found }]);
  if (!outputs) throw new Error('no outputs');
  const names = model.graph.outputs.map(({ name }) => name);
  const values = await runModel(model);
  const sums = new Map(names.map((name, at) => [name, Float64Array.from(values[at] ?? [])]));
  const bySums = groupSums(found, outputs, sums).reduce(
    (sum, each, group) => sum + squaredError(each, other[group] as LinearFit),
    0,
  );
  setFits(found, other);
  const [before, after] = [await runModel(original), await runModel(changed)];
  const byRuns = (before[0] ?? []).reduce((sum, value, at) => sum + (value - (after[0]?.[at] ?? Number.NaN)) ** 2, 0);
  return { bySums, byRuns, layer: found };
}

function nodeOf(model: Model) {
  const [node] = [...model.graph.nodes];
  if (!node) throw new Error('no node');
  return node;
}

describe('the sums of a layer', () => {
  for (const [name, text] of Object.entries(LAYERS))
    it(`of ${name} give the error that other weights and another bias really make`, async () => {
      const { bySums, byRuns } = await errors(text(), 0.3);
      expect(byRuns).toBeGreaterThan(0.01);
      expect(bySums / byRuns).toBeCloseTo(1, 3);
    });

  it('of a layer in FLOAT16 are taken in FLOAT, and its weights stay FLOAT16', async () => {
    const text = layer('Conv', '[2,3,7,6]', '[5,3,3,2]', 5, 'pads = [1, 0, 1, 1]', 'float16');
    const { bySums, byRuns, layer: found } = await errors(text, 0.5);
    expect(bySums / byRuns).toBeCloseTo(1, 1);
    const fits = weightsOf(found).map((weights): LinearFit => ({ weights, bias: new Float64Array(5) }));
    setFits(found, fits);
    expect(found.node.input(1)?.type).toMatchObject({ dataType: found.tensor.dataType });
  });
});

describe('layers that are not fitted', () => {
  const reason = (text: string): unknown => repairLayer(nodeOf(parseModel(text)));
  it('say why', () => {
    const lstm = `<ir_version: 10, opset_import: ["": 17]> g (float[3,1,2] x) => (float y)
      <float[1,4,2] w = {${numbers(8)}}, float[1,4,1] r = {${numbers(4)}}> { y = LSTM <hidden_size = 1> (x, w, r) }`;
    expect(reason(lstm)).toContain('gates');
    expect(reason(layer('Conv', '[1,1,4]', '[1,1,2]', 1, 'auto_pad = "SAME_UPPER"'))).toContain('SAME_UPPER');
    const sized = layer('ConvTranspose', '[1,1,4]', '[1,1,2]', 1, 'output_shape = [9], strides = [2]');
    expect(reason(sized)).toContain('output_shape');
  });
});
