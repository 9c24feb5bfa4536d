import type { Deployed, Variant } from './deployed.js';
import { metadata, type YamlObject } from './metadata.js';

/** A group of paths and where its requests go. */
interface Route {
  readonly paths: readonly string[];
  readonly to: readonly Variant[];
}

/** Paths of one version go to its pods, all others by weight. Longer paths come first. */
function routes({ facts, options, variants }: Deployed): Route[] {
  const names = facts.models.map(({ name }) => encodeURIComponent(name));
  const torchServe = options.server === 'torchserve';
  const modelPath = (name: string): string => (torchServe ? `/predictions/${name}` : `/v2/models/${name}`);
  const versionPath = (name: string, version: string): string =>
    torchServe
      ? `${modelPath(name)}/${encodeURIComponent(version)}`
      : `${modelPath(name)}/versions/${encodeURIComponent(version)}`;
  return [
    ...variants.flatMap((variant) => {
      const { version } = variant;
      return version === undefined ? [] : [{ paths: names.map((name) => versionPath(name, version)), to: [variant] }];
    }),
    { paths: [...names.map(modelPath), torchServe ? '/ping' : '/v2/health'], to: variants },
  ];
}

/** The Service of a variant, and its port. */
function backend({ options, traits }: Deployed, { name }: Variant): { readonly name: string; readonly port: number } {
  return options.server === 'kserve' ? { name: `${name}-predictor`, port: 80 } : { name, port: traits.httpPort };
}

/** Routes of the Gateway API. */
export function httpRouteManifest(deployed: Deployed): YamlObject {
  const { options, name } = deployed;
  const { gateway, host } = options;
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: metadata(deployed, name),
    spec: {
      parentRefs: gateway === undefined ? [] : [{ ...gateway }],
      ...(host === undefined ? {} : { hostnames: [host] }),
      rules: routes(deployed).map(({ paths, to }) => ({
        matches: paths.map((value) => ({ path: { type: 'PathPrefix', value } })),
        backendRefs: to.map((variant) => ({
          ...backend(deployed, variant),
          ...(to.length > 1 ? { weight: variant.weight } : {}),
        })),
      })),
    },
  };
}

/** Requests beyond a rate get status 429, by Envoy Gateway; each Envoy counts for itself. */
export function rateLimitManifest(deployed: Deployed): YamlObject | undefined {
  const { options, name } = deployed;
  const { rateLimit } = options;
  if (rateLimit === undefined) return undefined;
  return {
    apiVersion: 'gateway.envoyproxy.io/v1alpha1',
    kind: 'BackendTrafficPolicy',
    metadata: metadata(deployed, name),
    spec: {
      targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name }],
      rateLimit: { type: 'Local', local: { rules: [{ limit: { ...rateLimit } }] } },
    },
  };
}

/** The same routes for Istio, in the mesh and at a gateway where one is named. */
export function virtualServiceManifest(deployed: Deployed): YamlObject {
  const { options, name, traits } = deployed;
  const { gateway, host } = options;
  const outside = gateway === undefined ? [] : [[gateway.namespace, gateway.name].filter(Boolean).join('/')];
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: metadata(deployed, name),
    spec: {
      hosts: host === undefined ? [name] : [name, host],
      ...(outside.length === 0 ? {} : { gateways: ['mesh', ...outside] }),
      http: routes(deployed).map(({ paths, to }) => ({
        match: paths.flatMap((path) => [{ uri: { exact: path } }, { uri: { prefix: `${path}/` } }]),
        route: to.map((variant) => ({
          destination: {
            host: name,
            ...(variant.version === undefined ? {} : { subset: subsetName(variant) }),
            port: { number: traits.httpPort },
          },
          ...(to.length > 1 ? { weight: variant.weight } : {}),
        })),
      })),
    },
  };
}

/** The subsets that a VirtualService names: pods of one version each; a pod that fails is left out for a while. */
export function destinationRuleManifest(deployed: Deployed): YamlObject {
  const { name, variants } = deployed;
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: metadata(deployed, name),
    spec: {
      host: name,
      trafficPolicy: {
        loadBalancer: { simple: 'LEAST_REQUEST' },
        outlierDetection: { consecutive5xxErrors: 5, interval: '10s', baseEjectionTime: '30s', maxEjectionPercent: 50 },
      },
      ...(variants.length > 1
        ? {
            subsets: variants.map((variant) => ({
              name: subsetName(variant),
              labels: { 'app.kubernetes.io/instance': variant.name },
            })),
          }
        : {}),
    },
  };
}

function subsetName({ suffix }: Variant): string {
  return suffix.slice(1);
}
