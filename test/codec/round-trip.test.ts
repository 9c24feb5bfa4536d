import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUtf8, encodeUtf8, isWellFormed } from '../../src/codec/utf8.js';
import { parseModelBytes } from '../../src/ir/read-model.js';
import { printModel } from '../../src/ir/text/print-model.js';
import { modelBytes } from '../../src/ir/write-model.js';
import { DATA_TYPES, rawByteLength } from '../../src/tensor/dtype.js';
import { markEverythingChanged } from '../helpers/mark-changed.js';
import { decodeWithOnnxProto, firstDifference } from '../helpers/onnx-proto.js';
import { randomModel } from '../helpers/random-model.js';
import { typedFields } from '../helpers/typed-tensor.js';
import { attribute, graph, KIND, message, model, node, rawData, tensor, valueInfo } from '../helpers/wire.js';

const seeds = fc.record({ seed: fc.nat(), nodes: fc.integer({ min: 1, max: 6 }) });

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

describe('an untouched model', () => {
  it('is written byte for byte: odd field order, unknown fields and messages in pieces included', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.boolean(), async ({ seed, nodes }, split) => {
        const bytes = randomModel(seed, { nodes, split });
        const read = parseModelBytes(bytes);
        expect(equalBytes(await modelBytes(read), bytes)).toBe(true);
        expect(equalBytes(await modelBytes(read.clone()), bytes)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('means the same whether its messages come whole or in pieces', () => {
    fc.assert(
      fc.property(seeds, ({ seed, nodes }) => {
        const whole = randomModel(seed, { nodes, mixed: false });
        const pieces = randomModel(seed, { nodes, mixed: false, split: true });
        expect(printModel(parseModelBytes(pieces))).toBe(printModel(parseModelBytes(whole)));
      }),
      { numRuns: 100 },
    );
  });
});

describe('a model written anew', () => {
  it('is what another decoder sees in the source', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async ({ seed, nodes }) => {
        const bytes = randomModel(seed, { nodes });
        const read = parseModelBytes(bytes);
        markEverythingChanged(read);
        const written = await modelBytes(read);
        expect(firstDifference(decodeWithOnnxProto(bytes), decodeWithOnnxProto(written))).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });

  it('comes out the same when read and written anew once more', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.boolean(), async ({ seed, nodes }, split) => {
        const first = parseModelBytes(randomModel(seed, { nodes, split }));
        markEverythingChanged(first);
        const once = await modelBytes(first);
        const second = parseModelBytes(once);
        markEverythingChanged(second);
        expect(equalBytes(await modelBytes(second), once)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps types of kinds that it does not know', async () => {
    const opaque = message(7, message(1, 'my'), message(2, 'Opaque'));
    const later = message(77, 'a later kind');
    const inputs = [valueInfo('A', opaque), valueInfo('B', later)];
    const read = parseModelBytes(model({ graph: graph({ inputs }) }));
    markEverythingChanged(read);
    const again = parseModelBytes(await modelBytes(read));
    expect(again.graph.inputs.map(({ type }) => type?.kind)).toEqual(['opaque', 'opaque']);
    expect(Buffer.from(await modelBytes(again)).includes(Buffer.from(opaque))).toBe(true);
    expect(Buffer.from(await modelBytes(again)).includes(Buffer.from(later))).toBe(true);
  });

  it('keeps unknown fields of the model, graphs, nodes and tensors', async () => {
    const unknown = message(4242, 'of a later ONNX');
    const constant = node(
      'Constant',
      [],
      ['C'],
      attribute('value', KIND.tensor, message(5, floats('t', unknown))),
      unknown,
    );
    const bytes = model(
      {
        graph: graph(
          {
            nodes: [constant, node('Add', ['W', 'C'], ['Y'])],
            initializers: [floats('W', unknown)],
            outputs: [valueInfo('Y')],
          },
          unknown,
        ),
      },
      unknown,
    );
    const read = parseModelBytes(bytes);
    markEverythingChanged(read);
    const written = Buffer.from(await modelBytes(read));
    expect(written.toString('latin1').split('of a later ONNX').length - 1).toBe(5);
  });
});

function floats(name: string, ...extra: Uint8Array[]): Uint8Array {
  return tensor(name, 1, [1], rawData(new Uint8Array(4)), ...extra);
}

describe('tensors', () => {
  it('have the same bytes from raw_data and from their typed field, packed or not, for every data type', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...DATA_TYPES.filter((row) => row.bits !== 0 && row.bits !== undefined)),
        fc.integer({ min: 0, max: 9 }),
        fc.uint8Array({ minLength: 144, maxLength: 144 }),
        fc.boolean(),
        (row, size, noise, packed) => {
          const bytes = noise.subarray(0, rawByteLength(row.code, size));
          const typed = typedFields(row, bytes, packed);
          const initializers = [
            tensor('raw', row.code, [size], rawData(bytes)),
            tensor('typed', row.code, [size], ...typed),
          ];
          const { values } = parseModelBytes(model({ graph: graph({ initializers }) })).graph;
          for (const name of ['raw', 'typed']) {
            expect([...(values.get(name)?.tensor?.bytes() ?? [])], `${name} ${row.name}`).toEqual([...bytes]);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('names', () => {
  it('keep any bytes, and different bytes stay different names', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .array(
          fc.constantFrom(
            0x41,
            0x80,
            0xbf,
            0xc3,
            0xa9,
            0xe2,
            0x82,
            0xac,
            0xed,
            0xa0,
            0xb2,
            0xf0,
            0x9f,
            0x98,
            0xef,
            0xbb,
            0xbf,
          ),
          { maxLength: 40 },
        )
        .map((list) => Uint8Array.from(list)),
    );
    fc.assert(
      fc.property(bytes, (given) => {
        expect([...encodeUtf8(decodeUtf8(given))]).toEqual([...given]);
      }),
      { numRuns: 1000 },
    );
  });

  it('are plain text where the bytes are UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const bytes = new TextEncoder().encode(text);
        expect(decodeUtf8(bytes)).toBe(text);
        expect(isWellFormed(decodeUtf8(bytes))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
