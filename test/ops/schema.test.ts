import { describe, expect, it } from 'vitest';
import { inputArity, inputParameter, newestVersion, opSchema, opVersions } from '../../src/ops/schema.js';

describe('operator schemas', () => {
  it('gives the newest version not above the opset', () => {
    expect(opSchema('', 'Squeeze', 12)?.sinceVersion).toBe(11);
    expect(opSchema('', 'Squeeze', 13)?.sinceVersion).toBe(13);
    expect(opSchema('', 'Squeeze', 9999)?.sinceVersion).toBe(opVersions('', 'Squeeze').at(-1));
  });

  it('knows nothing of operators before they existed, and of foreign ones', () => {
    expect(opSchema('', 'LayerNormalization', 16)).toBeUndefined();
    expect(opSchema('', 'NoSuchOperator', 17)).toBeUndefined();
    expect(opSchema('no.such.domain', 'Conv', 1)).toBeUndefined();
    expect(opSchema('', 'constructor', 17)).toBeUndefined();
  });

  it('tells axes as attribute from axes as input', () => {
    expect(opSchema('', 'ReduceMean', 17)?.attributes.get('axes')?.kind).toBe('ints');
    expect(opSchema('', 'ReduceMean', 18)?.attributes.has('axes')).toBe(false);
    expect(opSchema('', 'ReduceMean', 18)?.inputs[1]).toMatchObject({ name: 'axes', option: 'optional' });
  });

  it('describes parameters, constraints and attribute defaults of Conv', () => {
    const conv = opSchema('', 'Conv', 11);
    expect(conv?.inputs.map((p) => [p.name, p.type, p.option])).toEqual([
      ['X', 'T', 'required'],
      ['W', 'T', 'required'],
      ['B', 'T', 'optional'],
    ]);
    expect(conv?.typeConstraints.get('T')).toEqual(['tensor(double)', 'tensor(float)', 'tensor(float16)']);
    expect(conv?.attributes.get('auto_pad')).toEqual({
      name: 'auto_pad',
      kind: 'string',
      required: false,
      default: 'NOTSET',
    });
    expect(conv?.attributes.get('group')?.default).toBe(1);
  });

  it('repeats the variadic parameter for every further position', () => {
    const concat = opSchema('', 'Concat', 13);
    expect(concat && inputParameter(concat, 7)?.name).toBe('inputs');
    expect(concat && inputArity(concat)).toEqual({ min: 1, max: Number.POSITIVE_INFINITY });
    const clip = opSchema('', 'Clip', 13);
    expect(clip && inputArity(clip)).toEqual({ min: 1, max: 3 });
  });

  it('keeps map types with a space in one piece', () => {
    expect(opSchema('ai.onnx.ml', 'CastMap', 1)?.typeConstraints.get('T1')).toEqual([
      'map(int64, float)',
      'map(int64, string)',
    ]);
  });

  it('marks deprecated and non-deterministic operators', () => {
    expect(opSchema('', 'Upsample', 10)?.deprecated).toBe(true);
    expect(opSchema('', 'RandomNormal', 1)?.determinism).toBe('nondeterministic');
    expect(opSchema('', 'Loop', 13)?.determinism).toBe('subgraph');
    expect(opSchema('', 'Range', 11)?.determinism).toBe('deterministic');
  });

  it('holds the com.microsoft operators that ONNX Runtime fuses and quantizes to', () => {
    const names =
      'FusedConv FusedGemm FusedMatMul Gelu BiasGelu FastGelu QuickGelu SkipLayerNormalization ' +
      'SkipSimplifiedLayerNormalization EmbedLayerNormalization Attention MultiHeadAttention RotaryEmbedding ' +
      'MatMulNBits DynamicQuantizeLSTM DynamicQuantizeMatMul MatMulIntegerToFloat QLinearAdd QLinearMul ' +
      'QLinearConcat QLinearSigmoid QLinearLeakyRelu QLinearSoftmax QLinearGlobalAveragePool QLinearAveragePool ' +
      'QGemm QuantizeLinear DequantizeLinear';
    for (const name of names.split(' ')) expect(opSchema('com.microsoft', name, 1), name).toBeDefined();
    expect(opSchema('', 'SimplifiedLayerNormalization', 1)).toBeDefined();
  });

  it('reaches opset 23 and beyond', () => {
    expect(newestVersion('')).toBeGreaterThanOrEqual(23);
    expect(opSchema('', 'Attention', 23)?.outputs.length).toBe(4);
  });
});
