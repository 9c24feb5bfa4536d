import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blockKernels, plainBlockKernels } from '../../../src/quantize/nbits/block-kernels.js';
import {
  type MatrixSource,
  type NBits,
  type PackedMatrix,
  packRows,
  unpackedRow,
} from '../../../src/quantize/nbits/nbits-format.js';
import { pairForm } from '../../../src/quantize/nbits/pair-form.js';
import { roundToNearest } from '../../../src/quantize/nbits/round-to-nearest.js';
import { storedNumbers } from '../../../src/quantize/stored-numbers.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { bytesOf, Tensor } from '../../../src/tensor/tensor.js';

/** What ONNX Runtime's Python made of matrices: scripts/make-nbits-references.py. */
const { cases } = JSON.parse(readFileSync(new URL('references.json', import.meta.url), 'utf8')) as {
  readonly cases: readonly Case[];
};

interface Packed {
  readonly bits: NBits;
  readonly block: number;
  readonly symmetric: boolean;
  readonly codes: string;
  readonly scales: string;
  readonly zeroPoints?: string;
}

interface Case {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: string;
  readonly packed: readonly Packed[];
  readonly pairs: readonly Packed[];
  readonly tables: readonly Packed[];
}

const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');
const floats = (base64: string): Float32Array => new Float32Array(Uint8Array.from(bytes(base64)).buffer);
const bits = (values: Float32Array): number[] => [...new Int32Array(values.buffer, values.byteOffset, values.length)];

function sourceOf({ weights, inputs, outputs }: Case, byOutput: boolean): MatrixSource {
  const values = floats(weights);
  const dims = byOutput ? [outputs, inputs] : [inputs, outputs];
  const turned = values.map((_, at) => values[(at % inputs) * outputs + Math.floor(at / inputs)] as number);
  return { tensor: Tensor.float32(byOutput ? turned : values, dims), first: 0, inputs, outputs, byOutput };
}

/** Codes without the padding of a byte that no whole byte of its block precedes: ONNX Runtime leaves there what an earlier block left. */
function withoutChance(codes: Uint8Array, { inputs }: Case, { block, bits }: Packed): Uint8Array {
  const last = inputs % block;
  if (last === 0 || last * bits > 8) return codes;
  const blobBytes = (block * bits) / 8;
  const rowBytes = Math.ceil(inputs / block) * blobBytes;
  return codes.map((byte, at) => (at % rowBytes === rowBytes - blobBytes ? byte & (2 ** (last * bits) - 1) : byte));
}

