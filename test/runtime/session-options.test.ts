import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RuntimeHost, startRuntime } from '../../src/runtime/host.js';
import { forTurns, isForTurns, nativeSessionOptions, withoutSpinning } from '../../src/runtime/session-options.js';
import { DataType } from '../../src/tensor/dtype.js';
import { modelFolder, unary } from './models.js';

describe('sessions that take turns', () => {
  it('spin for a moment only, whatever they were made for before', () => {
    const own = { threads: 2, config: { 'session.disable_prepacking': '1' } };
    expect(isForTurns(own)).toBe(false);
    expect(isForTurns(withoutSpinning(forTurns(own)))).toBe(false);
    const turns = forTurns(withoutSpinning(own));
    expect(isForTurns(turns)).toBe(true);
    expect(nativeSessionOptions(turns)).toMatchObject({
      intraOpNumThreads: 2,
      extra: { 'session.disable_prepacking': '1', 'session.intra_op.spin_duration_us': '1000' },
    });
    expect(nativeSessionOptions(withoutSpinning(own)).extra).toMatchObject({ 'session.intra_op.allow_spinning': '0' });
  });
});

describe('latency of a pair', () => {
  const folder = modelFolder();
  let host: RuntimeHost;
  beforeAll(async () => {
    host = await startRuntime();
  });
  afterAll(async () => {
    await host.close();
    rmSync(folder.path, { recursive: true });
  });

  it('takes sessions that were made to be compared, and leaves them usable', async () => {
    const path = folder.write('neg.onnx', unary('Neg', DataType.FLOAT, ['N', 4]));
    const load = async () => (await host.request('load', { path, options: withoutSpinning() })).session;
    const sessions = [await load(), await load()] as const;
    const inputs = [{ name: 'x', dataType: DataType.FLOAT, shape: ['N', 4], typeText: 'float[N,4]' }];
    const source = { kind: 'seeded', seed: 0, count: 2 } as const;
    const { ratio, latencies } = await host.request('latency', { sessions, source, inputs, minRuns: 10, maxMs: 500 });
    expect(latencies).toHaveLength(2);
    expect(ratio?.pairs).toBeGreaterThan(0);
    const compared = await host.request('compare', { a: sessions[0], b: sessions[1], source, inputs });
    expect(compared).toMatchObject({ samples: 2, outputs: [{ exactEqual: 1 }] });
  });
});
