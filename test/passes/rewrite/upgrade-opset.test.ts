import { describe, expect, it } from 'vitest';
import type { Model } from '../../../src/ir/model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { printModel } from '../../../src/ir/text/print-model.js';
import { allNodes } from '../../../src/ir/walk.js';
import { type OpSchema, opNames, opSchema, opVersions } from '../../../src/ops/schema.js';
import { OPSET_ADAPTERS, opsetAdapter } from '../../../src/passes/rewrite/opset-adapters/table.js';
import { upgradeOpset } from '../../../src/passes/rewrite/upgrade-opset.js';
import { runModel } from '../../helpers/run-model.js';

/** Body of a model of one float input `x` and one output `y`. */
interface Case {
  readonly name: string;
  readonly opset: number;
  readonly x: string;
  readonly y: string;
  readonly initializers?: string;
  readonly nodes: string;
}

const one = (name: string, opset: number, x: string, y: string, nodes: string, initializers?: string): Case =>
  initializers === undefined ? { name, opset, x, y, nodes } : { name, opset, x, y, nodes, initializers };

const CASES: readonly Case[] = [
  one(
    'Slice attributes',
    9,
    '3,4,5',
    '2,4,2',
    'y = Slice <starts = [1,-3], ends = [9223372036854775807,-1], axes = [0,2]> (x)',
  ),
  one('TopK k', 9, '3,4', '3,2', 'y, i = TopK <k = 2, axis = 1> (x)'),
  one('Clip limits', 9, '3,4', '3,4', 'y = Clip <min = -0.5, max = 0.25> (x)'),
  one('Clip with one limit', 9, '3,4', '3,4', 'y = Clip <min = -0.5> (x)'),
  one('Pad attributes', 9, '3,4', '6,5', 'y = Pad <pads = [1,0,2,1], value = 3.5> (x)'),
  one('Dropout ratio', 9, '3,4', '3,4', 'y, mask = Dropout <ratio = 0.3> (x)'),
  one(
    'BatchNormalization spatial',
    7,
    '2,2',
    '2,2',
    'y = BatchNormalization <spatial = 1> (x, s, b, s, s)',
    'float[2] s = {1,2}, float[2] b = {0.5,0.1}',
  ),
  one('Softmax in the middle', 11, '2,3,4', '2,3,4', 'y = Softmax (x)'),
  one('Softmax of unknown sizes', 11, 'a,b,4', 'a,b,4', 'y = Softmax <axis = 1> (x)'),
  one('LogSoftmax before ones', 11, '2,3,1,1', '2,3,1,1', 'y = LogSoftmax (x)'),
  one('Hardmax from the end', 11, '2,3,4', '2,3,4', 'y = Hardmax <axis = -2> (x)'),
  one('Upsample attribute', 7, '1,2,2,3', '1,2,4,9', 'y = Upsample <mode = "nearest", scales = [1.0,1.0,2.0,3.0]> (x)'),
  one('Upsample input', 9, '1,2,4,4', '1,2,8,8', 'y = Upsample <mode = "linear"> (x, s)', 'float[4] s = {1,1,2,2}'),
  one(
    'Resize that grows',
    10,
    '1,1,7,5',
    '1,1,11,6',
    'y = Resize <mode = "nearest"> (x, s)',
    'float[4] s = {1,1,1.7,1.3}',
  ),
  one(
    'Resize that shrinks',
    10,
    '1,1,7,5',
    '1,1,3,3',
    'y = Resize <mode = "nearest"> (x, s)',
    'float[4] s = {1,1,0.5,0.6}',
  ),
  one('Resize, linear', 10, '1,1,7,5', '1,1,3,10', 'y = Resize <mode = "linear"> (x, s)', 'float[4] s = {1,1,0.5,2}'),
  one(
    'axes of Squeeze, Unsqueeze, ReduceSum',
    11,
    '1,3,1',
    '1,1',
    'a = Squeeze <axes = [0,-1]> (x) b = Unsqueeze <axes = [0,2]> (a) y = ReduceSum <axes = [1], keepdims = 0> (b)',
  ),
  one(
    'Split sizes and equal Split',
    11,
    '2,4',
    '2,4',
    'a, b = Split <axis = 1, split = [1,3]> (x) c, d, e = Split <axis = 1> (b) y = Concat <axis = 1> (a, e, c, d)',
  ),
  one(
    'axes of other reductions',
    9,
    '2,3,4',
    '1,1,1',
    'a = ReduceMean <axes = [1,2]> (x) b = ReduceL2 (a) y = ReduceMax <axes = [0]> (b)',
  ),
  one(
    'Scatter',
    9,
    '2,4',
    '2,4',
    'y = Scatter <axis = 1> (x, i, u)',
    'int64[2,2] i = {1,3,0,2}, float[2,2] u = {9,8,7,6}',
  ),
  one(
    'RoiAlign',
    10,
    '1,2,8,8',
    '1,2,3,3',
    'y = RoiAlign <output_height = 3, output_width = 3, sampling_ratio = 2> (x, r, b)',
    'float[1,4] r = {0,0,7,7}, int64[1] b = {0}',
  ),
  one(
    'GridSample',
    16,
    '1,1,4,4',
    '1,1,1,2',
    'y = GridSample <mode = "bicubic"> (x, g)',
    'float[1,1,2,2] g = {0.1,0.3,-0.5,0.9}',
  ),
  one('DFT axis', 17, '1,8,3,1', '1,8,3,2', 'y = DFT (x)'),
  one(
    'GroupNormalization',
    18,
    '2,6,4',
    '2,6,4',
    'y = GroupNormalization <num_groups = 2> (x, s, b)',
    'float[2] s = {1,2}, float[2] b = {0.5,0.1}',
  ),
];