describe('roundToNearest', () => {
  for (const each of cases)
    for (const byOutput of [false, true])
      it(`gives the bytes of ONNX Runtime's quantizer of weights: ${each.name}, ${byOutput ? 'turned' : 'upright'}`, () => {
        for (const expected of each.packed) {
          for (const kernels of [blockKernels(), plainBlockKernels()]) {
            const made = roundToNearest(sourceOf(each, byOutput), expected, 'operator', kernels);
            const what = `${expected.bits} bits, block ${expected.block}, symmetric ${expected.symmetric}`;
            expect(bits(made?.scales as Float32Array), what).toEqual(bits(floats(expected.scales)));
            const codes = [made?.codes as Uint8Array, new Uint8Array(bytes(expected.codes))];
            const [own, peer] = codes.map((all) => withoutChance(all, each, expected));
            expect(own, what).toEqual(peer);
            const zeros = made?.zeroPoints && packRows(made.zeroPoints, each.outputs, expected.bits);
            expect(zeros, what).toEqual(expected.zeroPoints && new Uint8Array(bytes(expected.zeroPoints)));
          }
        }
      });

  for (const each of cases)
    it(`gives the bytes of ONNX Runtime's quantizer of tables: ${each.name}`, () => {
      for (const expected of each.tables) {
        const made = roundToNearest(sourceOf(each, true), expected, 'tables');
        const what = `symmetric ${expected.symmetric}`;
        // NumPy does not say which zero is the least of several.
        const scales = [made?.scales as Float32Array, floats(expected.scales)].map((all) =>
          all.map((each) => each + 0),
        );
        expect(scales[0], what).toEqual(scales[1]);
        const codes = new Uint8Array(each.inputs);
        const all = Array.from({ length: each.outputs }, (_, n) => {
          unpackedRow(made as PackedMatrix, n, codes);
          return [...codes].map((code) => (expected.symmetric ? code - 8 : code));
        }).flat();
        expect(storedNumbers(all, { storage: DataType.INT4 }), what).toEqual(new Uint8Array(bytes(expected.codes)));
        const zeros = made?.zeroPoints && storedNumbers(made.zeroPoints, { storage: DataType.UINT4 });
        expect(zeros, what).toEqual(expected.zeroPoints && new Uint8Array(bytes(expected.zeroPoints)));
      }
    });

  // More weights than are in memory at a time: many rows, rows that are too long, and rows of inputs that are.
  for (const [inputs, outputs, block] of [
    [2072, 2101, 32],
    [1_100_003, 5, 128],
    [16, 262_301, 16],
  ] as const)
    it(`gives the same in both orientations: ${inputs} inputs, ${outputs} outputs`, () => {
      const upright = new Float32Array(inputs * outputs);
      const turned = new Float32Array(inputs * outputs);
      for (let k = 0; k < inputs; k++)
        for (let n = 0; n < outputs; n++)
          upright[k * outputs + n] = turned[n * inputs + k] = (((k * 131 + n * 57) % 1009) - 500) * (1 + (n % 7));
      const format = { bits: 4, block, symmetric: false } as const;
      const [a, b] = [upright, turned].map((values, at) => {
        const dims = at === 0 ? [inputs, outputs] : [outputs, inputs];
        return roundToNearest(
          { tensor: Tensor.float32(values, dims), first: 0, inputs, outputs, byOutput: at === 1 },
          format,
        );
      });
      for (const role of ['codes', 'scales', 'zeroPoints'] as const)
        expect(Buffer.compare(bytesOf(a?.[role] as Uint8Array), bytesOf(b?.[role] as Uint8Array)), role).toBe(0);
      // A few outputs by themselves.
      for (const n of [0, Math.floor(outputs / 2), outputs - 1]) {
        const row = Tensor.float32(turned.slice(n * inputs, (n + 1) * inputs), [1, inputs]);
        const alone = roundToNearest({ tensor: row, first: 0, inputs, outputs: 1, byOutput: true }, format);
        const codes = alone?.codes as Uint8Array;
        const own = a?.codes.subarray(n * codes.length, (n + 1) * codes.length) as Uint8Array;
        expect(Buffer.compare(own, codes)).toBe(0);
      }
    });

  it('refuses weights that are not finite', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
      for (const byOutput of [false, true]) {
        const values = new Float32Array(64 * 8).fill(1);
        values[100] = bad;
        const tensor = Tensor.float32(values, [64, 8]);
        const source = { tensor, first: 0, inputs: byOutput ? 8 : 64, outputs: byOutput ? 64 : 8, byOutput };
        for (const symmetric of [true, false])
          expect(roundToNearest(source, { bits: 4, block: 32, symmetric })).toBeUndefined();
      }
  });
});

describe('pairForm', () => {
  // The reciprocal of a tiny scale is infinite, and how C++ turns that into an integer is left to the machine.
  for (const each of cases.filter(({ name }) => name !== 'tiny'))
    it(`gives the bytes of ONNX Runtime's Q/DQ form: ${each.name}`, () => {
      for (const expected of each.pairs) {
        const made = roundToNearest(sourceOf(each, false), expected, 'pairs') as PackedMatrix;
        const { codes, scales, zeroPoints, axis } = pairForm([made], [], false);
        expect(axis).toBe(0);
        expect(codes.dims).toEqual([each.inputs, each.outputs]);
        expect(codes.bytes()).toEqual(new Uint8Array(bytes(expected.codes)));
        expect(bits(scales.float32Array())).toEqual(bits(floats(expected.scales)));
        expect(zeroPoints?.bytes()).toEqual(expected.zeroPoints && new Uint8Array(bytes(expected.zeroPoints)));
      }
    });
});
