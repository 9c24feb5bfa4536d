import { ServeOptError } from '../../../errors.js';
import {
  type Autoscaler,
  KUBERNETES_SERVERS,
  type KubernetesOptions,
  type KubernetesServer,
  type Router,
  type TokenMode,
} from '../../../targets/kubernetes/options.js';
import {
  checkHost,
  checkNamespace,
  checkPrometheus,
  imageReference,
  parseDevice,
  parseGateway,
  parseRateLimit,
  parseReplicas,
  parseSplit,
  parseStorage,
} from '../../../targets/kubernetes/parse-options.js';
import { NUMBER_LIMITS, type WholeNumberLimits, whyNotWholeNumber } from '../../limits.js';
import type { MemoryOptions, ModelOptions, SourceOptions } from '../../options.js';

/** Options of `packageKubernetes`; texts are written as on the command line. */
export interface PackageKubernetesOptions extends SourceOptions, ModelOptions, MemoryOptions {
  /** Default: `torchserve` for an archive, `triton` otherwise. */
  readonly server?: KubernetesServer;
  /** Name of the model on the server; in a repository of several, the one to serve. Default: that of the file. */
  readonly name?: string;
  readonly namespace?: string;
  /** Image of the server, with a tag or digest. */
  readonly image?: string;
  /** `pvc`, `pvc:CLAIM/FOLDER`, `s3://…`, `image`, `image:REFERENCE`, `hostPath:/…`. Default `pvc`: a claim of its own. */
  readonly storage?: string;
  /** Pods: `2`, or `2:10` with an autoscaler. Default 2, and 1 with TorchServe's token. */
  readonly replicas?: string;
  /** Default `keda` where `replicas` is a range. */
  readonly autoscaler?: Autoscaler;
  /** Mean time in the queue that an autoscaler holds, in ms. Default: the median latency. */
  readonly maxQueueMs?: number;
  /** Address of Prometheus, for KEDA. */
  readonly prometheus?: string;
  /** `cpu`, `gpu`, `gpu:0,1`. Default `cpu`. */
  readonly device?: string;
  /** Copies of the model in a pod. Default 1. */
  readonly instances?: number;
  /** Percents by version: `1=90,2=10`. */
  readonly split?: string;
  /** Default `gateway` where a gateway is given. */
  readonly router?: Router;
  /** Gateway that routes are attached to: `NAME` or `NAMESPACE/NAME`. */
  readonly gateway?: string;
  /** Host name of the routes. */
  readonly host?: string;
  /** Most requests in a time: `100/s`. */
  readonly rateLimit?: string;
  /** A PodMonitor instead of annotations. Default false. */
  readonly podMonitor?: boolean;
  /** TorchServe's token. Default `off`. */
  readonly token?: TokenMode;
  /** Report of `bench` with the measurements of this model; without one, it is measured now. */
  readonly reportPath?: string;
  /** Measure the model where there is no report. Default true; otherwise figures are estimated from its size. */
  readonly measure?: boolean;
  /** Threads of a copy of the model. Default: those of the report, or up to 4 of this machine. */
  readonly threads?: number;
  /** Samples, sizes of open dimensions and rows to measure with. */
  readonly dataPath?: string;
  readonly dims?: ReadonlyMap<string, number>;
  readonly batch?: number;
  readonly seed?: number;
  /** Replace files of an earlier package; files of others are kept. Default false. */
  readonly force?: boolean;
  /** Do everything but write. Default false. */
  readonly dryRun?: boolean;
}

/** Where the Prometheus operator's own service is. */
export const DEFAULT_PROMETHEUS = 'http://prometheus-operated.monitoring.svc:9090';

export const PACKAGE_KUBERNETES_DEFAULTS = {
  storage: 'pvc',
  device: 'cpu',
  instances: 1,
  token: 'off',
  prometheus: DEFAULT_PROMETHEUS,
  measure: true,
} as const satisfies PackageKubernetesOptions;

/** Options that were given, by their flag, and whether each was. */
type Given = ReadonlyMap<string, boolean>;

interface Contradiction {
  readonly when: (given: Given, options: KubernetesOptions) => boolean;
  readonly message: string;
  readonly why?: string;
  readonly hint: string;
}

