/** `UPDATE_GOLDEN=1 npx vitest run test/targets/kubernetes` writes the golden packages anew. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ServeOptError } from '../../../src/errors.js';
import { KUBERNETES_SERVERS } from '../../../src/targets/kubernetes/options.js';
import type { PackageKubernetesOptions } from '../../../src/workflows/package/kubernetes/kubernetes-options.js';
import { factsOf, packageOf, RESNET } from '../../helpers/kubernetes-cases.js';
import { type KubernetesObject, schemaProblem, unknownFieldProblems } from '../../helpers/kubernetes-schemas.js';

const GOLDEN = join(import.meta.dirname, 'golden');
const update = process.env.UPDATE_GOLDEN === '1';

const DIGEST = `registry.example.com/triton@sha256:${'0123456789abcdef'.repeat(4)}`;

/** Packages that are compared as a whole. */
const CASES: Readonly<Record<string, PackageKubernetesOptions>> = {
  triton: {},
  'triton-split-gateway': {
    namespace: 'models',
    storage: 'pvc:shared/vision',
    replicas: '2:10',
    split: '1=90,2=10',
    gateway: 'infra/public',
    host: 'models.example.com',
    rateLimit: '100/s',
    podMonitor: true,
  },
  'triton-gpu-s3': {
    device: 'gpu:0,1',
    instances: 2,
    storage: 's3://bucket/models',
    image: 'registry.example.com:5000/triton:1.2',
    replicas: '3',
  },
  'triton-istio-hpa': {
    split: '1=50,2=50',
    router: 'istio',
    gateway: 'infra/public',
    replicas: '2:4',
    autoscaler: 'hpa',
    storage: 'image:registry.example.com/resnet:1.0',
  },
  'torchserve-token': { server: 'torchserve', token: 'on', storage: 'hostPath:/srv/models' },
  'torchserve-split': { server: 'torchserve', split: '1=80,2=20', gateway: 'public', replicas: '2:6', instances: 3 },
  kserve: { server: 'kserve', storage: 's3://bucket/models', replicas: '2:8' },
  'kserve-split': {
    server: 'kserve',
    storage: 'pvc:shared',
    split: '1=95,2=5',
    gateway: 'infra/public',
    podMonitor: true,
  },
};

describe('manifests', () => {
  const objects: KubernetesObject[] = [];
  for (const [name, options] of Object.entries(CASES)) {
    it(`of ${name} are what golden/${name}.txt says, and fit their schemas`, () => {
      const made = packageOf(options);
      objects.push(...made.objects);
      for (const object of made.objects)
        expect(schemaProblem(object), `${object.kind} ${object.metadata.name}`).toBeUndefined();
      const text = [...made.files].map(([path, content]) => `=== ${path}\n${content}`).join('\n');
      const path = join(GOLDEN, `${name}.txt`);
      if (update) {
        mkdirSync(GOLDEN, { recursive: true });
        writeFileSync(path, text);
      }
      expect(existsSync(path)).toBe(true);
      expect(text).toBe(readFileSync(path, 'utf8'));
    });
  }

  it('have no field that the types of Kubernetes do not have', () => {
    expect(objects.length).toBeGreaterThan(50);
    expect(unknownFieldProblems(objects)).toEqual([]);
  });

  it('would be refused with a field that does not exist, or a value of another type', () => {
    const [, deployment] = packageOf({ storage: 'pvc:x' }).objects;
    const wrong = { ...deployment, spec: { ...deployment?.spec, replicaz: 2 } } as KubernetesObject;
    expect(unknownFieldProblems([wrong]).join()).toContain('replicaz');
    const text = { ...deployment, spec: { ...deployment?.spec, replicas: 'two' } } as KubernetesObject;
    expect(schemaProblem(text)).toContain('replicas');
  });

  it('are the same bytes again', () => {
    for (const options of Object.values(CASES))
      expect([...packageOf(options).files]).toEqual([...packageOf(options).files]);
  });
});

const NAMES = [
  'resnet',
  'ResNet50',
  'a.b',
  'a_b',
  '50net',
  'yes',
  '1e3',
  'x'.repeat(100),
  'a-',
  'Model.With_All-of.them',
];

/** Any options, also those that contradict each other. */
const anyOptions: fc.Arbitrary<PackageKubernetesOptions> = fc.record(
  {
    server: fc.constantFrom(...KUBERNETES_SERVERS),
    namespace: fc.constantFrom('default', 'ml-1', '0'),
    image: fc.constantFrom('a/b:1', DIGEST, 'registry.example.com:5000/x/y:v1.2-rc_1'),
    storage: fc.constantFrom(
      'pvc',
      'pvc:a.b/c d/e',
      's3://bucket/a',
      'image',
      'image:r.example.com/m:2',
      'hostPath:/srv/a b',
    ),
    replicas: fc.constantFrom('1', '2', '1:3', '5:100'),
    autoscaler: fc.constantFrom('keda' as const, 'hpa' as const),
    maxQueueMs: fc.double({ min: 0.0001, max: 1e5, noNaN: true }),
    prometheus: fc.constantFrom('http://prometheus:9090', 'https://p.example.com/select/0'),
    device: fc.constantFrom('cpu', 'gpu', 'gpu:0,3'),
    instances: fc.integer({ min: 1, max: 64 }),
    split: fc.constantFrom('1=90,2=10', '1=0,2=100', '1=50%, 2=50%'),
    router: fc.constantFrom('gateway' as const, 'istio' as const),
    gateway: fc.constantFrom('public', 'infra/public'),
    host: fc.constantFrom('a.example.com', '*.example.com'),
    rateLimit: fc.constantFrom('1/s', '600/min', '99999/h'),
    podMonitor: fc.boolean(),
    token: fc.constantFrom('on' as const, 'off' as const),
  },
  { requiredKeys: [] },
);

