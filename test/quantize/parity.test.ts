/**
 * ONNX Runtime's Python quantizer, number for number. `scripts/make-parity-fixtures.py` makes the expected values and says
 * what is in them.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.js';
import { parseModelBytes } from '../../src/ir/read-model.js';
import { constantTensor } from '../../src/ir/walk.js';
import { inferTypes } from '../../src/ops/infer-types.js';
import { quantizeStatic } from '../../src/passes/quantize/quantize-static.js';
import { quantizationParameters, schemeOf, U8_ACTIVATIONS } from '../../src/quantize/scheme.js';
import { quantizeSymmetric } from '../../src/quantize/weight-kernels.js';
import { weightParameters } from '../../src/quantize/weights.js';
import { DataType } from '../../src/tensor/dtype.js';
import { typedView } from '../../src/tensor/tensor.js';
import { findKnownModel, type KnownModel } from '../helpers/models-folder.js';
import { skipWhere } from '../helpers/skip-where.js';

interface ExpectedWeight {
  readonly axis: number;
  readonly dims: readonly number[];
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  readonly sha256: string;
  readonly magnitudes: readonly number[];
  readonly slice: string;
  readonly quantizedSlice: string;
}

interface Expected extends KnownModel {
  readonly opTypes: readonly string[];
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
  readonly activations: Readonly<Record<string, readonly [number, number]>>;
  readonly weights: Readonly<Record<string, ExpectedWeight>>;
  readonly biases: Readonly<Record<string, { readonly scales: readonly number[]; readonly sha256: string }>>;
}

const ROOT = join(import.meta.dirname, '..', '..');
const FOLDER = join(ROOT, 'test', 'parity');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

const fromBits = (bits: readonly number[]): Float32Array => new Float32Array(Uint32Array.from(bits).buffer);
const toBits = (values: Float32Array): number[] => [...new Uint32Array(values.slice().buffer)];
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const base64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

describe.each(files)('%s', (file) => {
  const expected = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Expected;
  const path = findKnownModel(ROOT, expected);
  const whereFound = skipWhere(path === undefined, `${expected.model} is no fixture, and there is no folder of models`);

  it('gives activations the scale and zero point of ONNX Runtime', () => {
    for (const [name, [scaleBits, zeroPoint]] of Object.entries(expected.activations)) {
      const range = fromBits(expected.ranges[name] ?? []);
      const result = quantizationParameters(range[0] as number, range[1] as number, U8_ACTIVATIONS);
      expect([name, toBits(Float32Array.of(result.scale))[0], result.zeroPoint]).toEqual([name, scaleBits, zeroPoint]);
    }
  });

  it('gives weights the scales of ONNX Runtime, and the same integers', () => {
    for (const [name, weight] of Object.entries(expected.weights)) {
      const max = fromBits(weight.magnitudes);
      const options = schemeOf('s8', { symmetric: true, granularity: { kind: 'channel', axis: weight.axis } });
      const { scales, zeroPoints } = weightParameters({ min: max.map((value) => -value), max }, options);
      expect([name, ...toBits(scales)]).toEqual([name, ...weight.scales]);
      expect(new Set(zeroPoints)).toEqual(new Set(weight.zeroPoints));
      const source = typedView(Float32Array, base64(weight.slice));
      const target = new Int8Array(source.length);
      const inner = weight.dims.slice(weight.axis + 1).reduce((product, dim) => product * dim, 1);
      quantizeSymmetric(source, 0, { channels: scales.length, inner }, scales, target);
      expect([name, ...target]).toEqual([name, ...typedView(Int8Array, base64(weight.quantizedSlice))]);
    }
  });

  whereFound.it('quantizes the whole model to the same scales, weights and biases', async () => {
    const model = parseModelBytes(new Uint8Array(readFileSync(path as string)));
    inferTypes(model);
    const ranges = new Map(
      Object.entries(expected.ranges).map(([name, bits]) => {
        const [min, max] = fromBits(bits);
        return [name, { min: min as number, max: max as number }];
      }),
    );
    await model.transform(quantizeStatic({ ranges, opTypes: expected.opTypes }));
    const found = dequantized(model);
    expect(found.activations).toEqual(new Map(Object.entries(expected.activations)));
    expect(found.weights).toEqual(new Map(Object.entries(expected.weights).map(([n, w]) => [n, [w.scales, w.sha256]])));
    expect(found.biases).toEqual(new Map(Object.entries(expected.biases).map(([n, b]) => [n, [b.scales, b.sha256]])));
  });
});

function dequantized(model: Model) {
  const activations = new Map<string, [number, number]>();
  const weights = new Map<string, [number[], string]>();
  const biases = new Map<string, [number[], string]>();
  for (const node of model.graph.nodes) {
    const scale = constantTensor(node.input(1));
    if (!scale || !node.opType.endsWith('uantizeLinear')) continue;
    const scales = toBits(scale.float32Array());
    if (node.is('QuantizeLinear')) {
      const zeroPoint = constantTensor(node.input(2))?.integers()[0] as number;
      activations.set(node.input(1)?.name.replace(/_scale$/, '') ?? '', [scales[0] as number, zeroPoint]);
    }
    const data = node.is('DequantizeLinear') ? constantTensor(node.input(0)) : undefined;
    if (!data) continue;
    const name = node.input(0)?.name.replace(/_quantized$/, '') ?? '';
    (data.dataType === DataType.INT8 ? weights : biases).set(name, [scales, sha256(data.bytes())]);
  }
  return { activations, weights, biases };
}
