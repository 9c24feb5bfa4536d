import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LatencyComparison } from '../../../src/bench/results.js';
import { produceModel } from '../../../src/workflows/produce/produce-model.js';
import { type FormClock, FormTimes, isUndecided } from '../../../src/workflows/quantize/search/form-times.js';
import { quantizeCommand } from '../../../src/workflows/quantize-model.js';
import type { measureLatency } from '../../../src/workflows/workbench/measure-latency.js';
import { writePoisonedModel } from '../../helpers/poisoned-model.js';

let folder: string;
let path: string;
let data: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  ({ path, data } = await writePoisonedModel(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const latency = (ratio: number, spread: number, threads?: number): LatencyComparison => ({
  p50MsA: 10,
  p50MsB: 10 * ratio,
  ratio,
  ratioLow: ratio / spread,
  ratioHigh: ratio * spread,
  runs: 400,
  batchSize: 1,
  ...(threads === undefined ? {} : { threads }),
});

/** Quantizes with a machine whose threads wait for other work, but for a thread alone. */
async function onBusyMachine([first, longer]: readonly [number, number], alone: number, name: string) {
  const measure: typeof measureLatency = async (_, __, ___, ____, options) =>
    options?.threads === 1 ? latency(alone, 1.01, 1) : latency(longer, 2);
  let times: FormTimes | undefined;
  const clock: FormClock = {
    first: async () => latency(first, 2),
    time: async (file, first) => (times as FormTimes).time(file, first),
  };
  const command = quantizeCommand(clock);
  const options = { dataPath: data, effort: 'low', mode: 'static', outputPath: join(folder, name) } as const;
  return produceModel(
    path,
    options,
    {},
    {
      ...command,
      prepare: (run) => {
        times = new FormTimes(run, { kind: 'data', path: data }, measure);
        return command.prepare(run);
      },
    },
  );
}

describe('the time of a form on a busy machine', () => {
  it.each<[string, [number, number]]>([
    ['seems slower', [1.4, 1.4]],
    ['seems as fast', [1, 1]],
    ['seems as fast on a longer look', [1.4, 1.02]],
  ])('is that of one thread where it %s and no interval decides', async (_, seen) => {
    const report = await onBusyMachine(seen, 1.4, `slow-${seen.join('-')}.onnx`);
    expect(report.mode).toBe('none');
    expect(report.alternatives?.[0]).toMatchObject({ ratio: 1.4, outcome: 'slower' });
  });

  it('lets a form stand that is as fast on one thread', async () => {
    const report = await onBusyMachine([1.4, 1.4], 0.8, 'fast.onnx');
    expect(report.mode).toBe('static');
    expect(report.latency).toMatchObject({ ratio: 0.8, threads: 1 });
  });

  it('is decided where the interval is narrow, or tells a form faster', () => {
    expect(isUndecided(latency(1.01, 1.05))).toBe(false);
    expect(isUndecided(latency(0.3, 2))).toBe(false);
    expect(isUndecided(latency(0.9, 2))).toBe(true);
  });
});