function modelOf(c: Case): Model {
  const initializers = c.initializers === undefined ? '' : ` <${c.initializers}>`;
  return parseModel(`<ir_version: 4, opset_import: ["": ${c.opset}]>
    net (float[${c.x}] x) => (float[${c.y}] y)${initializers} { ${c.nodes} }`);
}

async function upgrade(model: Model, to: number) {
  const report = await model.transform(upgradeOpset({ to }));
  return report.steps[0] ?? expect.fail('no step');
}

describe('upgrade-opset', () => {
  for (const c of CASES) {
    it(`keeps what ONNX Runtime computes: ${c.name}`, async () => {
      const [expected] = await runModel(modelOf(c));
      for (const to of [13, 18, 21].filter((version) => version > c.opset)) {
        const model = modelOf(c);
        expect((await upgrade(model, to)).refusals).toEqual([]);
        expect(model.opset()).toBe(to);
        const [found] = await runModel(model);
        expect(found?.length).toBe(expected?.length);
        found?.forEach((value, i) => {
          expect(value).toBeCloseTo(expected?.[i] ?? Number.NaN, 5);
        });
      }
    });
  }

  it('flattens a Softmax around several axes and leaves one along the last axis as it is', async () => {
    const model = parseModel(`<ir_version: 6, opset_import: ["": 11]>
      net (float[2,3,4] x) => (float[2,3,4] y) { a = Softmax <axis = -1> (x) y = Softmax (a) }`);
    await upgrade(model, 13);
    expect([...allNodes(model)].map((node) => node.opType)).toEqual(['Softmax', 'Flatten', 'Softmax', 'Reshape']);
    expect(printModel(model)).toContain('a = Softmax <axis: int = -1> (x)');
  });

  it('reaches into subgraphs, and gives their nodes constants of their own', async () => {
    const model = parseModel(`<ir_version: 6, opset_import: ["": 11]>
      net (bool c, float[1,3] x) => (float[3] y) {
        y = If (c) <then_branch = t () => (float[3] a) { a = Squeeze <axes = [0]> (x) },
                    else_branch = e () => (float[3] b) { b = ReduceSum <axes = [0], keepdims = 0> (x) }>
      }`);
    const before = await runModel(model, new Map([['c', [1]]]));
    expect((await upgrade(model, 13)).refusals).toEqual([]);
    expect(await runModel(model, new Map([['c', [1]]]))).toEqual(before);
    expect([...allNodes(model)].filter((node) => node.opType !== 'If').map((node) => node.inputs.length)).toEqual([
      2, 2,
    ]);
  });

  it('raises the IR version and then lists initializers no longer as inputs', async () => {
    const model = parseModel(`<ir_version: 3, opset_import: ["": 8]>
      net (float[2] x, float[2] w) => (float[2] y) <float[2] w = {1,2}> { y = Add (x, w) }`);
    await upgrade(model, 13);
    expect(model.irVersion).toBe(7);
    expect(model.graph.inputs.map((input) => input.name)).toEqual(['x']);
  });

  const REFUSED: readonly (readonly [string, string, RegExp])[] = [
    ['BatchNormalization without spatial', 'y = BatchNormalization <spatial = 0> (x, x, x, x, x)', /spatial = 0/],
    ['a Dropout whose mask is used', 'd, y = Dropout (x)', /mask/],
    ['Resize with scales that are computed', 's = Cast <to = 1> (x) y = Resize <mode = "nearest"> (x, s)', /scales/],
    ['an unknown operator', 'y = Strange (x)', /no operator of this name/],
  ];
  for (const [name, nodes, reason] of REFUSED) {
    it(`refuses ${name}, and changes nothing`, async () => {
      const opset = name.startsWith('Resize') ? 10 : 8;
      const model = parseModel(`<ir_version: 4, opset_import: ["": ${opset}]>
        net (float[4] x) => (float y) { z = Clip <min = 0.0> (x) ${nodes} }`);
      const before = printModel(model);
      const types = new Map([...model.graph.values.values()].map((value) => [value, value.type]));
      const step = await upgrade(model, 13);
      expect(step.changed).toBe(0);
      expect(step.refusals.map((refusal) => refusal.reason).join()).toMatch(reason);
      for (const value of model.graph.values.values()) value.inferType(types.get(value));
      expect(printModel(model)).toBe(before);
    });
  }

  it('refuses a local function that uses an operator which changes, as the function keeps its opset', async () => {
    const model = parseModel(`<ir_version: 8, opset_import: ["": 11, "own": 1]>
      net (float[4] x) => (float[4] y) { y = own.twice (x) }
      <domain: "own", opset_import: ["": 11]> twice (a) => (b) { b = Softmax (a) }`);
    const step = await upgrade(model, 13);
    expect(step.refusals.map((refusal) => refusal.reason)).toEqual(['it is in function "twice", which keeps opset 11']);
  });

  it('leaves a model that has the opset alone, and rejects an opset it cannot reach', async () => {
    const model = parseModel(`<ir_version: 8, opset_import: ["": 17]> net (float x) => (float y) { y = Relu (x) }`);
    expect((await upgrade(model, 13)).changed).toBe(0);
    await expect(upgrade(model, 99)).rejects.toMatchObject({ code: 'SO1006' });
  });

  it('has an adapter wherever an operator lost an attribute, changed a default or demands another input', () => {
    const missing: string[] = [];
    for (const opType of opNames('')) {
      const versions = opVersions('', opType);
      for (let at = 1; at < versions.length; at++) {
        const version = versions[at] ?? 0;
        if (version < 8 || version > 21 || opsetAdapter(opType, version)) continue;
        const before = opSchema('', opType, version - 1);
        const after = opSchema('', opType, version);
        if (before && after && breaks(before, after)) missing.push(`${opType} ${version}`);
      }
    }
    expect(missing).toEqual([]);
    for (const { opType, version } of OPSET_ADAPTERS) {
      expect(opVersions('', opType), opType).toContain(version);
    }
  });
});

function breaks(before: OpSchema, after: OpSchema): boolean {
  // A node of an operator that ended is refused without an adapter.
  if (after.deprecated) return false;
  const required = (schema: OpSchema) => schema.inputs.filter((input) => input.option === 'required').length;
  if (required(after) > required(before)) return true;
  for (const [name, attribute] of before.attributes) {
    const now = after.attributes.get(name);
    if (!now || (!attribute.required && JSON.stringify(now.default) !== JSON.stringify(attribute.default))) return true;
  }
  return false;
}
