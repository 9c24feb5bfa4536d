/** Judges manifests by the published schemas of Kubernetes and of the projects whose resources are used. */
import { join } from 'node:path';
import { BackendTrafficPolicy } from '@kubernetes-models/envoy-gateway/gateway.envoyproxy.io/v1alpha1';
import { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1';
import { DestinationRule, VirtualService } from '@kubernetes-models/istio/networking.istio.io/v1';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, PersistentVolumeClaim, Service, ServiceAccount } from 'kubernetes-models/v1';
import ts from 'typescript';

/** An object of Kubernetes as plain data. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
}

interface SchemaRow {
  /** A class whose objects have `validate`, which throws. */
  readonly model: new (
    data: never,
  ) => { validate(): void };
  /** Module of its type, which is called `I` and the kind. */
  readonly module: string;
}

/** By `apiVersion` and `kind`. */
const SCHEMAS: ReadonlyMap<string, SchemaRow> = new Map([
  ['v1 Service', { model: Service, module: 'kubernetes-models/v1' }],
  ['v1 ServiceAccount', { model: ServiceAccount, module: 'kubernetes-models/v1' }],
  ['v1 ConfigMap', { model: ConfigMap, module: 'kubernetes-models/v1' }],
  ['v1 PersistentVolumeClaim', { model: PersistentVolumeClaim, module: 'kubernetes-models/v1' }],
  ['apps/v1 Deployment', { model: Deployment, module: 'kubernetes-models/apps/v1' }],
  ['policy/v1 PodDisruptionBudget', { model: PodDisruptionBudget, module: 'kubernetes-models/policy/v1' }],
  ['networking.k8s.io/v1 NetworkPolicy', { model: NetworkPolicy, module: 'kubernetes-models/networking.k8s.io/v1' }],
  [
    'autoscaling/v2 HorizontalPodAutoscaler',
    { model: HorizontalPodAutoscaler, module: 'kubernetes-models/autoscaling/v2' },
  ],
  ['keda.sh/v1alpha1 ScaledObject', { model: ScaledObject, module: '@kubernetes-models/keda/keda.sh/v1alpha1' }],
  [
    'gateway.networking.k8s.io/v1 HTTPRoute',
    { model: HTTPRoute, module: '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1' },
  ],
  [
    'gateway.envoyproxy.io/v1alpha1 BackendTrafficPolicy',
    { model: BackendTrafficPolicy, module: '@kubernetes-models/envoy-gateway/gateway.envoyproxy.io/v1alpha1' },
  ],
  [
    'networking.istio.io/v1 VirtualService',
    { model: VirtualService, module: '@kubernetes-models/istio/networking.istio.io/v1' },
  ],
  [
    'networking.istio.io/v1 DestinationRule',
    { model: DestinationRule, module: '@kubernetes-models/istio/networking.istio.io/v1' },
  ],
  [
    'monitoring.coreos.com/v1 PodMonitor',
    { model: PodMonitor, module: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1' },
  ],
]);

/** Fields of KServe's component; the others are those of a pod. `npm run conformance` judges these by KServe's own models. */
const COMPONENT_FIELDS = ['model', 'minReplicas', 'maxReplicas', 'autoScaling', 'labels', 'annotations'];
/** Fields of KServe's model; the others are those of a container. */
const MODEL_FIELDS = ['modelFormat', 'runtime', 'protocolVersion', 'storageUri'];

/** An InferenceService as the Deployment that its pod would be, so that the schema of a pod judges it. */
function asDeployment(service: KubernetesObject): KubernetesObject {
  const predictor = service.spec?.predictor as Readonly<Record<string, unknown>>;
  const container = without(predictor.model as Readonly<Record<string, unknown>>, MODEL_FIELDS);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: service.metadata,
    spec: {
      selector: { matchLabels: predictor.labels },
      template: {
        metadata: {
          labels: predictor.labels,
          ...(predictor.annotations ? { annotations: predictor.annotations } : {}),
        },
        spec: { ...without(predictor, COMPONENT_FIELDS), containers: [{ name: 'kserve-container', ...container }] },
      },
    },
  };
}

function without(object: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

function judged(object: KubernetesObject): { readonly object: KubernetesObject; readonly row: SchemaRow } {
  const plain = object.kind === 'InferenceService' ? asDeployment(object) : object;
  const row = SCHEMAS.get(`${plain.apiVersion} ${plain.kind}`);
  if (row === undefined) throw new Error(`There is no schema for ${plain.apiVersion} ${plain.kind}`);
  return { object: plain, row };
}

/** What the schema has against an object: types, formats, required fields. */
export function schemaProblem(given: KubernetesObject): string | undefined {
  const { object, row } = judged(given);
  try {
    new row.model(object as never).validate();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * What the compiler has against objects as literals of their published types: fields that do not exist above all, which the schemas
 * let pass and an API server refuses.
 */
export function unknownFieldProblems(objects: readonly KubernetesObject[]): string[] {
  const root = join(import.meta.dirname, '..', '..');
  const file = join(root, 'test', 'helpers', 'manifests-to-check.ts');
  const lines = objects.map((given, index) => {
    const { object, row } = judged(given);
    const type = `import(${JSON.stringify(row.module)}).I${object.kind}`;
    return `export const o${index}: ${type} = ${JSON.stringify(object)};`;
  });
  const text = lines.join('\n');
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (path, ...rest) =>
    path === file ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022) : getSourceFile(path, ...rest);
  host.fileExists = (path) => path === file || fileExists(path);
  host.readFile = (path) => (path === file ? text : readFile(path));
  const program = ts.createProgram([file], options, host);
  const source = program.getSourceFile(file);
  return [...program.getSemanticDiagnostics(source), ...program.getSyntacticDiagnostics(source)].map((diagnostic) =>
    ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n').slice(0, 600),
  );
}
