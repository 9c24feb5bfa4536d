import type { Deployed, Variant } from './deployed.js';
import { commonLabels, metadata, scrapeAnnotations, type YamlObject } from './metadata.js';
import { containerFields, podFields, podVolumes } from './pod.js';
import { queueQuery } from './scaling.js';
import { serverImage } from './server-traits.js';
import { claimName, type StorageParts, storageParts } from './storage.js';

/**
 * An InferenceService with KServe's Triton runtime, as a plain Deployment: Knative's would allow neither the read-only volumes
 * nor probes and spreading of our own.
 */
export function inferenceServiceManifest(deployed: Deployed, variant: Variant): YamlObject {
  const { options, sizing } = deployed;
  const image = serverImage(options);
  const uri = storageUri(deployed);
  const storage: StorageParts =
    variant.version === undefined ? { volumes: [], mounts: [], initContainers: [] } : storageParts(deployed, variant);
  return {
    apiVersion: 'serving.kserve.io/v1beta1',
    kind: 'InferenceService',
    metadata: metadata(deployed, variant.name, {
      variant,
      annotations: {
        'serving.kserve.io/deploymentMode': 'RawDeployment',
        ...(options.autoscaler === 'keda' ? { 'serving.kserve.io/autoscalerClass': 'keda' } : {}),
      },
    }),
    spec: {
      predictor: {
        ...(Object.keys(scrapeAnnotations(deployed)).length > 0 ? { annotations: scrapeAnnotations(deployed) } : {}),
        labels: commonLabels(deployed, variant),
        minReplicas: options.replicas.minimum,
        maxReplicas: options.replicas.maximum,
        ...(options.autoscaler === 'keda' ? { autoScaling: { metrics: [kedaMetric(deployed, variant)] } } : {}),
        ...podFields(deployed, variant, storage),
        model: {
          modelFormat: { name: 'triton' },
          runtime: 'kserve-tritonserver',
          protocolVersion: 'v2',
          ...(image === undefined ? {} : { image }),
          ...(variant.version === undefined && uri !== undefined ? { storageUri: uri } : {}),
          args: [`--exit-timeout-secs=${sizing.drainSeconds}`, `--allow-gpu-metrics=${options.gpus > 0}`],
          ...containerFields(deployed, storage),
        },
        volumes: podVolumes(deployed, variant, storage),
      },
    },
  };
}

/** Where KServe's storage initializer reads the repository; undefined for storage that it cannot read. */
export function storageUri(deployed: Deployed): string | undefined {
  const { storage } = deployed.options;
  switch (storage.kind) {
    case 'claim':
      return `pvc://${claimName(deployed)}`;
    case 'pvc':
      return `pvc://${storage.claim}${storage.path === undefined ? '' : `/${storage.path}`}`;
    case 's3':
      return storage.url;
    case 'image-volume':
      return `oci://${storage.reference}`;
    case 'image':
    case 'host':
      return undefined;
  }
}

function kedaMetric(deployed: Deployed, variant: Variant): YamlObject {
  const { options, sizing } = deployed;
  return {
    type: 'External',
    external: {
      metric: { backend: 'prometheus', serverAddress: options.prometheus, query: queueQuery(deployed, variant) },
      target: { type: 'Value', value: String(sizing.queueUs) },
    },
  };
}
