import { describe, expect, it } from 'vitest';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { formatType } from '../../src/ir/type.js';
import { inferTypes } from '../../src/ops/infer-types.js';

function typesOf(text: string, names: readonly string[]): string[] {
  const model = parseModel(text);
  inferTypes(model);
  return names.map((name) => formatType(model.graph.values.get(name)?.type));
}

const net = (inputs: string, body: string) =>
  `<ir_version: 10, opset_import: ["": 17]> net (${inputs}) => (float[] out) { ${body} }`;

describe('inference in subgraphs', () => {
  it('joins the branches of If', () => {
    const text = net(
      'bool c, float[a,3] x, float[a,4] y',
      `t = If (c) <then_branch = g1 () => (float[] p) { p = Relu(x) }, else_branch = g2 () => (float[] q) { q = Relu(y) }>
       out = Identity(t)`,
    );
    expect(typesOf(text, ['t'])).toEqual(['float[a,?]']);
  });

  it('follows the branch that a constant condition takes', () => {
    const text = net(
      'float[a,3] x, float[a,4] y',
      `c = Constant<value = bool {1}>()
       t = If (c) <then_branch = g1 () => (float[] p) { p = Relu(x) }, else_branch = g2 () => (float[] q) { q = Relu(y) }>
       out = Identity(t)`,
    );
    expect(typesOf(text, ['t'])).toEqual(['float[a,3]']);
  });

  it('keeps only what loop iterations leave alone', () => {
    const text = net(
      'float[a,3] x, float[b,2] y',
      `n = Constant<value = int64 {5}>() yes = Constant<value = bool {1}>()
       grown, kept, scanned = Loop (n, yes, x, y) <body = g (int64 i, bool c, float[] p, float[] q)
         => (bool d, float[] p2, float[] q2, float[] s) { d = Identity(c) p2 = Concat<axis=1>(p, p) q2 = Relu(q) s = Relu(q) }>
       out = Identity(grown)`,
    );
    expect(typesOf(text, ['grown', 'kept', 'scanned'])).toEqual(['float[a,?]', 'float[b,2]', 'float[?,b,2]']);
  });

  it('knows the length of scan outputs without a condition', () => {
    const text = net(
      'float[b,2] y',
      `n = Constant<value = int64 {5}>()
       kept, s = Loop (n, , y) <body = g (int64 i, bool c, float[] q)
         => (bool d, float[] q2, float[] r) { d = Constant<value = bool {1}>() q2 = Relu(q) r = Relu(q) }>
       out = Identity(s)`,
    );
    expect(typesOf(text, ['s'])).toEqual(['float[5,b,2]']);
  });

  it('scans along the given axes', () => {
    const text = net(
      'float[h] state, float[b,seq,h] x',
      `last, all = Scan (state, x) <num_scan_inputs=1, scan_input_axes=[1], scan_output_axes=[1],
         body = g (float[] s, float[] e) => (float[] s2, float[] o) { s2 = Relu(s) o = Relu(e) }>
       out = Identity(all)`,
    );
    expect(typesOf(text, ['last', 'all'])).toEqual(['float[h]', 'float[b,seq,h]']);
  });

  it('maps over sequences', () => {
    const text = `<ir_version: 10, opset_import: ["": 17]> net (seq(float[a,3]) x) => (seq(float[]) out) {
      out = SequenceMap (x) <body = g (float[] e) => (int64[] n) { n = Shape(e) }> }`;
    const model = parseModel(text);
    const [output] = model.graph.outputs;
    output?.inferType(undefined);
    inferTypes(model);
    expect(formatType(output?.type)).toBe('seq(int64[2])');
  });
});

describe('inference in local functions', () => {
  const text = `<ir_version: 10, opset_import: ["": 17, "local": 1]>
    net (float[a,3] x, float[b,3] y) => (float[] out) {
      p = local.scaled<to=10>(x) q = local.scaled<to=1>(y) out = Identity(q)
    }
    <domain: "local", opset_import: ["": 17]>
    scaled <to> (v) => (r) { s = Add(v, v) r = Cast<to: int = @to>(s) }`;

  it('gives every call its own types, attributes followed', () => {
    expect(typesOf(text, ['p', 'q'])).toEqual(['float16[a,3]', 'float[b,3]']);
  });

  it('gives the body what all calls have in common', () => {
    const model = parseModel(text);
    inferTypes(model);
    const [called] = model.functions.values();
    expect(formatType(called?.graph.values.get('s')?.type)).toBe('float[?,3]');
    expect(called?.graph.values.get('r')?.type).toBeUndefined();
  });

  it('stops at a function that calls itself', () => {
    const model = parseModel(`<ir_version: 10, opset_import: ["": 17, "local": 1]>
      net (float[a] x) => (float[] out) { out = local.loop(x) }
      <domain: "local", opset_import: ["": 17, "local": 1]>
      loop (v) => (r) { r = local.loop(v) }`);
    expect(inferTypes(model).problems.map((p) => p.reason)).toEqual(['function "loop" calls itself']);
  });
});
