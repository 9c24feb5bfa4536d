import { describe, expect, it } from 'vitest';
import type { Graph } from '../../../src/ir/graph.js';
import type { Model } from '../../../src/ir/model.js';
import { parseModelBytes } from '../../../src/ir/read-model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { modelBytes } from '../../../src/ir/write-model.js';
import { defineRewrite } from '../../../src/passes/engine/define-rewrite.js';
import { requireOpset, whyNotAvailable } from '../../../src/passes/engine/require-opset.js';
import { runRewrites } from '../../../src/passes/engine/run-rewrites.js';

const MODEL = `<ir_version: 8, opset_import: ["": 17, "own": 1]>
g (float[2] x) => (float[2] y)
{
  y = own.twice (x)
}
<domain: "own", opset_import: ["": 17]>
twice (a) => (b)
{
  b = Add (a, a)
}`;

/** Asks a question, or makes a change, where the first Add stands. */
async function atAdd(model: Model, visit: (context: Parameters<typeof whyNotAvailable>[0], at: Graph) => void) {
  const probe = defineRewrite<object>({
    name: 'probe-it',
    summary: 'Probes.',
    group: 'rewrite',
    numerics: 'exact',
    scope: 'all-graphs',
    opset: [1, null],
    options: {},
    roots: [],
    rules: () => ({
      sweep(context) {
        for (const fn of model.functions.values()) visit(context, fn.graph);
      },
    }),
  });
  await runRewrites(model, [[probe.ready()]]);
}

describe('requireOpset', () => {
  it('imports into the function as well as into the model, once, and writes both', async () => {
    const read = parseModelBytes(await modelBytes(parseModel(MODEL)));
    const copy = read.clone();
    await atAdd(copy, (context, at) => {
      expect(context.opset(at, 'com.microsoft')).toBe(0);
      expect(whyNotAvailable(context, at, 'FusedMatMul')).toBeUndefined();
      requireOpset(context, at);
      requireOpset(context, at);
      expect(context.opset(at, 'com.microsoft')).toBe(1);
      for (const node of at.nodes) node.name = 'changed';
    });
    const written = parseModelBytes(await modelBytes(copy));
    expect([...written.opsets]).toEqual([
      ['', 17],
      ['own', 1],
      ['com.microsoft', 1],
    ]);
    expect([...written.functions.values()].map((fn) => [...fn.opsets])).toEqual([
      [
        ['', 17],
        ['com.microsoft', 1],
      ],
    ]);
    expect([...read.functions.values()].map((fn) => [...fn.opsets])).toEqual([[['', 17]]]);
  });

  it('says why an operator cannot be used', async () => {
    const model = parseModel(
      MODEL.replaceAll('own', 'com.microsoft').replace('"com.microsoft": 1', '"com.microsoft": 2'),
    );
    await atAdd(model, (context, at) => {
      expect(whyNotAvailable(context, at, 'twice')).toContain('a local function named com.microsoft.twice');
      expect(whyNotAvailable(context, model.graph, 'FusedConv')).toBe('com.microsoft is imported as version 2');
    });
  });
});
