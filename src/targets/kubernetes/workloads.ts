import { type Deployed, selectorLabels, sharedSelector, type Variant } from './deployed.js';
import { metadata, type YamlObject } from './metadata.js';
import { podTemplate } from './pod.js';
import { torchServeConfig } from './torchserve-config.js';

/** Seconds in which images may be pulled before a rollout is reported as stuck. */
const PULL_SECONDS = 600;

export function deploymentManifest(deployed: Deployed, variant: Variant): YamlObject {
  const { options, sizing } = deployed;
  const { startup } = sizing;
  const config = options.server === 'torchserve' ? torchServeConfig(deployed, variant) : undefined;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadata(deployed, variant.name, { variant }),
    spec: {
      // An autoscaler counts the pods itself: applying the manifests again must not undo what it did.
      ...(options.autoscaler === undefined ? { replicas: options.replicas.minimum } : {}),
      revisionHistoryLimit: 3,
      progressDeadlineSeconds:
        PULL_SECONDS + startup.initialDelaySeconds + startup.periodSeconds * startup.failureThreshold,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      selector: { matchLabels: selectorLabels(deployed, variant) },
      template: podTemplate(deployed, variant, config),
    },
  };
}

/** The Service of a variant, or without one that of all. */
export function serviceManifest(deployed: Deployed, variant?: Variant): YamlObject {
  const { traits, name } = deployed;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(deployed, variant?.name ?? name, variant === undefined ? {} : { variant }),
    spec: {
      type: 'ClusterIP',
      selector: variant === undefined ? sharedSelector(deployed) : selectorLabels(deployed, variant),
      ports: [
        { name: 'http', port: traits.httpPort, targetPort: 'http', protocol: 'TCP', appProtocol: 'http' },
        { name: 'grpc', port: traits.grpcPort, targetPort: 'grpc', protocol: 'TCP', appProtocol: 'grpc' },
        { name: 'metrics', port: traits.metricsPort, targetPort: 'metrics', protocol: 'TCP', appProtocol: 'http' },
      ],
    },
  };
}

/** Own account without a token: the server does not speak to Kubernetes. */
export function serviceAccountManifest(deployed: Deployed): YamlObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata(deployed, deployed.name),
    automountServiceAccountToken: false,
  };
}

/** One pod at a time may be evicted; with a share of pods that must stay, a single pod would keep a node from being drained. */
export function disruptionBudgetManifest(deployed: Deployed, variant: Variant): YamlObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(deployed, variant.name, { variant }),
    spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(deployed, variant) } },
  };
}

/** Only the ports that serve can be reached from outside of the pod. */
export function networkPolicyManifest(deployed: Deployed): YamlObject {
  const { traits, name } = deployed;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(deployed, name),
    spec: {
      podSelector: { matchLabels: sharedSelector(deployed) },
      policyTypes: ['Ingress'],
      ingress: [
        {
          ports: [traits.httpPort, traits.grpcPort, traits.metricsPort].map((port) => ({ protocol: 'TCP', port })),
        },
      ],
    },
  };
}
