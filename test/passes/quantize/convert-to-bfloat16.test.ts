import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { formatType } from '../../../src/ir/type.js';
import { constantTensor } from '../../../src/ir/walk.js';
import { inferTypes } from '../../../src/ops/infer-types.js';
import { convertToBfloat16 } from '../../../src/passes/quantize/convert-to-bfloat16.js';
import { emulateFloat16 } from '../../../src/quantize/emulate-float16.js';
import { fromBfloat16, toBfloat16 } from '../../../src/tensor/bfloat16.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { runModel } from '../../helpers/run-model.js';

async function convert(text: string, opset = 22) {
  const model = parseModel(`<ir_version: 10, opset_import: ["": ${opset}]> ${text}`);
  const { steps } = await model.transform(convertToBfloat16());
  inferTypes(model);
  return { model, refusals: steps[0]?.refusals ?? [], notes: steps[0]?.notes ?? [] };
}

const CONV = `g (float[1,1,4,4] x) => (float[1,2,4,4] y) <float[2,1,1,1] w = {0.3, -7}> { c = Conv (x, w) y = Relu (c) }`;

describe('convert-to-bfloat16', () => {
  it('converts weights and arithmetic, and keeps inputs and outputs', async () => {
    const { model } = await convert(CONV);
    expect(constantTensor(model.graph.values.get('w'))?.dataType).toBe(DataType.BFLOAT16);
    expect(formatType(model.graph.values.get('c')?.type)).toBe('bfloat16[1,2,4,4]');
    expect(formatType(model.graph.inputs[0]?.type)).toBe('float[1,1,4,4]');
    expect(formatType(model.graph.outputs[0]?.type)).toBe('float[1,2,4,4]');
  });

  it('leaves convolutions before opset 22, which have no BFLOAT16', async () => {
    const { refusals } = await convert(CONV, 17);
    expect(refusals.map(({ reason }) => reason)).toContain('Conv does not support bfloat16 at opset 17');
  });

  it('keeps whole numbers beyond 256 and indices in float, but not what only leaves the range of FLOAT16', async () => {
    const squares = await convert(
      'g (float[4] x) => (float y) <float e = {1e-12}> { s = Mul (x, x) m = ReduceMean <keepdims = 0> (s) a = Add (m, e) y = Sqrt (a) }',
    );
    expect(squares.refusals).toEqual([]);
    const indices = await convert('g (float[4] x) => (int64[1] y) { r = Relu (x) y = ArgMax <axis = 0> (r) }');
    expect(indices.refusals.length).toBeGreaterThan(0);
    const positions = await convert(
      'g (int64[300] x) => (float[300] y) <float k = {0.01}> { f = Cast <to = 1> (x) a = Mul (f, k) y = Sin (a) }',
    );
    expect(positions.refusals.map(({ reason }) => reason)).toContain('positions beyond 256 are not exact in bfloat16');
  });

  it('is rounded by ONNX Runtime in emulation as ml_dtypes and our own conversion round', async () => {
    const numbers = [1.00390625, 1.01171875, 3.0e38, -1.0e-40, 0.1, 65519];
    const { model } = await convert('g (float[6] x) => (float[6] y) <float one = {1}> { y = Mul (x, one) }');
    emulateFloat16(model);
    const [y] = await runModel(model, new Map([['x', numbers]]));
    expect(y).toEqual(numbers.map((value) => fromBfloat16(toBfloat16(value))));
  });
});