/** What does not go together, once all is parsed. */
const CONTRADICTIONS: readonly Contradiction[] = [
  {
    when: (_, { router, split }) => split.length > 0 && router === undefined,
    message: '--split needs --gateway or --route istio',
    why: 'a Service cannot split requests by weight',
    hint: 'add --gateway NAMESPACE/NAME',
  },
  {
    when: (_, { router, gateway }) => router === 'gateway' && gateway === undefined,
    message: '--route gateway needs --gateway',
    hint: 'add --gateway NAMESPACE/NAME',
  },
  {
    when: (_, { router, host }) => host !== undefined && router === undefined,
    message: '--host needs --gateway or --route istio',
    hint: 'add --gateway NAMESPACE/NAME',
  },
  {
    when: (_, { router, rateLimit }) => rateLimit !== undefined && router !== 'gateway',
    message: '--rate-limit needs --gateway',
    why: 'Envoy Gateway limits the requests of an HTTPRoute',
    hint: 'add --gateway NAMESPACE/NAME',
  },
  {
    when: (_, { router, server }) => router === 'istio' && server === 'kserve',
    message: '--route istio and --for kserve contradict each other',
    why: 'KServe makes a service for each version, not subsets of one',
    hint: 'use --gateway NAMESPACE/NAME instead',
  },
  {
    when: (_, { autoscaler, replicas }) => autoscaler !== undefined && replicas.minimum === replicas.maximum,
    message: '--autoscale needs --replicas MIN:MAX',
    hint: 'add --replicas 2:10',
  },
  {
    when: (_, { autoscaler, server }) => autoscaler === 'hpa' && server === 'kserve',
    message: '--autoscale hpa and --for kserve contradict each other',
    why: 'the autoscaler of KServe reads CPU and memory only',
    hint: 'use --autoscale keda',
  },
  {
    when: (given, { autoscaler }) => given.get('max-queue') === true && autoscaler === undefined,
    message: '--max-queue needs --replicas MIN:MAX',
    hint: 'add --replicas 2:10',
  },
  {
    when: (given, { autoscaler }) => given.get('prometheus') === true && autoscaler !== 'keda',
    message: '--prometheus needs --autoscale keda',
    why: 'nothing else asks Prometheus',
    hint: 'add --replicas 2:10 --autoscale keda',
  },
  {
    when: (_, { storage, image }) => storage.kind === 'image' && image === undefined,
    message: '--storage image needs --image',
    why: "the server's own image has no model",
    hint: 'add --image registry.example.com/resnet:1.0, or use --storage image:REFERENCE',
  },
  {
    when: (_, { storage, server }) => server === 'kserve' && (storage.kind === 'image' || storage.kind === 'host'),
    message: '--for kserve has no storage of this kind',
    why: 'KServe reads models from a claim, from S3, or from an image of their own',
    hint: 'use --storage pvc:CLAIM, s3://BUCKET/FOLDER or image:REFERENCE',
  },
  {
    when: (_, { storage, split }) => storage.kind === 'image' && split.length > 0,
    message: '--split and --storage image contradict each other',
    why: 'one image has all versions, and its server would serve the newest in every pod',
    hint: 'use --storage image:REFERENCE, or pvc:CLAIM',
  },
  {
    when: (given, { server }) => given.get('token') === true && server !== 'torchserve',
    message: '--token needs --for torchserve',
    why: 'no other server has it',
    hint: 'leave --token out',
  },
  {
    when: (_, { token, replicas, split }) => token === 'on' && (replicas.maximum > 1 || split.length > 0),
    message: '--token on needs --replicas 1',
    why: 'each pod makes a token of its own, so that a client of several cannot know which it needs',
    hint: 'leave --token out, and let the gateway check who sends requests',
  },
  {
    when: (given) => given.get('report') === true && given.get('no-measure') === true,
    message: '--report and --no-measure contradict each other',
    hint: 'leave one of them out',
  },
  {
    when: (given) => given.get('report') === true && ['data', 'dim', 'batch'].some((flag) => given.get(flag) === true),
    message: '--report and options of a measurement (--data, --dim, --batch) contradict each other',
    why: 'nothing is measured in that case',
    hint: 'leave --report out, or give them to serve-opt bench',
  },
];

