/**
 * A machine whose 8-bit products are summed in pairs of 16 bits that saturate (x86 without VNNI), emulated: what INT8 loses there, and what the
 * guard keeps. The model is made of layers of sums, which overflow, and of layers of differences, which cannot.
 */
import { describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.js';
import type { Node } from '../../src/ir/node.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { constantTensor } from '../../src/ir/walk.js';
import { numbersOf } from '../../src/ops/eval/lane.js';
import { quantizeStatic } from '../../src/passes/quantize/quantize-static.js';
import type { QuantizationScheme } from '../../src/quantize/scheme.js';
import { createRandom } from '../../src/tensor/random.js';
import { roundHalfEven } from '../../src/tensor/round-half-even.js';

const WIDTH = 24;
const LAYERS = 9;
const CLASSES = 4;
/** Layers of sums among them. */
const SUMS = new Set([0, 3, 6]);
const SAMPLES = 1000;

type Matrix = Float64Array[];

/** Units of a layer are in as many groups as there are classes; a group is fed by the one before it. */
const groupOf = (unit: number, units: number): number => Math.floor((unit * CLASSES) / units);

function makeModel(seed: number): { readonly text: string; readonly weights: readonly Matrix[] } {
  const random = createRandom(seed);
  const next = (): number => random.float();
  const weights = Array.from({ length: LAYERS }, (_, layer): Matrix => {
    const outputs = layer === LAYERS - 1 ? CLASSES : WIDTH;
    return Array.from({ length: WIDTH }, (_row, k) =>
      Float64Array.from({ length: outputs }, (_column, o) => {
        if (groupOf(k, WIDTH) !== groupOf(o, outputs)) return 0;
        const size = (0.9 + 0.1 * next()) / 6;
        // Layers of differences have neighbours of opposite signs.
        return Math.fround(SUMS.has(layer) ? size : k % 2 === 0 ? 2.5 * size : -0.5 * size);
      }),
    );
  });
  const constants = weights.map((matrix, layer) => {
    const outputs = (matrix[0] as Float64Array).length;
    return `float[${WIDTH},${outputs}] w${layer} = {${matrix.map((row) => [...row].join(', ')).join(', ')}}`;
  });
  const nodes = weights.map((_, layer) => {
    const last = layer === LAYERS - 1;
    const product = `${last ? 'y' : `p${layer}`} = MatMul (${layer === 0 ? 'x' : `a${layer - 1}`}, w${layer})`;
    return last ? product : `${product} a${layer} = Relu (p${layer})`;
  });
  const text = `<ir_version: 8, opset_import: ["": 17]>
g (float[n,${WIDTH}] x) => (float[n,${CLASSES}] y) <${constants.join(', ')}> { ${nodes.join('\n')} }`;
  return { text, weights };
}

/** Activations of every layer, and the scores at the end. */
function forward(input: Float64Array, weights: readonly Matrix[]): Float64Array[] {
  const values = [input];
  for (const [layer, matrix] of weights.entries()) {
    const from = values[layer] as Float64Array;
    const sums = Float64Array.from(matrix[0] as Float64Array, (_, o) =>
      from.reduce((sum, value, k) => sum + value * ((matrix[k] as Float64Array)[o] as number), 0),
    );
    values.push(layer === weights.length - 1 ? sums : sums.map((value) => Math.max(0, value)));
  }
  return values;
}

/** What a layer multiplies with: integers of weights and scales of both, as the quantized model has them. */
interface IntegerLayer {
  readonly weights: Float64Array;
  readonly scales: Float64Array;
  readonly outputs: number;
  readonly inputScale: number;
  readonly inputZero: number;
}

function integerLayers(model: Model): IntegerLayer[] {
  return [...model.graph.nodes]
    .filter((node) => node.is('MatMul'))
    .map((node) => {
      const constants = (pair: Node | undefined) =>
        [0, 1, 2].map((slot) => {
          const tensor = constantTensor(pair?.input(slot));
          return tensor ? numbersOf(tensor) : new Float64Array(0);
        });
      const [weights = new Float64Array(0), scales = new Float64Array(0)] = constants(node.input(1)?.producer);
      const [, scale, zero] = constants(node.input(0)?.producer);
      return {
        weights: Float64Array.from(weights),
        scales: Float64Array.from(scales),
        outputs: weights.length / WIDTH,
        inputScale: scale?.[0] ?? Number.NaN,
        inputZero: zero?.[0] ?? Number.NaN,
      };
    });
}

/** The scores of a sample, with sums of two products of at most `limit`. */
function integerScores(input: Float64Array, layers: readonly IntegerLayer[], limit: number): Float64Array {
  let values = input;
  for (const [at, { weights, scales, outputs, inputScale, inputZero }] of layers.entries()) {
    const integers = values.map((value) => Math.min(255, Math.max(0, roundHalfEven(value / inputScale) + inputZero)));
    const sums = new Float64Array(outputs);
    for (let o = 0; o < outputs; o++) {
      let sum = 0;
      let offset = 0;
      for (let k = 0; k < WIDTH; k += 2) {
        const [w0, w1] = [weights[k * outputs + o] as number, weights[(k + 1) * outputs + o] as number];
        const pair = (integers[k] as number) * w0 + (integers[k + 1] as number) * w1;
        sum += Math.min(limit, Math.max(-limit - 1, pair));
        offset += (w0 + w1) * inputZero;
      }
      const value = (sum - offset) * inputScale * (scales[scales.length === 1 ? 0 : o] as number);
      sums[o] = at === layers.length - 1 ? value : Math.max(0, value);
    }
    values = sums;
  }
  return values;
}

const best = (scores: Float64Array): number => scores.indexOf(Math.max(...scores));

describe('on a machine whose sums of two products saturate at 16 bits', () => {
  const { text, weights } = makeModel(11);
  const random = createRandom(5);
  const next = (): number => random.float();
  // The group of its class is brighter than the others of a sample.
  const samples = Array.from({ length: SAMPLES }, (_, sample) => {
    const input = Float64Array.from({ length: WIDTH }, (_unit, k) =>
      groupOf(k, WIDTH) === sample % CLASSES ? 0.8 + 0.2 * next() : 0.6 + 0.2 * next(),
    );
    return { input, label: best(forward(input, weights).at(-1) as Float64Array) };
  });
  const ranges = new Map<string, { min: number; max: number }>();
  for (const { input } of samples)
    for (const [layer, values] of forward(input, weights).slice(0, -1).entries()) {
      const name = layer === 0 ? 'x' : `a${layer - 1}`;
      const known = ranges.get(name) ?? { min: 0, max: 0 };
      ranges.set(name, { min: Math.min(known.min, ...values), max: Math.max(known.max, ...values) });
    }

  async function quantized(
    options: { readonly saturates?: boolean; readonly weights?: QuantizationScheme } = {},
  ): Promise<{ readonly accuracy: (limit: number) => number; readonly note: string }> {
    const model = parseModel(text);
    const report = await model.transform(quantizeStatic({ ranges, ...options }));
    const layers = integerLayers(model);
    return {
      accuracy: (limit) =>
        samples.filter(({ input, label }) => best(integerScores(input, layers, limit)) === label).length / SAMPLES,
      note: report.steps[0]?.notes.at(-1) ?? '',
    };
  }

  it('plain INT8 loses at least 5 points, and the guard at most 0.3, with fewer than half of the layers below 8 bits', async () => {
    const [plain, guarded] = [await quantized(), await quantized({ saturates: true })];
    // Labels are what FP32 says, so FP32 scores 1. Sums of 32 bits lose nothing.
    expect(new Set(samples.map(({ label }) => label)).size).toBe(CLASSES);
    expect(plain.accuracy(2 ** 31)).toBeGreaterThanOrEqual(0.997);
    expect(plain.accuracy(32767)).toBeLessThanOrEqual(0.95);
    expect(guarded.accuracy(32767)).toBeGreaterThanOrEqual(0.997);
    expect(guarded.accuracy(32767)).toBe(guarded.accuracy(2 ** 31));
    expect(guarded.note).toContain(`${SUMS.size} of ${LAYERS} layers have channels of less than 8 bits`);
  });
});
