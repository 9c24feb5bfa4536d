/** Figures are read by hand from the JSON in fixtures/trtexec. */
import { describe, expect, it } from 'vitest';
import {
  fusedNodes,
  mergeLayers,
  parseLayerInfo,
  parseLayerProfile,
  QueryTimesReader,
} from '../../../src/targets/tensorrt/exports.js';
import { trtexecPayload } from '../../helpers/fake-trtexec.js';

function times(text: string, pieceBytes = 1000) {
  const reader = new QueryTimesReader();
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
  return reader.end();
}

describe('--exportTimes', () => {
  it('reads the queries of a run of TensorRT 8', () => {
    const { latencyMs, startMs, wallMs } = times(trtexecPayload('exportTimes.trt8-resnet18-a100-fp16.json', 'times'));
    expect(latencyMs).toHaveLength(40);
    expect([...latencyMs.slice(0, 3)]).toEqual([0.873472, 0.8448, 0.843776]);
    expect(latencyMs.at(-1)).toBe(0.844799);
    expect(startMs[0]).toBe(0);
    expect(startMs[1]).toBeCloseTo(3.45702 - 2.57741, 6);
    expect(wallMs).toBeCloseTo(36.4636 - 2.57741, 4);
  });

  it('reads the fields of older versions', () => {
    const entry = '{"startInMs": 5, "endOutMs": 7, "inMs": 0.25, "computeMs": 1.5, "outMs": 0.25}';
    const read = times(`[${entry}]`);
    expect([...read.latencyMs]).toEqual([2]);
    expect(read.wallMs).toBe(2);
  });

  it('says the same however the bytes are cut', () => {
    const text = trtexecPayload('exportTimes.trt8-resnet18-a100-fp16.json', 'times');
    expect(times(text, 7)).toEqual(times(text, 100_000));
  });

  it('has nothing to say of an empty run, and takes numbers that are none', () => {
    expect(times('[\n]\n').latencyMs).toHaveLength(0);
    expect(times('[ { "startH2dMs" : 1, "latencyMs" : nan } ]').latencyMs).toHaveLength(0);
  });

  it('refuses what never ends', () => {
    expect(() => times(`[{${'"a": 1, '.repeat(20_000)}`)).toThrow(SyntaxError);
  });
});

describe('--exportProfile', () => {
  it('reads the layers of an A100 run', () => {
    const { runs, layers } = parseLayerProfile(trtexecPayload('exportProfile.trt8-resnet18-a100-fp16.json', 'profile'));
    expect(runs).toBe(1);
    const first = layers.find(({ name }) => name === 'Conv_0 + Relu_1');
    expect(first).toMatchObject({ averageMs: 0.111616, medianMs: 0.111616 });
    // trtexec prints 10.9768 %.
    expect(first?.share).toBeCloseTo(0.109768, 5);
    expect(layers.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
  });

  it('reads the layers of an INT8 run over 641 runs', () => {
    const { runs, layers } = parseLayerProfile(trtexecPayload('exportProfile.detr-int8.json', 'profile'));
    expect(runs).toBe(641);
    expect(layers[1]).toMatchObject({ name: 'PWN(PWN(/Sub), PWN(/Div))', averageMs: 0.0237058, medianMs: 0.023296 });
  });

  it('reads names that trtexec did not escape, and percentages of nothing', () => {
    const text = [
      '[',
      '  { "count" : 2 }',
      ', { "name" : "a "quoted" \\layer", "timeMs" : 2, "averageMs" : 1, "medianMs" : 1, "percentage" : 100 }',
      ', { "name" : "b", "timeMs" : 0, "averageMs" : 0, "medianMs" : 0, "percentage" : 0 }',
      ']',
    ].join('\n');
    expect(parseLayerProfile(text).layers.map(({ name, share }) => [name, share])).toEqual([
      ['a "quoted" \\layer', 1],
      ['b', 0],
    ]);
    const nothing = '[\n  { "count" : 1 }\n, { "name" : "a", "timeMs" : 0, "averageMs" : 0, "percentage" : -nan }\n]\n';
    expect(parseLayerProfile(nothing).layers).toEqual([{ name: 'a', averageMs: 0, share: 0 }]);
  });

  it('refuses what is no profile', () => {
    for (const text of ['', '{}', '[]', '[1]', 'not JSON'])
      expect(() => parseLayerProfile(text), text).toThrow(SyntaxError);
  });
});

describe('--exportLayerInfo', () => {
  it('reads objects with types at the detailed verbosity', () => {
    const info = parseLayerInfo(trtexecPayload('exportLayerInfo.trt8-resnet18-a100-fp16.json', 'layerInfo'));
    expect(info.layers[1]).toEqual({
      name: 'Conv_0 + Relu_1',
      type: 'CaskConvolution',
      fused: ['Conv_0', 'Relu_1'],
      precision: 'FP16',
    });
    expect(info.layers[0]).toMatchObject({ type: 'Reformat', fused: [], precision: 'FP16' });
  });

  it('reads names alone at the default verbosity', () => {
    const info = parseLayerInfo(trtexecPayload('exportLayerInfo.default-verbosity-detr-int8.json', 'layerInfo'));
    expect(info.layers).toHaveLength(14);
    expect(info.layers[10]).toEqual({ name: 'PWN(PWN(/Sub), PWN(/Div))', fused: ['/Sub', '/Div'] });
    expect(info.layers[11]?.fused).toHaveLength(7);
  });

  it('reads the names and types of TensorRT 11', () => {
    const outputs = { Name: 'y', Format: 'Row major linear FP32 format (kLINEAR)', DataType: 'BFloat16' };
    const layer = { Name: 'conv', LayerType: 'gemm', Outputs: [outputs] };
    const info = parseLayerInfo(JSON.stringify({ Layers: [layer], 'I/O Tensors': [{ Name: 'x' }, { Name: 'y' }] }));
    expect(info).toEqual({ layers: [{ name: 'conv', type: 'gemm', fused: [], precision: 'BF16' }] });
  });

  it('names the nodes in a layer', () => {
    expect(fusedNodes('Conv_5 + Add_6 + Relu_7')).toEqual(['Conv_5', 'Add_6', 'Relu_7']);
    expect(fusedNodes('{ForeignNode[/1/Constant_36...+/1/Slice_4]}')).toEqual(['/1/Constant_36', '+/1/Slice_4']);
    expect(fusedNodes('Reformatting CopyNode for Input Tensor 0 to Conv_0 + Relu_1')).toEqual([]);
    expect(fusedNodes('MaxPool_2')).toEqual([]);
  });

  it('puts times to layers, slowest first', () => {
    const info = parseLayerInfo(trtexecPayload('exportLayerInfo.trt8-resnet18-a100-fp16.json', 'layerInfo'));
    const profile = parseLayerProfile(trtexecPayload('exportProfile.trt8-resnet18-a100-fp16.json', 'profile'));
    const layers = mergeLayers(info, profile);
    expect(layers[0]).toMatchObject({ name: 'Conv_0 + Relu_1', precision: 'FP16', averageMs: 0.111616 });
    expect(layers.length).toBe(profile.layers.length);
    expect(layers.at(-1)?.share).toBe(0);
    expect(mergeLayers(undefined, undefined)).toEqual([]);
  });
});