/**
 * Options with defaults applied and checked against each other, before anything is read.
 * @param fallback the server that suits the source
 * @throws SO1002, SO1006
 */
export function kubernetesOptions(given: PackageKubernetesOptions, fallback: KubernetesServer): KubernetesOptions {
  const { autoscaler, router, token = PACKAGE_KUBERNETES_DEFAULTS.token } = given;
  const server = given.server ?? fallback;
  if (!KUBERNETES_SERVERS.includes(server)) {
    throw new ServeOptError('SO1006', `The value "${String(server)}" of --for is not allowed`, {
      hint: `write --for ${KUBERNETES_SERVERS.join('|')}`,
    });
  }
  const instances = given.instances ?? PACKAGE_KUBERNETES_DEFAULTS.instances;
  checkNumber('--instances', instances, NUMBER_LIMITS.instances);
  if (given.threads !== undefined) checkNumber('--threads', given.threads, NUMBER_LIMITS.threads);
  if (given.maxQueueMs !== undefined && !(given.maxQueueMs > 0)) {
    throw new ServeOptError('SO1006', `The value "${given.maxQueueMs}" of --max-queue is not allowed`, {
      hint: 'write --max-queue 20ms',
    });
  }
  const replicas = parseReplicas(given.replicas ?? (token === 'on' ? '1' : '2'));
  const scaled = replicas.minimum < replicas.maximum;
  const chosenScaler = autoscaler ?? (scaled ? 'keda' : undefined);
  const chosenRouter = router ?? (given.gateway === undefined ? undefined : 'gateway');
  const options: KubernetesOptions = {
    server,
    ...(given.namespace === undefined ? {} : { namespace: checkNamespace(given.namespace) }),
    ...(given.image === undefined ? {} : { image: imageReference(given.image, '--image') }),
    storage: parseStorage(given.storage ?? PACKAGE_KUBERNETES_DEFAULTS.storage),
    replicas,
    ...(chosenScaler === undefined ? {} : { autoscaler: chosenScaler }),
    ...(given.maxQueueMs === undefined ? {} : { maximumQueueUs: Math.max(1, Math.round(given.maxQueueMs * 1000)) }),
    prometheus: checkPrometheus(given.prometheus ?? PACKAGE_KUBERNETES_DEFAULTS.prometheus),
    gpus: parseDevice(given.device ?? PACKAGE_KUBERNETES_DEFAULTS.device),
    instances,
    split: given.split === undefined ? [] : parseSplit(given.split),
    ...(chosenRouter === undefined ? {} : { router: chosenRouter }),
    ...(given.gateway === undefined ? {} : { gateway: parseGateway(given.gateway) }),
    ...(given.host === undefined ? {} : { host: checkHost(given.host) }),
    ...(given.rateLimit === undefined ? {} : { rateLimit: parseRateLimit(given.rateLimit) }),
    podMonitor: given.podMonitor ?? false,
    token,
  };
  refuseContradictions(given, options);
  return options;
}

function refuseContradictions(given: PackageKubernetesOptions, options: KubernetesOptions): void {
  const flags: Given = new Map([
    ['max-queue', given.maxQueueMs !== undefined],
    ['prometheus', given.prometheus !== undefined],
    ['token', given.token !== undefined],
    ['report', given.reportPath !== undefined],
    ['no-measure', given.measure === false],
    ['data', given.dataPath !== undefined],
    ['dim', given.dims !== undefined],
    ['batch', given.batch !== undefined],
  ]);
  const found = CONTRADICTIONS.find(({ when }) => when(flags, options));
  if (found === undefined) return;
  const { message, why, hint } = found;
  throw new ServeOptError('SO1002', message, { ...(why === undefined ? {} : { why }), hint });
}

function checkNumber(flag: string, value: number, limits: WholeNumberLimits): void {
  const why = whyNotWholeNumber(value, limits);
  if (why !== undefined) throw new ServeOptError('SO1006', `The value "${value}" of ${flag} is not allowed`, { why });
}
