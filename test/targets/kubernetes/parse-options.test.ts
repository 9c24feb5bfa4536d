import { describe, expect, it } from 'vitest';
import { ServeOptError } from '../../../src/errors.js';
import {
  isNamespace,
  isObjectName,
  labelValue,
  objectName,
  versionedName,
} from '../../../src/targets/kubernetes/names.js';
import {
  checkHost,
  checkModelName,
  checkNamespace,
  checkPrometheus,
  imageReference,
  parseDevice,
  parseGateway,
  parseRateLimit,
  parseReplicas,
  parseSplit,
  parseStorage,
} from '../../../src/targets/kubernetes/parse-options.js';

/** What is thrown: code, flag in the message, reason. */
function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (!(error instanceof ServeOptError)) throw error;
    expect(error.code).toBe('SO1006');
    expect(error.hasDefaultHint).toBe(false);
    return `${error.message} ${error.why}`;
  }
  throw new Error('nothing was refused');
}

describe('parseStorage', () => {
  it('reads claims, buckets, images and folders of nodes', () => {
    expect(parseStorage('pvc')).toEqual({ kind: 'claim' });
    expect(parseStorage('pvc:models')).toEqual({ kind: 'pvc', claim: 'models' });
    expect(parseStorage('pvc:models/a/b/')).toEqual({ kind: 'pvc', claim: 'models', path: 'a/b' });
    expect(parseStorage('s3://bucket/a')).toEqual({ kind: 's3', url: 's3://bucket/a' });
    expect(parseStorage('image')).toEqual({ kind: 'image' });
    expect(parseStorage('image:a/b:1')).toEqual({ kind: 'image-volume', reference: 'a/b:1' });
    expect(parseStorage('hostPath:/srv/models')).toEqual({ kind: 'host', path: '/srv/models' });
    expect(parseStorage('hostpath:/srv')).toEqual({ kind: 'host', path: '/srv' });
  });

  it.each([
    '',
    'nfs:x',
    'pvc:',
    'pvc:A_b',
    'pvc:a/../b',
    'pvc:a//b',
    's3://',
    's3://x',
    's3://b/a b',
    'image:',
    'image:a/b',
    'image:a:latest',
    'hostPath:srv',
    'hostPath:/a/../b',
    'gs://bucket/x',
  ])('refuses "%s"', (text) => {
    if (text === 'pvc:a//b') expect(() => parseStorage(text)).toThrow(/inside the claim|not allowed/);
    else expect(refusal(() => parseStorage(text))).toContain('--storage');
  });
});

describe('parseSplit', () => {
  it('reads percents by version', () => {
    expect(parseSplit('1=90, 2=10%')).toEqual([
      { version: '1', weight: 90 },
      { version: '2', weight: 10 },
    ]);
  });

  it.each([
    ['1=90,2=20', 'the sum is 110 %'],
    ['1=90,2=5', 'the sum is 95 %'],
    ['1=100', 'it needs two versions'],
    ['1=50,1=50', 'version 1 is there twice'],
    ['1:90,2:10', '"1:90" is not VERSION=PERCENT'],
    ['=90,2=10', 'is not VERSION=PERCENT'],
    ['1=-90,2=190', 'is not VERSION=PERCENT'],
    ['', 'is not VERSION=PERCENT'],
  ])('refuses "%s": %s', (text, why) => {
    expect(refusal(() => parseSplit(text))).toContain(why);
  });
});

describe('parseReplicas', () => {
  it('reads a number or a range', () => {
    expect(parseReplicas('3')).toEqual({ minimum: 3, maximum: 3 });
    expect(parseReplicas('2:10')).toEqual({ minimum: 2, maximum: 10 });
  });

  it.each([
    ['0', 'at least one pod'],
    ['0:5', 'without pods there is no metric'],
    ['5:2', '2 is less than 5'],
    ['2:9999', 'at most 1000'],
    ['two', 'N or MIN:MAX'],
    ['-1', 'N or MIN:MAX'],
  ])('refuses %s: %s', (text, why) => {
    expect(refusal(() => parseReplicas(text))).toContain(why);
  });
});

