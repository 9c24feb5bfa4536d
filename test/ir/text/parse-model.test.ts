import { describe, expect, it } from 'vitest';
import { ServeOptError } from '../../../src/errors.js';
import { functionKey } from '../../../src/ir/model-function.js';
import { parseGraph, parseModel } from '../../../src/ir/text/parse-model.js';
import { formatType } from '../../../src/ir/type.js';
import { DataType } from '../../../src/tensor/dtype.js';

function failure(text: string): ServeOptError {
  try {
    parseModel(text);
  } catch (error) {
    if (error instanceof ServeOptError) return error;
    throw error;
  }
  throw new Error('the text was accepted');
}

const HEADER = '<ir_version: 8, opset_import: ["": 17]>\n';

describe('parseModel', () => {
  it('reads a model with weights, attributes, node names and custom domains', () => {
    const model = parseModel(`
      < # a comment
        ir_version: 9, opset_import: ["" : 17, "com.microsoft": 1],
        producer_name: "me", producer_version: "1.2", domain: "d", model_version: 3,
        doc_string: "two\\"quotes", metadata_props: ["k": "v", "__proto__": "x"]
      >
      net (float[N,3] X, int64 S) => (float[N,2] Y)
      <float[3,2] W = {1, 2.5, -3, 4e2, nan, -inf}, float[N,2] Z> {
        [first] Z = MatMul (X, W)
        Y, "odd name" = com.microsoft.Gelu <alpha = 1, beta: float = 2, axes = [1, -2], empty: ints = [], s = "t"> (Z, , S)
      }`);
    expect(model.irVersion).toBe(9);
    expect([...model.opsets]).toEqual([
      ['', 17],
      ['com.microsoft', 1],
    ]);
    expect(model.docString).toBe('two"quotes');
    expect(model.metadata.get('__proto__')).toBe('x');
    const [matMul, gelu] = [...model.graph.nodes];
    expect(matMul?.name).toBe('first');
    expect(matMul?.input(1)?.tensor?.dims).toEqual([3, 2]);
    expect([...(matMul?.input(1)?.tensor?.float32Array() ?? [])]).toEqual([1, 2.5, -3, 400, Number.NaN, -Infinity]);
    expect(gelu?.domain).toBe('com.microsoft');
    expect(gelu?.opType).toBe('Gelu');
    expect(gelu?.inputs.map((value) => value?.name)).toEqual(['Z', undefined, 'S']);
    expect(gelu?.outputs.map((value) => value?.name)).toEqual(['Y', 'odd name']);
    expect(gelu?.int('alpha', 0)).toBe(1);
    expect(gelu?.float('beta', 0)).toBe(2);
    expect(gelu?.ints('axes')).toEqual([1, -2]);
    expect(gelu?.ints('empty')).toEqual([]);
    expect(gelu?.string('s', '')).toBe('t');
    expect(formatType(model.graph.outputs[0]?.type)).toBe('float[N,2]');
    expect(formatType(model.graph.inputs[1]?.type)).toBe('int64');
  });

  it('makes a default of an input both an input and an initializer', () => {
    const graph = parseGraph(
      'g (float[2] X = {1, 2}, float[1] B) => (float[2] Y) <float[1] B = {3}> { Y = Add (X, B) }',
    );
    expect(graph.inputs.map((value) => [value.name, value.tensor?.size])).toEqual([
      ['X', 2],
      ['B', 1],
    ]);
    expect(graph.initializers.size).toBe(2);
  });

  it('reads subgraphs that use values of the outer graph', () => {
    const graph = parseGraph(`
      g (bool C, float[N] X) => (float[N] Y) {
        Y = If (C) <
          then_branch = yes () => (float[N] T) { T = Neg (X) },
          else_branch: graph = no () => (float[N] E) <float k = {2}> { E = Mul (X, k) }
        >
      }`);
    const outer = graph.nodes.first;
    const branches = [...(outer?.subgraphs() ?? [])];
    expect(branches.map(({ name }) => name)).toEqual(['then_branch', 'else_branch']);
    expect(branches[0]?.graph.parent).toBe(outer);
    expect(graph.values.get('X')?.uses.size).toBe(2);
  });

  it('reads local functions with attribute parameters, references and overloads', () => {
    const model = parseModel(`${HEADER}
      main (float[N] X) => (float[N] Y) { Y = my.Scale:twice <alpha = 3.0> (X) }
      <domain: "my", opset_import: ["": 17], overload: "twice", doc_string: "doubles">
      Scale <alpha, beta: float = 1.5> (x) => (y) <float[N] c> {
        c = Constant <value_float: float = @alpha> ()
        y = Mul (x, c)
      }`);
    const scale = model.functions.get(functionKey('my', 'Scale', 'twice'));
    expect(scale?.attributeNames).toEqual(['alpha']);
    expect(scale?.attributeDefaults.map(({ value }) => value)).toEqual([{ kind: 'float', value: 1.5 }]);
    expect(scale?.graph.nodes.first?.attributes.get('value_float')?.value).toMatchObject({
      kind: 'reference',
      value: 'alpha',
    });
    expect(model.graph.nodes.first?.overload).toBe('twice');
  });

  it('reads every kind of type', () => {
    const types = ['float[]', 'float', 'float[N,?,3]', 'seq(float[N])', 'optional(seq(int64[]))', 'map(int64, string)'];
    types.push('sparse_tensor(float[3])', 'type(99)[2]', 'float6e2m3[4]');
    for (const type of types) {
      const graph = parseGraph(`g (${type} X) => (X) {}`);
      expect(formatType(graph.inputs[0]?.type)).toBe(type);
    }
  });

  it('reads elements of each width and refuses those that do not fit', () => {
    const graph = parseGraph(`
      g () => (a, b, c, d, e, f, s) <
        int4[3] a = {-8, 7, 1}, uint2[5] b = {3, 0, 1, 2, 3}, uint64[1] c = {18446744073709551615},
        int64[1] d = {-9223372036854775808}, complex64[1] e = {1, 2}, float16[2] f = {15360, 0}, string[2] s = {"a", "\\xff"}
      > {}`);
    const bytes = (name: string) => [...(graph.values.get(name)?.tensor?.bytes() ?? [])];
    expect(bytes('a')).toEqual([0x78, 0x01]);
    expect(bytes('b')).toEqual([0b10010011, 0b11]);
    expect(bytes('c')).toEqual(new Array(8).fill(255));
    expect(bytes('d')).toEqual([0, 0, 0, 0, 0, 0, 0, 128]);
    expect(bytes('f')).toEqual([0, 0x3c, 0, 0]);
    expect(graph.values.get('s')?.tensor?.stringElements()).toEqual([Uint8Array.of(97), Uint8Array.of(255)]);
    expect(failure('g () => (a) <int4[1] a = {8}> {}').message).toContain('8 does not fit into int4');
    expect(failure('g () => (a) <uint8[1] a = {-1}> {}').message).toContain('-1 does not fit into uint8');
    expect(failure('g () => (a) <float[2] a = {1}> {}').message).toContain('takes 2 numbers, found 1');
  });

  it('tells tensors, types, graphs and lists of each apart in attributes', () => {
    const graph = parseGraph(`
      g () => (Y) {
        Y = Op <t = float[2] {1, 2}, named = int64 n = {7}, tp = float[N], tps: type_protos = [float, seq(int64)],
                ts: tensors = [int8 {1}, int8 {2}], gs: graphs = [a () => () {}, b () => () {}], f = -inf, x = [1, 2.5]> ()
      }`);
    const kinds = [...(graph.nodes.first?.attributes.values() ?? [])].map(({ value }) => value.kind);
    expect(kinds).toEqual(['tensor', 'tensor', 'type', 'types', 'tensors', 'graphs', 'float', 'floats']);
  });

  it('accepts nodes in any order, since a model may be read before it is sorted', () => {
    const graph = parseGraph('g (float[1] X) => (Y) { Y = Neg (Z)  Z = Abs (X) }');
    expect(graph.values.get('Z')?.producer?.opType).toBe('Abs');
  });

  it('leaves external data to a resolver', () => {
    const text = 'g () => (W) <float[2] W = ["location": "w.bin", "offset": "8"]> {}';
    const lazy = parseModel(HEADER + text).graph.values.get('W')?.tensor;
    expect(() => lazy?.bytes()).toThrow(ServeOptError);
    const model = parseModel(HEADER + text, {
      externalData: (entries, byteLength) => {
        const bytes = new Uint8Array(byteLength).fill(Number(entries.get('offset')));
        return { byteLength, read: () => bytes, chunks: () => [bytes] };
      },
    });
    expect(model.graph.values.get('W')?.tensor?.dataType).toBe(DataType.FLOAT);
    expect(model.graph.values.get('W')?.tensor?.bytes()[0]).toBe(8);
  });

  it('reports line and column and shows the line', () => {
    const error = failure(`${HEADER}g (float[N] X) => (float[N] Y) {\n  Y = Neg (Q)\n}`);
    expect(error.code).toBe('SO3003');
    expect(error.message).toBe('line 3, column 12: the value "Q" is not defined');
    expect(error.why).toBe('3 |   Y = Neg (Q)\n  |            ^');
  });

  it.each([
    ['g (float[N] X) (float[N] Y) {}', 'expected "=>"'],
    ['g (X) => (X) { X = Neg (X) }', '"X" is defined twice'],
    ['g (X) => (Y) { Y = Neg (X) Y = Abs (X) }', '"Y" is defined twice'],
    ['g (X) => (Y) { Y = Op <a = 1, a = 2> (X) }', '"a" appears twice'],
    ['g (X) => (Y) { Y = Op <a = []> (X) }', 'an empty list needs its kind'],
    ['g (X) => (Y) { Y = Op <a: int = 1.5> (X) }', 'is declared int but has float'],
    ['g (X) => (Y) { Y = Op <a = 99999999999999999999> (X) }', 'does not fit into 64 bits'],
    ['g (X) => (Y) { Y = Op <a = "open> (X) }', 'no closing quote'],
    ['g (floot[2] X) => (X) {}', 'expected ")"'],
    ['<colour: 1> g () => () {}', '"colour" is not a field of a model'],
    ['g (float[N] W) => (W) <float[N] V = {1}> {}', 'must be numbers'],
    ['', 'expected the name of a graph, found the end of the text'],
    ['g () => () {} junk', 'expected "("'],
    [`g () => (Y) { Y = ${'Op <g = h () => () { Z = '.repeat(200)}`, 'nest deeper than 100'],
    [`g (${'seq('.repeat(50_000)} X) => () {}`, 'nest deeper than 100'],
  ])('refuses %j', (text, message) => {
    const error = failure(text.startsWith('<') ? text : HEADER + text);
    expect(error.code).toBe('SO3003');
    expect(error.message).toContain(message);
  });
});
