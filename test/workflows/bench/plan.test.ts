import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { inputSpecs } from '../../../src/samples/value-specs.js';
import {
  type Axes,
  type BenchModel,
  type BenchProvider,
  planConfigurations,
} from '../../../src/workflows/bench/plan.js';

function benchModel(text: string, name = 'model.onnx'): BenchModel {
  const model = parseModel(`<ir_version: 8, opset_import: ["" : 17]> ${text}`);
  return { path: name, model, inputs: inputSpecs(model), report: { name, sizeBytes: 1 } };
}

const provider = (text: string): BenchProvider => ({ text, names: [text], executionProviders: [text] });
const OPEN = 'g (float[batch, seq] x, float[batch] y) => (float[batch, seq] z) { z = Identity (x) }';
const FIXED = 'g (float[1, 3] x) => (float[1, 3] z) { z = Identity (x) }';

function plan(axes: Partial<Axes>): string[] {
  return planConfigurations({
    models: [benchModel(OPEN)],
    providers: [provider('cpu')],
    threads: [],
    batch: [],
    dims: new Map(),
    ...axes,
  }).map(({ label, inputs }) => `${label}: ${inputs.map(({ shape }) => `[${shape?.join(',')}]`).join(' ')}`);
}

describe('planConfigurations', () => {
  it('names a single configuration for its model', () => {
    expect(plan({})).toEqual(['model.onnx: [batch,seq] [batch]']);
  });

  it('combines everything, and says in labels only what differs', () => {
    expect(plan({ threads: [1, 2], batch: [8], dims: new Map([['seq', [16]]]) })).toEqual([
      '1 thread: [8,16] [8]',
      '2 threads: [8,16] [8]',
    ]);
    expect(plan({ batch: [1, 8], dims: new Map([['seq', [16, 32]]]) })).toEqual([
      'batch=1 seq=16: [1,16] [1]',
      'batch=1 seq=32: [1,32] [1]',
      'batch=8 seq=16: [8,16] [8]',
      'batch=8 seq=32: [8,32] [8]',
    ]);
    expect(plan({ providers: [provider('cpu'), provider('cuda')] }).map((each) => each.split(':')[0])).toEqual([
      'cpu',
      'cuda',
    ]);
  });

  it('tells models of one name apart', () => {
    const labels = plan({ models: [benchModel(FIXED), benchModel(FIXED), benchModel(FIXED, 'other.onnx')] });
    expect(labels.map((each) => each.split(':')[0])).toEqual(['model.onnx (1)', 'model.onnx (2)', 'other.onnx']);
  });

  it.each([
    [{ models: [benchModel(FIXED)], batch: [8] }, 'SO4002', 'is fixed at 1'],
    [{ dims: new Map([['width', [1]]]) }, 'SO1006', 'no dimension "width"'],
    [{ batch: [2], dims: new Map([['batch', [4]]]) }, 'SO1002', 'contradict each other'],
    [{ threads: Array.from({ length: 501 }, (_, i) => i + 1) }, 'SO2104', '501 configurations are too many'],
  ])('refuses what a model does not take: %#', (axes, code, words) => {
    expect(() => plan(axes)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(words) }));
  });

  it('takes the batch that a model has', () => {
    expect(plan({ models: [benchModel(FIXED)], batch: [1] })).toEqual(['model.onnx: [1,3]']);
  });
});
