import { describe, expect, it } from 'vitest';
import { estimateCost, measurementFrom } from '../../../src/targets/kubernetes/measurements.js';
import { serverTraits } from '../../../src/targets/kubernetes/server-traits.js';
import { mebibytes, sizePods } from '../../../src/targets/kubernetes/sizing.js';
import { MEASURED } from '../../helpers/kubernetes-cases.js';

const MIB = 2 ** 20;
const ONE = { instances: 1, gpus: 0 };

describe('sizePods', () => {
  it('asks for the server, and 1.25 times the model for each copy, in steps of 64 MiB', () => {
    const triton = sizePods(serverTraits('triton'), MEASURED, ONE, 100 * MIB);
    // 256 + 1.25 × 230 = 543.5
    expect(mebibytes(triton.memoryRequestBytes)).toBe('576Mi');
    expect(mebibytes(triton.memoryLimitBytes)).toBe('832Mi');
    const three = sizePods(serverTraits('torchserve'), MEASURED, { instances: 3, gpus: 0 }, 0);
    // 512 + 3 × (448 + 287.5) = 2718.5
    expect(mebibytes(three.memoryRequestBytes)).toBe('2752Mi');
  });

  it('asks for one core for each thread of each copy', () => {
    expect(sizePods(serverTraits('triton'), MEASURED, { instances: 3, gpus: 0 }, 0).cpuCores).toBe(6);
  });

  it('asks for host memory of CUDA with GPUs', () => {
    const [cpu, gpu] = [0, 1].map((gpus) => sizePods(serverTraits('triton'), MEASURED, { instances: 1, gpus }, 0));
    expect((gpu?.memoryRequestBytes ?? 0) - (cpu?.memoryRequestBytes ?? 0)).toBe(1024 * MIB);
  });

  it('waits for the start that was measured before the first probe, and ten times as long after it', () => {
    const slow = { ...MEASURED, models: MEASURED.models.map((model) => ({ ...model, sessionMs: 20_000 })) };
    const { startup, expectedStartSeconds } = sizePods(serverTraits('triton'), slow, ONE, 0);
    expect(expectedStartSeconds).toBe(25);
    expect(startup.initialDelaySeconds).toBe(25);
    expect(startup.periodSeconds * startup.failureThreshold).toBeGreaterThanOrEqual(250);
    expect(startup.periodSeconds * startup.failureThreshold).toBeLessThan(260);
  });

  it('gives probes and draining more time for slow models', () => {
    const slow = { ...MEASURED, models: MEASURED.models.map((model) => ({ ...model, tailMs: 4000 })) };
    const sizing = sizePods(serverTraits('triton'), slow, ONE, 0);
    expect(sizing.readiness.timeoutSeconds).toBe(9);
    expect(sizing.drainSeconds).toBe(65);
    expect(sizing.graceSeconds).toBe(75);
  });

  it('holds a queue of about one inference, at least 1 ms, or what was asked for', () => {
    const queue = (p50Ms: number): number =>
      sizePods(serverTraits('triton'), { ...MEASURED, models: MEASURED.models.map((m) => ({ ...m, p50Ms })) }, ONE, 0)
        .queueUs;
    expect([0.01, 1, 12.3, 20, 20.1, 950].map(queue)).toEqual([1000, 1000, 20_000, 20_000, 30_000, 1_000_000]);
    expect(sizePods(serverTraits('triton'), MEASURED, { ...ONE, maximumQueueUs: 1234 }, 0).queueUs).toBe(1234);
  });

  it('adds up the models of a repository', () => {
    const two = { ...MEASURED, models: [...MEASURED.models, ...MEASURED.models] };
    expect(mebibytes(sizePods(serverTraits('triton'), two, ONE, 0).memoryRequestBytes)).toBe('832Mi');
  });
});

describe('measurementFrom', () => {
  const parts = {
    inputs: ['float[1]'],
    starts: [
      { sessionMs: 10, firstRunMs: 3 },
      { sessionMs: 12, firstRunMs: 2 },
    ],
    modelBytes: 0,
    quantiles: [
      { probability: 0.5, name: 'p50', ms: 1 },
      { probability: 0.95, name: 'p95', ms: 2 },
      { probability: 0.999, name: 'p99.9', ms: 9 },
    ],
  };

  it('takes the longest start and the highest quantile up to p99', () => {
    expect(measurementFrom('m', parts)).toMatchObject({
      sessionMs: 12,
      firstRunMs: 3,
      p50Ms: 1,
      tailMs: 2,
      tailName: 'p95',
    });
  });

  it('is nothing without cold starts, memory or a median', () => {
    expect(measurementFrom('m', { ...parts, starts: [] })).toBeUndefined();
    expect(measurementFrom('m', { ...parts, quantiles: [] })).toBeUndefined();
    const { modelBytes: _, ...without } = parts;
    expect(measurementFrom('m', without)).toBeUndefined();
  });
});

describe('estimateCost', () => {
  it('takes three times the file, and no less than 64 MiB', () => {
    expect(estimateCost({ name: 'a', sizeBytes: 100 * MIB }).modelBytes).toBe(300 * MIB);
    expect(estimateCost({ name: 'a', sizeBytes: 1 }).modelBytes).toBe(64 * MIB);
  });
});
