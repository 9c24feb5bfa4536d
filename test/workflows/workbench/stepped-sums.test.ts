/** Networks that are run from layer to layer give the sums that whole runs give, with and without room for what is between. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../../src/ir/model.js';
import { readModel } from '../../../src/ir/read-model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { writeModel } from '../../../src/ir/write-model.js';
import { inferTypes } from '../../../src/ops/infer-types.js';
import { biasOf, setFits } from '../../../src/passes/prune/set-fits.js';
import type { NormalSums } from '../../../src/prune/repair/least-squares.js';
import { normalModel } from '../../../src/prune/repair/normal-model.js';
import { planSteps } from '../../../src/prune/repair/plan-steps.js';
import { repairLayer, weightsOf } from '../../../src/prune/repair/repair-layers.js';
import { LazyRuntime } from '../../../src/runtime/lazy-runtime.js';
import { createRandom } from '../../../src/tensor/random.js';
import { groupSums, sumOutputs } from '../../../src/workflows/workbench/layer-sums.js';
import { forEachLayer } from '../../../src/workflows/workbench/stepped-sums.js';

const random = createRandom(9);
const numbers = (count: number): string =>
  Array.from({ length: count }, () => (random.normal() / 3).toFixed(3)).join(',');

/** Two convolutions with a sum around, three products of one tensor, a mask that skips over all of it, and a product behind. */
const TEXT = `<ir_version: 10, opset_import: ["": 17]> g (float[N, 2, 4, 4] x, float[N, 8] mask) => (float y)
  <float[3,2,3,3] w1 = {${numbers(54)}}, float[3] b1 = {${numbers(3)}}, float[3,3,3,3] w2 = {${numbers(81)}},
   float[48,8] wq = {${numbers(384)}}, float[48,8] wk = {${numbers(384)}}, float[48,8] wv = {${numbers(384)}},
   float[8] bv = {${numbers(8)}}, float[8,5] wo = {${numbers(40)}}> {
    open = Sigmoid (mask)
    a = Conv <pads = [1, 1, 1, 1]> (x, w1, b1)
    r = Relu (a)
    c = Conv <pads = [1, 1, 1, 1]> (r, w2)
    s = Add (c, r)
    f = Flatten (s)
    q = MatMul (f, wq)
    k = MatMul (f, wk)
    v0 = MatMul (f, wv)
    v = Add (v0, bv)
    qk = Mul (q, k)
    p = Mul (qk, open)
    z = Mul (p, v)
    o = MatMul (z, wo)
    y = Softmax (o)
  }`;

let folder: string;
let model: Model;
let runtime: LazyRuntime;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  const path = join(folder, 'model.onnx');
  await writeModel(parseModel(TEXT), path);
  model = await readModel(path);
  inferTypes(model);
  runtime = new LazyRuntime();
});
afterAll(async () => {
  await runtime.close();
  model.source?.close();
  rmSync(folder, { recursive: true, force: true });
});

const SOURCES = [
  { kind: 'seeded', seed: 1, count: 11 },
  { kind: 'seeded', seed: 2, count: 3 },
] as const;

const layersOf = (changed: Model) =>
  [...changed.graph.nodes].filter((node) => typeof repairLayer(node) === 'object').map((node) => ({ node }));

/** Makes the weights of a layer smaller, as a fit would change them. */
function change(layer: Exclude<ReturnType<typeof repairLayer>, string | undefined>): void {
  setFits(
    layer,
    weightsOf(layer).map((weights, group) => ({
      weights: weights.map((each) => each * 0.8),
      bias: biasOf(layer, group),
    })),
  );
}

/** All figures of all layers, in order, when each is changed in its turn. */
async function bySteps(memoryBytes: number, withOriginal: boolean): Promise<NormalSums[]> {
  const changed = model.clone();
  const found: NormalSums[] = [];
  const setting = { sources: SOURCES, runtime: await runtime.host(), memoryBytes, options: {} };
  const networks = { changed, original: withOriginal ? model : undefined };
  await forEachLayer(networks, layersOf(changed), setting, ({ layer, sums }) => {
    found.push(...sums.flat());
    change(layer);
  });
  return found;
}

async function byWholeRuns(): Promise<NormalSums[]> {
  const changed = model.clone();
  inferTypes(changed);
  const found: NormalSums[] = [];
  for (const { node } of layersOf(changed)) {
    const layer = repairLayer(node);
    if (typeof layer !== 'object') throw new Error('no layer');
    const { model: sums, outputs } = normalModel({ changed, original: model }, [{ layer }]);
    const [names] = outputs;
    if (!names) throw new Error('no outputs');
    const bySource = await sumOutputs(sums, Object.values(names), SOURCES, await runtime.host(), {});
    found.push(...bySource.flatMap((each) => groupSums(layer, names, each)));
    change(layer);
  }
  return found;
}

function expectSame(
  own: readonly NormalSums[],
  wanted: readonly NormalSums[],
  names: readonly (keyof NormalSums)[],
): void {
  expect(own.length).toBe(wanted.length);
  for (const [at, each] of own.entries())
    for (const name of names) {
      const [a, b] = [each[name], wanted[at]?.[name]];
      if (typeof a === 'number' || typeof b === 'number' || b === undefined) {
        expect(a).toBe(b);
        continue;
      }
      const size = Math.max(...b.map(Math.abs), 1e-9);
      expect(a.length).toBe(b.length);
      a.forEach((value, index) => {
        expect(Math.abs(value - (b[index] as number)) / size, `${name} of ${at}`).toBeLessThan(1e-5);
      });
    }
}

describe('sums from layer to layer', () => {
  it('are those of whole runs, however much is kept between layers', async () => {
    const wanted = await byWholeRuns();
    const all = ['gram', 'cross', 'sumX', 'sumY', 'energy', 'rows'] as const;
    for (const memoryBytes of [1e9, 20_000, 0]) expectSame(await bySteps(memoryBytes, true), wanted, all);
    expectSame(await bySteps(1e9, false), wanted, ['gram', 'sumX', 'rows']);
  });

  it('take products of one tensor in one step, and keep nothing that has been used up', () => {
    const changed = model.clone();
    inferTypes(changed);
    const steps = planSteps({ changed, original: model }, layersOf(changed));
    expect(steps.map(({ layers }) => layers.map(({ node }) => node.output().name))).toEqual([
      ['a'],
      ['c'],
      ['q', 'k', 'v0'],
      ['o'],
    ]);
    const kept = steps.map(({ keep }) => keep.map(({ side, value }) => `${side} ${value.name}`).sort());
    // The input of a layer stays until the layer has been run with its new weights.
    expect(kept).toEqual([
      ['original a'],
      ['changed r', 'original s'],
      ['changed f', 'original k', 'original q', 'original v0'],
      [],
    ]);
  });
});
