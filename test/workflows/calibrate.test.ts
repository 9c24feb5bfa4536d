import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/ir/model.js';
import { readModel } from '../../src/ir/read-model.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { inferTypes } from '../../src/ops/infer-types.js';
import { OBSERVER_NAMES } from '../../src/quantize/observers/observer-names.js';
import { LazyRuntime } from '../../src/runtime/lazy-runtime.js';
import { calibrate } from '../../src/workflows/calibrate.js';
import { observeTensors } from '../../src/workflows/observe-tensors.js';
import type { ProgressEvent } from '../../src/workflows/options.js';

const FOLDER = join(import.meta.dirname, '..', '..', 'fixtures', 'digits-mlp');
const SAMPLES = join(FOLDER, 'calib.npz');

describe('calibrate', () => {
  let model: Model;
  beforeAll(async () => {
    model = await readModel(join(FOLDER, 'model.onnx'));
  });
  afterAll(() => model.source?.close());

  it('runs on the threads and the execution providers that it is given', async () => {
    const plain = await calibrate(model, SAMPLES);
    const chosen = await calibrate(model, SAMPLES, { threads: 1, executionProviders: ['cpu'] });
    expect(plain.ranges.size).toBeGreaterThan(0);
    expect([...chosen.ranges.keys()]).toEqual([...plain.ranges.keys()]);
    expect(chosen.samples).toBe(plain.samples);
  });

  it('keeps statistics of what it observes, from which every observer takes ranges inside those of min-max', async () => {
    const plain = await calibrate(model, SAMPLES);
    for (const observer of OBSERVER_NAMES) {
      const { ranges, statistics, samples } = await calibrate(model, SAMPLES, { observer, statistics: true });
      expect([...ranges.keys()].sort()).toEqual([...plain.ranges.keys()].sort());
      expect(samples).toBe(plain.samples);
      for (const [name, { min, max }] of ranges) {
        const whole = plain.ranges.get(name);
        expect(min).toBeGreaterThanOrEqual(whole?.min ?? 0);
        expect(max).toBeLessThanOrEqual(whole?.max ?? 0);
        if (observer === 'minmax') expect([min, max]).toEqual([whole?.min, whole?.max]);
        expect(statistics?.get(name)?.nan).toBe(0);
      }
    }
  });

  it('gives the same ranges with any batch, and in slices where memory is short', async () => {
    const options = { observer: 'entropy' } as const;
    const { ranges } = await calibrate(model, SAMPLES, options);
    for (const other of [{ batch: 7 }, { memory: '300MB' }]) {
      const again = await calibrate(model, SAMPLES, { ...options, ...other });
      for (const [name, { min, max }] of again.ranges) {
        expect(min).toBeCloseTo(ranges.get(name)?.min ?? Number.NaN, 3);
        expect(max).toBeCloseTo(ranges.get(name)?.max ?? Number.NaN, 3);
      }
    }
  });

  it('observes a few tensors at a time where they do not fit into the memory together, and sees the same', async () => {
    const samples = 8;
    const chain = parseModel(`<ir_version: 8, opset_import: ["": 17]> g (float[N, 64] x) => (float[N, 64] y) {
      a = Neg (x) b = Abs (a) c = Exp (b) d = Sqrt (c) y = Relu (d) }`);
    inferTypes(chain);
    const runtime = new LazyRuntime({});
    try {
      const names = ['x', 'a', 'b', 'c', 'd'];
      const source = { kind: 'seeded', seed: 0, count: samples } as const;
      const observed = async (memoryBytes: number) => {
        const totals = new Set<number>();
        const onProgress = (event: ProgressEvent): void => {
          if (event.kind === 'advance') totals.add(event.total ?? 0);
        };
        const wanted = { names, channels: undefined, source };
        const found = await observeTensors(await runtime.host(), chain, wanted, {}, memoryBytes, { onProgress });
        return { ...found, totals: [...totals] };
      };
      const whole = await observed(2 ** 20);
      // A tensor is 256 bytes a sample, and a quarter of the memory is for what is observed: two at a time.
      const sliced = await observed(4 * 512);
      expect([whole.totals, sliced.totals]).toEqual([[samples], [3 * samples]]);
      expect([...sliced.statistics.keys()].sort()).toEqual([...names].sort());
      for (const name of names) expect(sliced.statistics.get(name)).toEqual(whole.statistics.get(name));
    } finally {
      await runtime.close();
    }
  });

  it('observes smallest and largest values where all tensors are in branches', async () => {
    const branches = parseModel(`<ir_version: 8, opset_import: ["": 17]>
      g (bool c, float[2] x) => (float[2] y) {
        y = If (c) <then_branch = t () => (float[2] a) { b = Neg (x) a = Relu (b) },
                    else_branch = e () => (float[2] d) { f = Abs (x) d = Relu (f) }> }`);
    const source = { kind: 'seeded', seed: 0, count: 8 } as const;
    const options = { tensors: ['b', 'f'], observer: 'entropy' } as const;
    const { ranges, samples, statistics } = await calibrate(branches, source, options);
    expect(samples).toBe(8);
    expect(ranges.size).toBeGreaterThan(0);
    expect(statistics?.size).toBe(0);
  });

  it.each([
    ['is not known', 'abacus', 'SO1006'],
    ['does not work here', process.platform === 'darwin' ? 'cuda' : 'coreml', 'SO5005'],
  ])('refuses an execution provider that %s', async (_what, provider, code) => {
    await expect(calibrate(model, SAMPLES, { executionProviders: [provider] })).rejects.toMatchObject({ code });
  });
});
