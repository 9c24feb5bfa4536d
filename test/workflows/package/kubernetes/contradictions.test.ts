import { describe, expect, it } from 'vitest';
import { ServeOptError } from '../../../../src/errors.js';
import {
  kubernetesOptions,
  type PackageKubernetesOptions,
} from '../../../../src/workflows/package/kubernetes/kubernetes-options.js';

function refusal(given: PackageKubernetesOptions): ServeOptError {
  try {
    kubernetesOptions(given, 'triton');
  } catch (error) {
    if (error instanceof ServeOptError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const CASES: readonly (readonly [PackageKubernetesOptions, string])[] = [
  [{ split: '1=90,2=10' }, '--split needs --gateway or --route istio'],
  [{ router: 'gateway' }, '--route gateway needs --gateway'],
  [{ host: 'a.example.com' }, '--host needs --gateway or --route istio'],
  [{ rateLimit: '1/s' }, '--rate-limit needs --gateway'],
  [{ rateLimit: '1/s', router: 'istio' }, '--rate-limit needs --gateway'],
  [{ router: 'istio', server: 'kserve' }, '--route istio and --for kserve contradict each other'],
  [{ autoscaler: 'keda' }, '--autoscale needs --replicas MIN:MAX'],
  [{ autoscaler: 'hpa', replicas: '3' }, '--autoscale needs --replicas MIN:MAX'],
  [{ autoscaler: 'hpa', replicas: '1:3', server: 'kserve' }, '--autoscale hpa and --for kserve contradict each other'],
  [{ maxQueueMs: 5 }, '--max-queue needs --replicas MIN:MAX'],
  [{ prometheus: 'http://p:9090' }, '--prometheus needs --autoscale keda'],
  [{ prometheus: 'http://p:9090', autoscaler: 'hpa', replicas: '1:3' }, '--prometheus needs --autoscale keda'],
  [{ storage: 'image' }, '--storage image needs --image'],
  [{ storage: 'image', image: 'a/b:1', server: 'kserve' }, '--for kserve has no storage of this kind'],
  [{ storage: 'hostPath:/srv', server: 'kserve' }, '--for kserve has no storage of this kind'],
  [
    { storage: 'image', image: 'a/b:1', split: '1=90,2=10', gateway: 'a' },
    '--split and --storage image contradict each other',
  ],
  [{ token: 'on' }, '--token needs --for torchserve'],
  [{ token: 'on', server: 'torchserve', replicas: '2' }, '--token on needs --replicas 1'],
  [{ token: 'on', server: 'torchserve', split: '1=50,2=50', gateway: 'a' }, '--token on needs --replicas 1'],
  [{ reportPath: 'a.json', measure: false }, '--report and --no-measure contradict each other'],
  [
    { reportPath: 'a.json', batch: 8 },
    '--report and options of a measurement (--data, --dim, --batch) contradict each other',
  ],
];

describe('options that contradict each other', () => {
  it.each(CASES)('%j: %s', (given, message) => {
    const error = refusal(given);
    expect(error.code).toBe('SO1002');
    expect(error.message).toBe(message);
    expect(error.hint).not.toBe('');
  });
});

describe('values that are not allowed', () => {
  it.each([
    [{ server: 'seldon' as never }, 'of --for'],
    [{ instances: 0 }, 'of --instances'],
    [{ instances: 1.5 }, 'of --instances'],
    [{ threads: 0 }, 'of --threads'],
    [{ maxQueueMs: -1 }, 'of --max-queue'],
    [{ maxQueueMs: Number.NaN }, 'of --max-queue'],
  ])('%j', (given, part) => {
    const error = refusal(given);
    expect(error.code).toBe('SO1006');
    expect(error.message).toContain(part);
  });
});

describe('defaults', () => {
  it('are two pods on CPU with a claim of their own, and one pod with a token', () => {
    expect(kubernetesOptions({}, 'triton')).toMatchObject({
      server: 'triton',
      replicas: { minimum: 2, maximum: 2 },
      storage: { kind: 'claim' },
      gpus: 0,
      instances: 1,
      split: [],
      token: 'off',
    });
    expect(kubernetesOptions({ token: 'on' }, 'torchserve').replicas).toEqual({ minimum: 1, maximum: 1 });
  });

  it('are KEDA for a range of pods, and the Gateway API where a gateway is named', () => {
    expect(kubernetesOptions({ replicas: '2:4' }, 'triton').autoscaler).toBe('keda');
    expect(kubernetesOptions({ gateway: 'a/b' }, 'triton').router).toBe('gateway');
  });
});
