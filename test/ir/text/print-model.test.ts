import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGraph, parseModel } from '../../../src/ir/text/parse-model.js';
import { printGraphText, printModel } from '../../../src/ir/text/print-model.js';
import { DATA_TYPES, DataType, rawByteLength } from '../../../src/tensor/dtype.js';
import { Tensor } from '../../../src/tensor/tensor.js';

/** A text that uses the whole syntax, in the form `printModel` writes. */
const FULL = `<
  ir_version: 9,
  opset_import: ["": 17, "com.microsoft": 1],
  producer_name: "me",
  producer_version: "1",
  domain: "d",
  model_version: 3,
  doc_string: "a\\"b\\\\c\\x0ad",
  metadata_props: ["__proto__": "x"]
>
net (float[N,3] X, bool C, "float", int64 S, seq(map(int64, string)) Q) => (float[N,2] Y, float[N,3] X) <
  float[3,2] W = {1.0,2.5,-3.0,400.0,nan,-inf},
  int4[3] p = {-8,7,1},
  string[2] s = {"a\\x1b[0m","\\xff"},
  float tiny = {1.4013e-45},
  type(99)[2] raw = {"\\x01\\x02\\x03"},
  float[N,2] Z
> {
  [first] Z = MatMul (X, W)
  Y, "odd name" = com.microsoft.Gelu <alpha: float = 1.0, axes: ints = [1, -2], empty: ints = [], t: tensor = int8[2] {1,-1}> (Z, "", S)
  [branch] R = If (C) <then_branch: graph = yes () => (float T) {
    T = Neg (Z)
  }, else_branch: graph = "inf" () => (E) <
    float k = {2.0}
  > {
    E = "odd.domain/x"."strange op":twice <tp: type_proto = optional(float["2*N",?]), list: type_protos = [float[], seq(?)]> (k)
  }>
  V = my.Scale <alpha: float = 3.0> (X)
}
<
  domain: "my",
  opset_import: ["": 17]
>
Scale <alpha, beta: float = 1.5> (x) => (y) {
  c = Constant <value_float = @alpha> ()
  y = Mul (x, c)
}
`;

describe('printModel', () => {
  it('writes what parseModel reads, character for character', () => {
    expect(printModel(parseModel(FULL))).toBe(FULL);
  });

  it('elides long tensors only when asked, and the parser says so', () => {
    const model = parseModel('<ir_version: 8> g () => (w) <float[4] w = {1,2,3,4}, string[2] s = {"a","b"}> {}');
    const short = printModel(model, { maxElements: 2 });
    expect(short).toContain('float[4] w = {1.0,2.0,...}');
    expect(short).toContain('{"a","b"}');
    expect(printModel(model, { maxElements: 0 })).toContain('string[2] s = {...}');
    expect(() => parseModel(short)).toThrow(/left out when this text was printed/);
  });

  it('can leave out the types of inner values', () => {
    const graph = parseGraph('g (float X) => (float Y) <float T> { T = Neg (X) Y = Neg (T) }');
    expect(printGraphText(graph, { innerTypes: false })).toBe(
      'g (float X) => (float Y) {\n  T = Neg (X)\n  Y = Neg (T)\n}\n',
    );
  });

  it('keeps any name as it is and lets no control character out', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: 'binary', minLength: 1 }), { minLength: 3, maxLength: 3 }),
        (names) => {
          const [input, node, output] = names as [string, string, string];
          const graph = parseGraph('g (float X) => (Y) { [n] Y = Neg (X) }');
          for (const [from, to] of [
            ['X', `1${input}`],
            ['Y', `2${output}`],
          ] as const) {
            const value = graph.values.get(from);
            if (value) value.name = to;
          }
          if (graph.nodes.first) graph.nodes.first.name = node;
          const printed = printGraphText(graph);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters must not be there.
          expect(printed).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
          const again = parseGraph(printed);
          expect([...again.values.keys()]).toEqual([`1${input}`, `2${output}`]);
          expect(again.nodes.first?.name).toBe(node);
        },
      ),
    );
  });

  it('keeps a name that is not UTF-8', () => {
    const graph = parseGraph('g (float "a\\xffb") => ("a\\xffb") {}');
    expect([...graph.values.keys()]).toEqual(['a\udcffb']);
    expect(printGraphText(graph)).toContain('"a\\xffb"');
  });

  it('keeps every bit of tensors of every data type', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...DATA_TYPES.filter((row) => row.code !== DataType.STRING && row.code !== DataType.BOOL)),
        fc.integer({ min: 0, max: 9 }),
        fc.uint8Array({ minLength: 160, maxLength: 160 }),
        (row, size, noise) => {
          const bytes = noise.slice(0, rawByteLength(row.code, size) ?? size);
          const used = ((row.bits ?? 8) * size) % 8;
          // Padding bits of a packed type are no part of the value.
          if (used > 0) bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) & ((1 << used) - 1);
          const graph = parseGraph('g () => () {}');
          graph.addInitializer('w', Tensor.of(row.code, [size], bytes));
          const again = parseGraph(printGraphText(graph)).values.get('w')?.tensor;
          expect(again?.dataType).toBe(row.code);
          expect([...(again?.bytes() ?? [])]).toEqual([...bytes]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('keeps the floats that decimal text easily loses', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), fc.double({ noNaN: true }), (single, double) => {
        const graph = parseGraph('g () => (Y) { Y = Op () }');
        graph.addInitializer('d', Tensor.of(DataType.DOUBLE, [], new Uint8Array(Float64Array.of(double).buffer)));
        graph.nodes.first?.setAttribute({ name: 'f', value: { kind: 'float', value: single } });
        const again = parseGraph(printGraphText(graph));
        expect(again.nodes.first?.float('f', 7)).toBe(single);
        const view = again.values.get('d')?.tensor?.bytes() ?? new Uint8Array(8);
        expect(new Float64Array(view.slice().buffer)[0]).toBe(double);
      }),
    );
  });
});
