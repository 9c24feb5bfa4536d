import type { ModelFacts } from '../model-facts.js';

/** Servers that `package kubernetes` writes manifests for. */
export const KUBERNETES_SERVERS = ['triton', 'torchserve', 'kserve'] as const;
export type KubernetesServer = (typeof KUBERNETES_SERVERS)[number];

/** What changes the number of pods. */
export const AUTOSCALERS = ['keda', 'hpa'] as const;
export type Autoscaler = (typeof AUTOSCALERS)[number];

/** What routes requests to versions. */
export const ROUTERS = ['gateway', 'istio'] as const;
export type Router = (typeof ROUTERS)[number];

/** Whether TorchServe asks for its token. */
export const TOKEN_MODES = ['off', 'on'] as const;
export type TokenMode = (typeof TOKEN_MODES)[number];

/** Where pods get the model from. */
export type ModelStorage =
  /** A claim that the manifests make, to be filled. */
  | { readonly kind: 'claim' }
  /** A claim that exists; `path` is a folder in it. */
  | { readonly kind: 'pvc'; readonly claim: string; readonly path?: string }
  /** An S3 bucket, copied by an init container; KServe reads it itself. */
  | { readonly kind: 's3'; readonly url: string }
  /** The model is in the image of the server. */
  | { readonly kind: 'image' }
  /** The model is an image of its own, mounted as a volume (Kubernetes 1.33). */
  | { readonly kind: 'image-volume'; readonly reference: string }
  /** A folder of the node. */
  | { readonly kind: 'host'; readonly path: string };

/** A share of the requests for one version of the model. */
export interface VersionWeight {
  readonly version: string;
  /** Percent. */
  readonly weight: number;
}

/** An object in a namespace; without one, in that of the manifests. */
export interface ObjectReference {
  readonly namespace?: string;
  readonly name: string;
}

export interface RateLimit {
  readonly requests: number;
  readonly unit: 'Second' | 'Minute' | 'Hour';
}

/** Options with their defaults applied, checked against each other. */
export interface KubernetesOptions {
  readonly server: KubernetesServer;
  readonly namespace?: string;
  /** Image of the server; default that of `SERVER_IMAGES`, or the runtime's own for KServe. */
  readonly image?: string;
  readonly storage: ModelStorage;
  /** Pods that are always there, and the most of them; equal without an autoscaler. */
  readonly replicas: { readonly minimum: number; readonly maximum: number };
  readonly autoscaler?: Autoscaler;
  /** Time in a queue per request that an autoscaler holds, in µs; default from the measured latency. */
  readonly maximumQueueUs?: number;
  /** Address of Prometheus for KEDA. */
  readonly prometheus: string;
  /** GPUs of a pod; 0 for CPU only. */
  readonly gpus: number;
  /** Copies of the model in a pod: instances of Triton, workers of TorchServe. */
  readonly instances: number;
  /** Versions by weight, at least two; empty without a split. */
  readonly split: readonly VersionWeight[];
  readonly router?: Router;
  readonly gateway?: ObjectReference;
  readonly host?: string;
  readonly rateLimit?: RateLimit;
  /** A PodMonitor instead of scrape annotations. */
  readonly podMonitor: boolean;
  readonly token: TokenMode;
}

/** A model as a server names it. */
export interface ServedModel {
  /** Its name on the server. */
  readonly name: string;
  /** Versions that the source holds, oldest first. */
  readonly versions: readonly string[];
  /** Absent for a model that is not ONNX. */
  readonly facts?: ModelFacts;
  /** Bytes of the newest version, weights included. */
  readonly sizeBytes: number;
  /** Files beside the version folders of a Triton repository: `config.pbtxt`, labels. */
  readonly besideVersions: readonly string[];
}

/** What is deployed. */
export interface KubernetesFacts {
  /** A model file, a Triton repository or a TorchServe archive. */
  readonly kind: 'model' | 'repository' | 'archive';
  /** Name of the file or folder, without its path. */
  readonly sourceName: string;
  /** What objects are named for. */
  readonly name: string;
  readonly models: readonly ServedModel[];
}
