import { type Deployed, selectorLabels, type Variant } from './deployed.js';
import { metadata, type YamlObject } from './metadata.js';
import type { KubernetesOptions } from './options.js';

/** Seconds between two looks at the metric, and of quiet before pods are taken away. */
const POLL_SECONDS = 15;
const COOLDOWN_SECONDS = 300;
/** Span of the rates. */
const WINDOW = '1m';

/**
 * Mean time in the queue per request, in µs, over the pods of a variant: quotient of two counters. Pods are chosen by name, as
 * TorchServe counts a request without a version under the version `default`.
 */
export function queueQuery({ traits, options, facts }: Deployed, variant: Variant): string {
  const { queueUs, requests, modelLabel } = traits.metrics;
  const [model] = facts.models;
  const matchers = [
    ...(facts.models.length === 1 && model ? [`${modelLabel}=${quoted(model.name)}`] : []),
    ...(options.namespace === undefined ? [] : [`namespace=${quoted(options.namespace)}`]),
    `pod=~${quoted(podPattern(options, variant))}`,
  ].join(',');
  const rate = (series: string): string => `sum(rate(${series}{${matchers}}[${WINDOW}]))`;
  return `${rate(queueUs)} / clamp_min(${rate(requests)}, 0.001)`;
}

/** Names of a Deployment's pods: two random words follow its own, so that those of `resnet-b` are none of `resnet`. */
function podPattern({ server }: KubernetesOptions, { name }: Variant): string {
  return `${name}${server === 'kserve' ? '-predictor' : ''}-[a-z0-9]+-[a-z0-9]+`;
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

/** KEDA asks Prometheus for the time in the queue. */
export function scaledObjectManifest(deployed: Deployed, variant: Variant): YamlObject {
  const { options, sizing } = deployed;
  return {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: metadata(deployed, variant.name, { variant }),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: variant.name },
      minReplicaCount: options.replicas.minimum,
      maxReplicaCount: options.replicas.maximum,
      pollingInterval: POLL_SECONDS,
      cooldownPeriod: COOLDOWN_SECONDS,
      advanced: { horizontalPodAutoscalerConfig: { behavior: behavior(deployed) } },
      triggers: [
        {
          type: 'prometheus',
          // A mean is not the sum over the pods, which KEDA would divide by their number.
          metricType: 'Value',
          metadata: {
            serverAddress: options.prometheus,
            query: queueQuery(deployed, variant),
            threshold: String(sizing.queueUs),
          },
        },
      ],
    },
  };
}

/** The same by Kubernetes alone, from a metric that an adapter offers for each pod. */
export function podAutoscalerManifest(deployed: Deployed, variant: Variant): YamlObject {
  const { options, sizing, traits } = deployed;
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata(deployed, variant.name, { variant }),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: variant.name },
      minReplicas: options.replicas.minimum,
      maxReplicas: options.replicas.maximum,
      metrics: [
        {
          type: 'Pods',
          pods: {
            metric: { name: traits.metrics.perRequest },
            target: { type: 'AverageValue', averageValue: String(sizing.queueUs) },
          },
        },
      ],
      behavior: behavior(deployed),
    },
  };
}

/** Up at once, by no more than double within the time that a new pod takes to start; down slowly. */
function behavior({ sizing }: Deployed): YamlObject {
  return {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      policies: [{ type: 'Percent', value: 100, periodSeconds: Math.max(15, sizing.expectedStartSeconds) }],
    },
    scaleDown: {
      stabilizationWindowSeconds: COOLDOWN_SECONDS,
      policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }],
    },
  };
}

/** For the Prometheus operator. */
export function podMonitorManifest(deployed: Deployed, variant: Variant): YamlObject {
  const { traits, options } = deployed;
  const port = options.server === 'kserve' ? { portNumber: traits.metricsPort } : { port: 'metrics' };
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: metadata(deployed, variant.name, { variant }),
    spec: {
      selector: { matchLabels: selectorLabels(deployed, variant) },
      podMetricsEndpoints: [{ ...port, path: traits.metricsPath, interval: `${POLL_SECONDS}s` }],
    },
  };
}

/** Configuration of the Prometheus adapter that offers the metric of `podAutoscalerManifest`. */
export function adapterRule({ traits }: Deployed): YamlObject {
  const { queueUs, requests, perRequest } = traits.metrics;
  const rate = (series: string): string => `sum(rate(${series}{<<.LabelMatchers>>}[${WINDOW}])) by (<<.GroupBy>>)`;
  return {
    rules: [
      {
        seriesQuery: `${queueUs}{namespace!="",pod!=""}`,
        resources: { overrides: { namespace: { resource: 'namespace' }, pod: { resource: 'pod' } } },
        name: { as: perRequest },
        metricsQuery: `${rate(queueUs)} / clamp_min(${rate(requests)}, 0.001)`,
      },
    ],
  };
}
