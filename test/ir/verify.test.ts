import { describe, expect, it } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import { Graph } from '../../src/ir/graph.js';
import type { Model } from '../../src/ir/model.js';
import type { Node } from '../../src/ir/node.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { tensorType } from '../../src/ir/type.js';
import { Value } from '../../src/ir/value.js';
import { assertValid, verifyModel } from '../../src/ir/verify.js';
import { Tensor } from '../../src/tensor/tensor.js';

const HEADER = '<ir_version: 8, opset_import: ["": 17, "my": 1]>\n';

function chain(): Model {
  return parseModel(`${HEADER}
    g (float[N] X, bool C) => (float[N] Y) <float[1] w = {2}> {
      [a] A = Mul (X, w)
      [b] B = If (C) <then_branch = t () => (T) { T = Neg (A) }, else_branch = e () => (A) {}>
      [c] Y = Abs (B)
    }`);
}

function node(model: Model, name: string): Node {
  const found = [...model.graph.nodes].find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no node ${name}`);
  return found;
}

const messages = (model: Model): string[] => verifyModel(model).map((problem) => problem.message);

describe('verifyModel', () => {
  it('finds nothing wrong with a sound model', () => {
    expect(verifyModel(chain())).toEqual([]);
    expect(() => assertValid(chain())).not.toThrow();
  });

  it('finds a node that stands before what it uses, also through a subgraph', () => {
    const model = chain();
    model.graph.nodes.reorder([node(model, 'b'), node(model, 'a'), node(model, 'c')]);
    expect(messages(model)).toEqual([
      'The node "T" (Neg) comes before the node that produces "A", or both are in a cycle',
      'The node "b" (If) comes before the node that produces "A", or both are in a cycle',
    ]);
  });

  it('finds a node that uses its own output, and a cycle', () => {
    const loop = parseModel(`${HEADER} g () => (float Y) { Y = Neg (Y) }`);
    expect(messages(loop)).toEqual(['The node "Y" (Neg) uses its own output "Y"']);
    const cycle = parseModel(`${HEADER} g () => (float Y) { Y = Neg (Z) Z = Neg (Y) }`);
    expect(messages(cycle)).toHaveLength(1);
  });

  it('finds a value without origin', () => {
    const model = chain();
    node(model, 'c').setInput(0, model.graph.newValue('ghost'));
    expect(messages(model)).toEqual(['"ghost" is used, but is not an input, initializer or output of a node']);
  });

  it('finds a value that a node cannot see', () => {
    const model = chain();
    const [then] = [...node(model, 'b').subgraphs()];
    const inner = then?.graph.values.get('T');
    if (inner) node(model, 'c').setInput(0, inner);
    expect(messages(model)).toEqual(['The node "c" (Abs) uses "T", which is not visible there']);
  });

  it('finds broken links between values and nodes', () => {
    const model = chain();
    const a = model.graph.values.get('A');
    a?.uses.add({ node: node(model, 'c'), slot: 0 });
    expect(messages(model)).toEqual([
      '"A" is not input 0 of node "c" (Abs)',
      '"A" is the input of 1 nodes but records 2',
    ]);
    const other = chain();
    const value = other.graph.values.get('Y');
    if (value) value.producer = node(other, 'a');
    expect(messages(other)).toContain('"Y" is not output 0 of node "a" (Mul)');
  });

  it('finds two values of one name', () => {
    const model = chain();
    node(model, 'c').addOutput(new Value(model.graph, 'A', tensorType(1)));
    expect(messages(model)).toEqual(['Output 1 of node "c" (Abs) is "A", which is the name of another value']);
  });

  it('finds outputs that are listed twice or not defined', () => {
    const model = chain();
    const output = model.graph.outputs[0];
    if (output) model.graph.addOutput(output);
    model.graph.addOutput(new Value(model.graph, 'nowhere'));
    expect(messages(model)).toEqual([
      'Graph "g" has two outputs named "Y"',
      'Output "nowhere" is not defined in graph "g"',
    ]);
  });

  it('finds an initializer of another type than declared and one without tensor', () => {
    const model = chain();
    const weight = model.graph.values.get('w');
    if (weight) weight.tensor = Tensor.int64([1]);
    expect(messages(model)).toEqual(['"w" is declared float but its initializer is int64']);
    if (weight) weight.tensor = undefined;
    expect(messages(model)).toEqual(['Initializer "w" has no tensor']);
  });

  it('finds an input without type, but not in a subgraph', () => {
    expect(messages(parseModel(`${HEADER} g (X) => (X) {}`))).toEqual(['Input "X" has no type']);
  });

  it('finds a subgraph that belongs to another node', () => {
    const model = chain();
    const stray = new Graph(model, 'stray', node(model, 'a'));
    node(model, 'b').setAttribute({ name: 'extra', value: { kind: 'graph', value: stray } });
    expect(messages(model)).toEqual(['The graph in attribute "extra" of node "b" (If) belongs to another node']);
  });

  it('finds domains that are not imported, in the model and in functions', () => {
    const model = parseModel(`${HEADER}
      g (float X) => (float Y) { A = far.Op (X)  B = far.Op (A)  Y = my.F (B) }
      <domain: "my", opset_import: ["my": 1]> F (x) => (y) { y = Neg (x) }`);
    expect(verifyModel(model).map(({ code }) => code)).toEqual(['SO3002', 'SO3002']);
    expect(messages(model)[1]).toContain('"ai.onnx", which the function "F" does not import');
  });

  it('finds references to attributes outside of functions', () => {
    const model = parseModel(`${HEADER}
      g (float X) => (float Y) { A = Op <a = @alpha> (X)  Y = my.F (A) }
      <domain: "my", opset_import: ["": 17]> F <alpha> (x) => (y) { z = Op <a = @alpha> (x)  y = Op <a = @beta> (z) }`);
    expect(messages(model)).toEqual([
      'Attribute "a" of node "A" (Op) refers to "alpha", but only a function has attributes to refer to',
    ]);
  });

  it('finds functions that call themselves or each other', () => {
    const fn = (name: string, callee: string): string =>
      `<domain: "my", opset_import: ["": 17, "my": 1]> ${name} (x) => (y) { y = my.${callee} (x) }`;
    const main = `${HEADER} g (float X) => (float Y) { Y = my.A (X) }`;
    expect(messages(parseModel(`${main} ${fn('A', 'A')}`))).toEqual(['Function "A" calls itself']);
    expect(messages(parseModel(`${main} ${fn('A', 'B')} ${fn('B', 'A')}`))).toEqual([
      'Function "A" calls itself through "B"',
    ]);
  });

  it('finds functions that unfold without bound, without unfolding them', () => {
    const parts = [`${HEADER} g (float X) => (float Y) { Y = my.F0 (X) }`];
    for (let i = 0; i < 60; i++) {
      const call = i < 59 ? `my.F${i + 1}` : 'Neg';
      parts.push(
        `<domain: "my", opset_import: ["": 17, "my": 1]> F${i} (x) => (y) { z = ${call} (x)  y = ${call} (z) }`,
      );
    }
    expect(verifyModel(parseModel(parts.join('\n'))).map(({ code }) => code)).toEqual(['SO2104']);
  });

  it('takes a chain of 100,000 nodes and a value with as many uses in its stride', () => {
    const lines = ['g (float X) => (float V100000) {', 'V0 = Neg (X)'];
    for (let i = 1; i <= 100_000; i++) lines.push(`V${i} = Add (V${i - 1}, X)`);
    const model = parseModel(`${HEADER}${lines.join('\n')}}`);
    // What is worse than linear does not end within the limit of a test.
    expect(verifyModel(model)).toEqual([]);
  });

  it('stops collecting at 100 problems', () => {
    const nodes = Array.from({ length: 500 }, (_, i) => `V${i} = Neg (V${i})`).join('\n');
    expect(verifyModel(parseModel(`${HEADER} g () => () { ${nodes} }`))).toHaveLength(100);
  });
});

describe('assertValid', () => {
  it('throws the first problem and counts the others', () => {
    const nodes = Array.from({ length: 3 }, (_, i) => `V${i} = Neg (V${i})`).join('\n');
    const model = parseModel(`${HEADER} g () => () { ${nodes} }`);
    try {
      assertValid(model);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ServeOptError);
      expect(error).toMatchObject({ code: 'SO3001', exitCode: 3, why: '2 more of the kind', location: { node: 'V0' } });
    }
  });
});