/** The same options without what contradicts itself. */
function coherent(given: PackageKubernetesOptions): PackageKubernetesOptions {
  const options: { -readonly [K in keyof PackageKubernetesOptions]: PackageKubernetesOptions[K] } = { ...given };
  if (options.server !== 'torchserve') delete options.token;
  if (options.token === 'on') {
    options.replicas = '1';
    delete options.split;
  }
  if (options.server === 'kserve') {
    if (options.storage === 'image' || options.storage?.startsWith('host')) delete options.storage;
    if (options.router === 'istio') delete options.router;
    if (options.autoscaler === 'hpa') delete options.autoscaler;
  }
  if (options.storage === 'image') {
    options.image ??= 'a/b:1';
    delete options.split;
  }
  if (options.rateLimit !== undefined) options.router = 'gateway';
  if (options.router === 'gateway' || (options.router === undefined && (options.split ?? options.host) !== undefined))
    options.gateway ??= 'public';
  if (!options.replicas?.includes(':') || options.autoscaler === 'hpa') delete options.prometheus;
  if (!options.replicas?.includes(':')) {
    delete options.autoscaler;
    delete options.maxQueueMs;
  }
  return options;
}

describe('any combination of options', () => {
  const kindOf = ({ server }: PackageKubernetesOptions): 'archive' | 'repository' =>
    server === 'torchserve' ? 'archive' : 'repository';

  it('is written, or refused with a code and a hint of its own', () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        try {
          packageOf(options, factsOf(kindOf(options)));
        } catch (error) {
          expect(error).toBeInstanceOf(ServeOptError);
          expect((error as ServeOptError).code).toBe('SO1002');
          expect((error as ServeOptError).hasDefaultHint).toBe(false);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('without contradictions fits the schemas, with names and labels that Kubernetes takes', () => {
    const seen = new Map<string, KubernetesObject>();
    fc.assert(
      fc.property(anyOptions.map(coherent), fc.constantFrom(...NAMES), (options, name) => {
        const made = packageOf(options, factsOf(kindOf(options), { ...RESNET, name }));
        for (const object of made.objects) {
          expect(schemaProblem(object)).toBeUndefined();
          expect(object.metadata.name).toMatch(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/);
          for (const label of Object.values(object.metadata.labels))
            expect(label).toMatch(/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/);
          seen.set(`${object.kind} ${JSON.stringify(options)}`, object);
        }
        checkReferences(made.objects);
        const kustomization = parse(made.files.get('kustomization.yaml') ?? '') as { resources: string[] };
        expect(kustomization.resources).toEqual([...made.files.keys()].slice(0, -2));
      }),
      { numRuns: 200 },
    );
    // The compiler looks at some of each kind: all of them would take minutes.
    const kinds = new Map<string, KubernetesObject[]>();
    for (const object of seen.values()) kinds.set(object.kind, [...(kinds.get(object.kind) ?? []), object].slice(0, 6));
    expect(kinds.size).toBe(15);
    expect(unknownFieldProblems([...kinds.values()].flat())).toEqual([]);
  });
});

/** What objects refer to by name, port or label is there. */
function checkReferences(objects: readonly KubernetesObject[]): void {
  const named = (kind: string): Map<string, KubernetesObject> =>
    new Map(objects.filter((object) => object.kind === kind).map((object) => [object.metadata.name, object]));
  const deployments = named('Deployment');
  const services = named('Service');
  expect(new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).size).toBe(objects.length);
  type Pod = { readonly metadata: { readonly labels: Record<string, string> }; readonly spec: PodSpec };
  type PodSpec = {
    readonly serviceAccountName: string;
    readonly volumes: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
    readonly containers: readonly {
      readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
    }[];
  };
  for (const { spec } of deployments.values()) {
    const { template, selector } = spec as unknown as {
      template: Pod;
      selector: { matchLabels: Record<string, string> };
    };
    expect(template.metadata.labels).toMatchObject(selector.matchLabels);
    expect(named('ServiceAccount').has(template.spec.serviceAccountName)).toBe(true);
    const volumes = template.spec.volumes.map(({ name }) => name);
    for (const { volumeMounts } of template.spec.containers) {
      for (const { name } of volumeMounts) expect(volumes).toContain(name);
      expect(new Set(volumeMounts.map(({ mountPath }) => mountPath)).size).toBe(volumeMounts.length);
    }
    for (const { configMap } of template.spec.volumes) {
      if (configMap) expect(named('ConfigMap').has(configMap.name)).toBe(true);
    }
  }
  for (const object of objects) {
    if (object.kind === 'ScaledObject' || object.kind === 'HorizontalPodAutoscaler') {
      const { scaleTargetRef } = object.spec as unknown as { scaleTargetRef: { name: string } };
      expect(deployments.get(scaleTargetRef.name)?.spec).not.toHaveProperty('replicas');
    }
    if (object.kind === 'HTTPRoute' && services.size > 0) {
      const { rules } = object.spec as unknown as {
        rules: { backendRefs: { name: string; port: number; weight?: number }[] }[];
      };
      for (const { backendRefs } of rules) {
        for (const { name, port } of backendRefs) {
          const { spec } = services.get(name) ?? {};
          expect(spec?.ports).toContainEqual(expect.objectContaining({ port }));
        }
      }
    }
  }
}
