import { ServeOptError } from '../../errors.js';
import type { PackageFile, PackageFiles } from '../package-file.js';
import { yamlText } from '../yaml-text.js';
import { type Deployed, deployed, type Variant } from './deployed.js';
import { inferenceServiceManifest } from './kserve.js';
import type { Measurements } from './measurements.js';
import { metadata, type YamlObject } from './metadata.js';
import type { KubernetesFacts, KubernetesOptions } from './options.js';
import { readme } from './readme.js';
import { destinationRuleManifest, httpRouteManifest, rateLimitManifest, virtualServiceManifest } from './routing.js';
import { podAutoscalerManifest, podMonitorManifest, scaledObjectManifest } from './scaling.js';
import { claimManifest, claimName } from './storage.js';
import { configMapManifest } from './torchserve-config.js';
import {
  deploymentManifest,
  disruptionBudgetManifest,
  networkPolicyManifest,
  serviceAccountManifest,
  serviceManifest,
} from './workloads.js';

/** First words of every file that is written here, after the sign of a comment: files without them belong to the user. */
export const MARKER = 'Written by serve-opt package kubernetes';
export const KUSTOMIZATION = 'kustomization.yaml';
export const README = 'README.md';

/** One object of Kubernetes, and the file that it goes to. */
export interface Manifest {
  readonly path: string;
  readonly object: YamlObject;
}

/** What a package of manifests consists of. */
export interface KubernetesPackage extends PackageFiles {
  readonly files: readonly (PackageFile & { readonly text: string })[];
  readonly deployed: Deployed;
  /** Names of the resource files, in the order of `kustomization.yaml`. */
  readonly resources: readonly string[];
}

/**
 * Manifests for Kubernetes, one file for each object, with `kustomization.yaml` and `README.md`: a pure function, so that the same
 * facts, options and measurements give the same bytes.
 */
export function kubernetesFiles(
  facts: KubernetesFacts,
  options: KubernetesOptions,
  measurements: Measurements,
): KubernetesPackage {
  const all = deployed(facts, options, measurements);
  refuseEqualNames(all);
  const manifests = manifestsOf(all);
  const resources = manifests.map(({ path }) => path);
  return {
    deployed: all,
    resources,
    files: [
      ...manifests.map(({ path, object }) => ({ path, text: yamlText(object, { comment: `${MARKER}.` }) })),
      { path: KUSTOMIZATION, text: kustomizationText(all, resources) },
      { path: README, text: readme(all, resources, MARKER) },
    ],
  };
}

/** The objects, those that others need first. */
function manifestsOf(all: Deployed): Manifest[] {
  const { options } = all;
  const each = (file: string, make: (deployed: Deployed, variant: Variant) => YamlObject): Manifest[] =>
    all.variants.map((variant) => ({ path: `${file}${variant.suffix}.yaml`, object: make(all, variant) }));
  const one = (file: string, object: YamlObject): Manifest[] => [{ path: `${file}.yaml`, object }];
  const rateLimit = rateLimitManifest(all);
  return [
    ...one('serviceaccount', serviceAccountManifest(all)),
    ...(options.storage.kind === 'claim'
      ? one('persistentvolumeclaim', claimManifest(all, metadata(all, claimName(all))))
      : []),
    ...(options.server === 'torchserve' ? each('configmap', configMapManifest) : []),
    ...(options.server === 'kserve'
      ? each('inferenceservice', inferenceServiceManifest)
      : [
          ...each('deployment', deploymentManifest),
          ...(all.variants.length > 1 ? one('service', serviceManifest(all)) : []),
          ...each('service', serviceManifest),
        ]),
    ...each('poddisruptionbudget', disruptionBudgetManifest),
    ...one('networkpolicy', networkPolicyManifest(all)),
    ...(options.server !== 'kserve' && options.autoscaler === 'keda' ? each('scaledobject', scaledObjectManifest) : []),
    ...(options.autoscaler === 'hpa' ? each('horizontalpodautoscaler', podAutoscalerManifest) : []),
    ...(options.podMonitor ? each('podmonitor', podMonitorManifest) : []),
    ...(options.router === 'gateway' ? one('httproute', httpRouteManifest(all)) : []),
    ...(rateLimit === undefined ? [] : one('backendtrafficpolicy', rateLimit)),
    ...(options.router === 'istio'
      ? [...one('virtualservice', virtualServiceManifest(all)), ...one('destinationrule', destinationRuleManifest(all))]
      : []),
  ];
}

/** Two versions could be written alike in the names of objects: 1.0 and 1-0. */
function refuseEqualNames({ variants }: Deployed): void {
  const seen = new Map<string, string>();
  for (const { name, version = '' } of variants) {
    const twin = seen.get(name);
    if (twin !== undefined) {
      throw new ServeOptError(
        'SO1006',
        `Versions ${twin} and ${version} of --split would have the same name "${name}"`,
        {
          hint: 'rename one of the versions',
        },
      );
    }
    seen.set(name, version);
  }
}

/** Entries of `kustomization.yaml` that are ours; a user may add others, such as `patches` and `images`. */
export function kustomizationEntries({ options }: Deployed, resources: readonly string[]): YamlObject {
  return {
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    resources: [...resources],
  };
}

function kustomizationText(all: Deployed, resources: readonly string[]): string {
  return yamlText(
    { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', ...kustomizationEntries(all, resources) },
    { comment: `${MARKER}.\nPatches, images and further resources may be added: --force keeps them.` },
  );
}
