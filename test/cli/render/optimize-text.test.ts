/** The answer of `optimize`, drawn from a report made by hand. */
import { describe, expect, it } from 'vitest';
import { optimizeSummary, renderOptimize } from '../../../src/cli/render/optimize-text.js';
import { createStyle } from '../../../src/cli/render/style.js';
import type { OptimizeReport } from '../../../src/report/types.js';

const options = {
  style: createStyle(false),
  columns: undefined,
  verbosity: 0,
  outputPath: 'out.onnx',
  explain: undefined,
};

const pass = (name: string, rewrites: number, nodesDelta: number) =>
  ({ pass: name, group: 'fuse', numerics: 'reassociates', rewrites, nodesDelta, bytesDelta: 0 }) as const;
const node = (opType: string, label: string) => ({ opType, label });

const report: OptimizeReport = {
  schemaVersion: 2,
  version: '0.1.0',
  command: 'optimize',
  level: 'standard',
  operators: 'portable',
  input: { name: 'net.onnx', sizeBytes: 97_800_000 },
  output: { name: 'net.opt.onnx', sizeBytes: 97_500_000 },
  nodesBefore: 122,
  nodesAfter: 76,
  requested: [],
  passes: [pass('fuse-gelu', 12, -48), pass('unroll-loop', 1, 2)],
  dropped: [],
  slower: [{ pass: 'fuse-attention-ort', ratio: 1.31, ratioLow: 1.2, ratioHigh: 1.42 }],
  rewrites: [
    {
      pass: 'fuse-gelu',
      nodes: [node('Erf', 'e\x1b[2J'), node('Mul', 'm')],
      into: node('Gelu', 'm'),
      nodesDelta: -4,
      bytesDelta: -90,
      detail: 'the tanh form',
    },
  ],
  nearMisses: [
    { pass: 'fuse-gelu', node: 'a', opType: 'Erf', reason: 'its factor is 0.7' },
    { pass: 'fuse-gelu', node: 'b', opType: 'Erf', reason: 'its factor is 0.7' },
    { pass: 'fold-constants', node: 'c', opType: 'Expand', reason: 'the model would become larger' },
  ],
  verification: {
    structure: 'passed',
    loads: 'passed',
    runs: 'passed',
    numerics: 'reassociates',
    samples: 5,
    edges: 8,
    outputs: [{ name: 'y', elements: 100, equal: 40, worst: { abs: 0.1, ofLargest: 1.5e-6 } }],
  },
  latency: { p50MsA: 42.6, p50MsB: 39.8, ratio: 0.93, ratioLow: 0.92, ratioHigh: 0.95, runs: 60, batchSize: 1 },
  warnings: [],
  notes: ['Something.'],
};

describe('the answer of optimize', () => {
  it('shows what changed, pass by pass, and what was left out', async () => {
    expect(await renderOptimize(report, options)).toBe(
      `net.onnx        before  optimized
size           97.8 MB    97.5 MB  −0.3 %
nodes              122         76  −38 %
p50 latency    42.6 ms    39.8 ms  1.08× faster (95 %: 1.05–1.09)
largest error             1.50e−6  of the largest: 5 samples, 8 edge cases

pass         rewrites  nodes
fuse-gelu          12    −48
unroll-loop         1     +2

▲ left out fuse-attention-ort: with it the model takes 1.31× (95 %: 1.2–1.42) as long here
✓ verified: read back, loaded and run beside the original in ONNX Runtime, equal within rounding
note: Something.

out.onnx`,
    );
    expect(optimizeSummary(report)).toBe(
      'net.onnx 97.8 MB → 97.5 MB (−0.3 %) · 122 → 76 nodes · p50 42.6 ms → 39.8 ms',
    );
  });

  it('explains all passes, or one', async () => {
    const all = await renderOptimize(report, { ...options, explain: '' });
    expect(all).toContain(`fuse-gelu: 1 rewrite
  Erf e\\x1b[2J + Mul m → Gelu m (the tanh form)
  not Erf a, Erf b: its factor is 0.7
fold-constants: 0 rewrites
  not Expand c: the model would become larger`);
    const one = await renderOptimize(report, { ...options, explain: 'fuse-clip' });
    expect(one).toContain('fuse-clip: 0 rewrites\n  nothing is similar to its pattern');
    expect(one).not.toContain('Expand c');
  });

  it('keeps to a terminal', async () => {
    const text = await renderOptimize(report, { ...options, explain: '', columns: 60 });
    expect(text.split('\n').filter((line) => line.length > 60)).toEqual([]);
  });

  it.each([
    [{ structure: 'passed', loads: 'unchanged', runs: 'unchanged' }, '✓ the output is the input, byte for byte'],
    [
      {
        structure: 'passed',
        interface: 'passed',
        loads: 'skipped',
        runs: 'skipped',
        reason: 'input "x" is seq(float)',
      },
      'but not run: input "x" is seq(float)',
    ],
  ] as const)('says what was checked: %o', async (verification, line) => {
    expect(await renderOptimize({ ...report, verification }, options)).toContain(line);
  });
});
