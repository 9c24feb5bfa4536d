import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LatencyComparison } from '../../../src/bench/results.js';
import { readModel } from '../../../src/ir/read-model.js';
import { allNodes } from '../../../src/ir/walk.js';
import type { QuantizeOptions } from '../../../src/workflows/options.js';
import { produceModel } from '../../../src/workflows/produce/produce-model.js';
import type { FormClock, FormTime } from '../../../src/workflows/quantize/search/form-times.js';
import { quantizeCommand } from '../../../src/workflows/quantize-model.js';
import { writePoisonedModel } from '../../helpers/poisoned-model.js';

let folder: string;
let path: string;
let data: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  ({ path, data } = await writePoisonedModel(folder));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a form is, by the operators in its file. */
type Seen = 'static' | 'dynamic' | 'fp16' | 'other';

async function formAt(file: string): Promise<Seen> {
  const model = await readModel(file);
  try {
    const operators = new Set([...allNodes(model)].map(({ opType }) => opType));
    if (operators.has('DynamicQuantizeLinear')) return 'dynamic';
    if (operators.has('QuantizeLinear')) return 'static';
    return operators.has('Cast') ? 'fp16' : 'other';
  } finally {
    model.source?.close();
  }
}

const latency = (ratio: number, spread: number): LatencyComparison => ({
  p50MsA: 10,
  p50MsB: 10 * ratio,
  ratio,
  ratioLow: ratio - spread,
  ratioHigh: ratio + spread,
  runs: 400,
  batchSize: 1,
});

/** A clock by which each form takes so many times the original's time. */
function clockOf(ratios: Readonly<Record<Seen, number>>, spread = 0.01): FormClock & { readonly seen: Seen[] } {
  const seen: Seen[] = [];
  const look = async (file: string): Promise<LatencyComparison> => {
    const form = await formAt(file);
    seen.push(form);
    return latency(ratios[form], spread);
  };
  return {
    seen,
    first: look,
    async time(file, first): Promise<FormTime> {
      const measured = first ?? (await look(file));
      const seems = measured.ratio >= 1.03;
      const slower = seems && measured.ratio - spread > 1;
      return { latency: measured, slower, doubtful: seems && !slower };
    },
  };
}

const quantize = (options: QuantizeOptions, clock: FormClock) =>
  produceModel(path, { dataPath: data, effort: 'low', ...options }, {}, quantizeCommand(clock));

const SLOW = { static: 1.4, dynamic: 1.4, fp16: 1.4, other: 1 } as const;

describe('a result that is timed beside the original', () => {
  it('stands where it is not slower, and is timed once', async () => {
    const clock = clockOf({ ...SLOW, static: 0.5 });
    const report = await quantize({ outputPath: join(folder, 'fast.onnx') }, clock);
    expect(clock.seen).toEqual(['static']);
    expect(report).toMatchObject({ mode: 'static', latency: { ratio: 0.5 } });
    expect(report.alternatives).toBeUndefined();
  });

  it('stands where noise could be all of it, which is said', async () => {
    const clock = clockOf({ ...SLOW, static: 1.2 }, 0.5);
    const report = await quantize({ outputPath: join(folder, 'noisy.onnx') }, clock);
    expect(report.mode).toBe('static');
    expect(report.alternatives).toBeUndefined();
    expect(report.notes.join(' ')).toMatch(
      /1\.2× the time of the original.*within the noise of this machine: it is kept/,
    );
  });

  it('makes way for a form that is faster', async () => {
    const clock = clockOf({ ...SLOW, dynamic: 0.7 });
    const report = await quantize({ outputPath: join(folder, 'dynamic.onnx') }, clock);
    expect(report.mode).toBe('dynamic');
    expect(report.latency).toMatchObject({ ratio: 0.7 });
    expect(report.alternatives?.at(-1)).toMatchObject({ form: 'dynamic', outcome: 'delivered', ratio: 0.7 });
    expect(report.alternatives?.[0]).toMatchObject({ form: 'static', outcome: 'slower', ratio: 1.4 });
    expect(clock.seen).not.toContain('fp16');
  });

  it('makes way for the smallest of the forms that are as fast, where none is faster', async () => {
    const report = await quantize(
      { outputPath: join(folder, 'smallest.onnx') },
      clockOf({ ...SLOW, dynamic: 1, fp16: 1 }),
    );
    expect(report.mode).toBe('dynamic');
    expect(report.alternatives).toContainEqual(
      expect.objectContaining({ form: 'fp16', outcome: 'rejected', why: 'another form is better' }),
    );
  });

  it('makes way for the original where every form is slower', async () => {
    const report = await quantize({ outputPath: join(folder, 'original.onnx') }, clockOf(SLOW));
    expect(report.mode).toBe('none');
    expect(report.output.sha256).toBe(report.input.sha256);
    expect(report.alternatives?.at(-1)).toMatchObject({ form: 'none', outcome: 'delivered' });
    expect(report.notes.join(' ')).toContain('--allow-slower delivers the INT8 model');
  });

  it('keeps to a mode that was asked for', async () => {
    const clock = clockOf({ ...SLOW, dynamic: 0.5, fp16: 0.5 });
    const report = await quantize({ outputPath: join(folder, 'asked.onnx'), mode: 'static' }, clock);
    expect(report.mode).toBe('none');
    expect(clock.seen).not.toContain('dynamic');
  });

  it.each<[string, QuantizeOptions, string]>([
    ['it may be slower', { allowSlower: true }, 'static'],
    ['it is not run', { verify: false }, 'static'],
    ['it is made for another place', { for: 'tensorrt' }, 'static'],
    ['it is FP16, which is made for GPUs', { mode: 'fp16' }, 'fp16'],
  ])('is not looked at where %s', async (_, options, mode) => {
    const clock = clockOf(SLOW);
    const { effort: __, dataPath, ...rest }: QuantizeOptions = { dataPath: data, effort: 'low', ...options };
    const given = options.mode === 'fp16' ? rest : { ...rest, ...(dataPath ? { dataPath } : {}) };
    const report = await produceModel(
      path,
      { ...given, outputPath: join(folder, `${_.replace(/\W/g, '')}.onnx`) },
      {},
      quantizeCommand(clock),
    );
    expect(clock.seen).toEqual([]);
    expect(report.mode).toBe(mode);
  });
});
