import { describe, expect, it } from 'vitest';
import { countModel } from '../../../src/ir/diff.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { eliminateNoOpWhere } from '../../../src/passes/eliminate/eliminate-no-op-where.js';
import { optimizeGraph } from '../../../src/passes/optimize-graph.js';
import { checksOf } from '../../../src/report/verification-words.js';
import { mergedInARow, toleranceOf } from '../../../src/workflows/optimize/tolerance.js';

const model = (text: string) => parseModel(`<ir_version: 8, opset_import: ["" : 17]> ${text}`);

const chain = (operator: string, length: number): string =>
  `g (float[N] x) => (float[N] y) <float c = {1.5}> { ${Array.from(
    { length },
    (_, i) => `${i === length - 1 ? 'y' : `t${i}`} = ${operator} (${i === 0 ? 'x' : `t${i - 1}`}, c)`,
  ).join(' ')} }`;

describe('the tolerance', () => {
  it.each([
    ['Add', 300],
    ['Sub', 200],
    ['Mul', 200],
  ])('knows how many %s in a row became one', async (operator, length) => {
    const { applied } = await optimizeGraph(model(chain(operator, length)), { level: 'max' });
    expect(mergedInARow(applied, () => true)).toBe(length);
    expect(mergedInARow(applied, () => false)).toBe(1);
  });

  it('does not count what became another operator, or what stands side by side', async () => {
    const { applied } = await optimizeGraph(
      model(`g (float[N, 4] x) => (float[N, 4] y, float[N, 4] z) <float a = {1.5}, float b = {2.5}> {
        p = Add (x, a) q = Add (p, b) y = Relu (q) r = Mul (x, a) s = Mul (r, b) z = Neg (s) }`),
      { level: 'max' },
    );
    expect(mergedInARow(applied, () => true)).toBeLessThanOrEqual(3);
  });

  it('grows with them by the rounding of the type, and has an end', () => {
    const float = model(chain('Add', 1));
    const half = model('g (float16[N] x) => (float16[N] y) { y = Relu (x) }');
    expect(toleranceOf(float, false, 100)).toEqual(toleranceOf(float, false));
    expect(toleranceOf(float, false, 10_000)).toMatchObject({
      relative: 10_000 * 2 ** -24,
      ofLargest: 10_000 * 2 ** -24,
    });
    expect(toleranceOf(half, false, 50)).toMatchObject({ ofLargest: 50 * 2 ** -11 });
    expect(toleranceOf(float, false, 1e9)).toMatchObject({ relative: 0.05 });
    expect(toleranceOf(float, true, 10_000).exact).toBe(true);
  });
});

describe('what is said of a result', () => {
  it('is one thing: bit for bit where every element was, whatever would have been let pass', () => {
    const verification = {
      structure: 'passed',
      loads: 'passed',
      runs: 'passed',
      numerics: 'reassociates',
      samples: 5,
    } as const;
    const outputs = (equal: number) => [{ name: 'y', elements: 10, equal, worst: { abs: 0, ofLargest: 0 } }];
    const words = (equal: number): string =>
      checksOf({ verification: { ...verification, outputs: outputs(equal) } }).text;
    expect(words(10)).toContain('equal bit for bit');
    expect(words(9)).toContain('equal within rounding');
  });

  it('does not promise bits of a Where, which turns −0 into +0 in ONNX Runtime', () => {
    expect(eliminateNoOpWhere.definition.numerics).toBe('reassociates');
  });

  it.each(['If', 'Loop'])('adds up over the passes where a branch that is inlined holds another %s', async (kind) => {
    const inner =
      kind === 'If'
        ? 'b = If (c) <then_branch = p () => (float[4] u) { u = Neg (a) }, else_branch = q () => (float[4] v) { v = Abs (a) }>'
        : 'b = Loop (n, c, a) <body = l (int64 i, bool go, float[4] w) => (bool on, float[4] z) { on = Identity (go) z = Neg (w) }>';
    const one = model(`g (float[4] x, bool c, int64 n) => (float[4] y) <bool yes = {1}> {
      y = If (yes) <then_branch = t () => (float[4] b) { a = Relu (x) ${inner} }, else_branch = e () => (float[4] o) { o = Abs (x) }> }`);
    const before = countModel(one).nodes;
    const { applied } = await optimizeGraph(one, { level: 'basic' });
    expect(applied.length).toBeGreaterThan(0);
    expect(applied.reduce((sum, { nodesDelta }) => sum + nodesDelta, 0)).toBe(countModel(one).nodes - before);
  });
});