describe('imageReference', () => {
  const digest = `a/b@sha256:${'0'.repeat(64)}`;

  it.each(['a/b:1.0', 'registry.example.com:5000/a:1', digest, `a/b:latest@sha256:${'f'.repeat(64)}`])(
    'takes %s',
    (text) => {
      expect(imageReference(text, '--image')).toBe(text);
    },
  );

  it.each([
    ['a/b', 'without a tag'],
    ['registry.example.com:5000/a', 'without a tag'],
    ['a/b:latest', 'latest changes'],
    ['A/b:1', 'not the reference'],
    ['a b:1', 'not the reference'],
    ['a:1\nb', 'not the reference'],
    ['a@sha256:12', 'not the reference'],
  ])('refuses %j: %s', (text, why) => {
    expect(refusal(() => imageReference(text, '--image'))).toContain(why);
  });
});

describe('parseDevice', () => {
  it('counts GPUs from 0, as containers see them', () => {
    expect(['cpu', 'gpu', 'gpu:0', 'gpu:0,1', 'gpu:3'].map(parseDevice)).toEqual([0, 1, 1, 2, 4]);
  });

  it.each(['tpu', 'gpu:', 'gpu:a', 'gpu:16', 'GPU'])('refuses %s', (text) => {
    expect(refusal(() => parseDevice(text))).toContain('--device');
  });
});

describe('other values', () => {
  it('are read', () => {
    expect(parseGateway('public')).toEqual({ name: 'public' });
    expect(parseGateway('infra/public')).toEqual({ namespace: 'infra', name: 'public' });
    expect(parseRateLimit('100/s')).toEqual({ requests: 100, unit: 'Second' });
    expect(parseRateLimit('6/min')).toEqual({ requests: 6, unit: 'Minute' });
    expect(checkNamespace('ml-1')).toBe('ml-1');
    expect(checkHost('a.example.com')).toBe('a.example.com');
    expect(checkPrometheus('http://p:9090')).toBe('http://p:9090');
    expect(checkModelName('resnet.v1-a_b')).toBe('resnet.v1-a_b');
  });

  it.each([
    [() => parseGateway('a/b/c'), '--gateway'],
    [() => parseGateway('Infra/public'), '--gateway'],
    [() => parseRateLimit('0/s'), '--rate-limit'],
    [() => parseRateLimit('100'), '--rate-limit'],
    [() => parseRateLimit('1/day'), '--rate-limit'],
    [() => checkNamespace('Ml'), '--namespace'],
    [() => checkNamespace('x'.repeat(64)), '--namespace'],
    [() => checkHost('localhost'), '--host'],
    [() => checkHost('A.example.com'), '--host'],
    [() => checkPrometheus('prometheus:9090'), '--prometheus'],
    [() => checkModelName('../x'), '--name'],
    [() => checkModelName('a b'), '--name'],
    [() => checkModelName(''), '--name'],
  ])('%s is refused with its flag', (work, flag) => {
    expect(refusal(work)).toContain(flag);
  });
});

describe('names of objects', () => {
  it('stay what they are where Kubernetes takes them', () => {
    expect(objectName('resnet-50')).toBe('resnet-50');
    expect(labelValue('Model.v1_a')).toBe('Model.v1_a');
    expect(versionedName('resnet', '1.0')).toBe('resnet-v1-0');
  });

  it('differ where the names differ, whatever is replaced or cut', () => {
    const names = [
      'a.b',
      'a_b',
      'a-b',
      'A-B',
      'a b',
      '1a',
      '-a',
      'a-',
      '模型',
      '模',
      '',
      `${'x'.repeat(80)}1`,
      `${'x'.repeat(80)}2`,
    ];
    const made = names.map((name) => objectName(name));
    expect(new Set(made).size).toBe(names.length);
    for (const name of made) {
      expect(name).toMatch(/^[a-z][a-z0-9-]*[a-z0-9]$/);
      expect(name.length).toBeLessThanOrEqual(40);
      expect(isObjectName(name)).toBe(true);
    }
  });

  it('fit labels of at most 63 characters', () => {
    expect(labelValue('x'.repeat(70)).length).toBeLessThanOrEqual(63);
    expect(isNamespace('x'.repeat(63))).toBe(true);
    expect(isNamespace('x'.repeat(64))).toBe(false);
  });
});
