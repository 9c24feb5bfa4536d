import { createHash } from 'node:crypto';
import type { YamlValue } from '../yaml-text.js';
import { type Deployed, onlyModel, selectorLabels, type Variant } from './deployed.js';
import { commonLabels, scrapeAnnotations, type YamlObject } from './metadata.js';
import { CONTAINER_SECURITY, POD_SECURITY } from './pod-security.js';
import { probes } from './probes.js';
import { serverImage } from './server-traits.js';
import { mebibytes } from './sizing.js';
import { type StorageParts, storageParts } from './storage.js';
import { CONFIG_FOLDER, configMapName, WORK_FOLDER } from './torchserve-config.js';

/** The template of a Deployment's pods. @param config content of the ConfigMap, so that a change of it replaces the pods */
export function podTemplate(deployed: Deployed, variant: Variant, config: string | undefined): YamlObject {
  const annotations: Record<string, string> = {
    ...scrapeAnnotations(deployed),
    ...(config === undefined ? {} : { 'serve-opt/config-sha256': createHash('sha256').update(config).digest('hex') }),
  };
  return {
    metadata: {
      labels: commonLabels(deployed, variant),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: podSpec(deployed, variant),
  };
}

function podSpec(deployed: Deployed, variant: Variant): YamlObject {
  const { options } = deployed;
  const storage = storageParts(deployed, variant);
  return {
    ...podFields(deployed, variant, storage),
    containers: [
      {
        name: options.server,
        image: serverImage(options),
        imagePullPolicy: 'IfNotPresent',
        ...serverProcess(deployed),
        ports: ports(deployed),
        ...containerFields(deployed, storage),
      },
    ],
    volumes: podVolumes(deployed, variant, storage),
  };
}

/** Account, security, time to end and places of a pod, whatever runs in it. */
export function podFields(deployed: Deployed, variant: Variant, { initContainers }: StorageParts): YamlObject {
  return {
    serviceAccountName: deployed.name,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: POD_SECURITY,
    terminationGracePeriodSeconds: deployed.sizing.graceSeconds,
    ...scheduling(deployed, selectorLabels(deployed, variant)),
    ...(initContainers.length === 0 ? {} : { initContainers }),
  };
}

/** Probes, end, resources, security and folders of the container with the server. */
export function containerFields(deployed: Deployed, { mounts }: StorageParts): YamlObject {
  return {
    ...probes(deployed),
    lifecycle: { preStop: preStop(deployed) },
    resources: resources(deployed),
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [...mounts, ...writableMounts(deployed)],
  };
}

/** Volumes with models, and those that a server writes to. */
export function podVolumes(deployed: Deployed, variant: Variant, { volumes }: StorageParts): YamlValue[] {
  return [...volumes, ...writableVolumes(deployed, variant)];
}

/** Pods on different nodes and in different zones where there are some, and on nodes with GPUs if they use them. */
function scheduling({ options }: Deployed, matchLabels: Readonly<Record<string, string>>): YamlObject {
  const spread = (topologyKey: string): YamlObject => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels },
  });
  return {
    topologySpreadConstraints: [spread('kubernetes.io/hostname'), spread('topology.kubernetes.io/zone')],
    ...(options.gpus > 0 ? { tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }] } : {}),
  };
}

/** CPU has no limit: a pod that is throttled answers late, while its request already keeps others from taking its share. */
function resources({ sizing, options }: Deployed): YamlObject {
  const gpu: Record<string, YamlValue> = options.gpus > 0 ? { 'nvidia.com/gpu': options.gpus } : {};
  return {
    requests: { cpu: String(sizing.cpuCores), memory: mebibytes(sizing.memoryRequestBytes), ...gpu },
    limits: { memory: mebibytes(sizing.memoryLimitBytes), ...gpu },
  };
}

function serverProcess(deployed: Deployed): YamlObject {
  return deployed.options.server === 'torchserve' ? torchServeProcess(deployed) : tritonProcess(deployed);
}

function tritonProcess(deployed: Deployed): YamlObject {
  const { traits, options, sizing, facts } = deployed;
  const chosen = facts.kind === 'repository' ? onlyModel(deployed)?.name : undefined;
  return {
    command: ['tritonserver'],
    args: [
      `--model-repository=${traits.modelFolder}`,
      ...(chosen === undefined
        ? ['--model-control-mode=none']
        : ['--model-control-mode=explicit', `--load-model=${chosen}`]),
      `--http-port=${traits.httpPort}`,
      `--grpc-port=${traits.grpcPort}`,
      `--metrics-port=${traits.metricsPort}`,
      `--allow-gpu-metrics=${options.gpus > 0}`,
      `--exit-timeout-secs=${sizing.drainSeconds}`,
    ],
  };
}

function torchServeProcess({ measurements }: Deployed): YamlObject {
  const env: Readonly<Record<string, string>> = {
    HOME: WORK_FOLDER,
    TEMP: '/tmp',
    LOG_LOCATION: `${WORK_FOLDER}/logs`,
    METRICS_LOCATION: `${WORK_FOLDER}/logs`,
    OMP_NUM_THREADS: String(measurements.threads),
    PIP_NO_CACHE_DIR: '1',
    PYTHONDONTWRITEBYTECODE: '1',
  };
  return {
    // Logs, caches and the file with the tokens go to the folder in which the server starts.
    workingDir: WORK_FOLDER,
    command: ['torchserve'],
    args: ['--start', '--foreground', '--ncs', `--ts-config=${CONFIG_FOLDER}/config.properties`],
    env: Object.entries(env).map(([name, value]) => ({ name, value })),
  };
}

/** Endpoints are withdrawn first; TorchServe's launcher does not pass the signal on to Java, so that it is stopped by its command. */
function preStop({ options, sizing }: Deployed): YamlObject {
  const wait = `sleep ${sizing.preStopSeconds}`;
  return {
    exec: {
      command:
        options.server === 'torchserve'
          ? ['sh', '-c', `${wait}; torchserve --stop`]
          : ['sleep', String(sizing.preStopSeconds)],
    },
  };
}

function ports({ traits }: Deployed): YamlObject[] {
  return [
    { name: 'http', containerPort: traits.httpPort, protocol: 'TCP' },
    { name: 'grpc', containerPort: traits.grpcPort, protocol: 'TCP' },
    { name: 'metrics', containerPort: traits.metricsPort, protocol: 'TCP' },
  ];
}

/** The folders that a server writes to, all else being read-only. */
function writableMounts({ options }: Deployed): YamlObject[] {
  const tmp = { name: 'tmp', mountPath: '/tmp' };
  if (options.server !== 'torchserve') return [tmp, { name: 'shm', mountPath: '/dev/shm' }];
  return [tmp, { name: 'work', mountPath: WORK_FOLDER }, { name: 'config', mountPath: CONFIG_FOLDER, readOnly: true }];
}

function writableVolumes(deployed: Deployed, variant: Variant): YamlObject[] {
  const { options, sizing } = deployed;
  const tmp = { name: 'tmp', emptyDir: { sizeLimit: mebibytes(sizing.temporaryBytes) } };
  if (options.server !== 'torchserve')
    return [tmp, { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: SHARED_MEMORY } }];
  return [
    tmp,
    { name: 'work', emptyDir: { sizeLimit: '512Mi' } },
    { name: 'config', configMap: { name: configMapName(variant) } },
  ];
}

/** Backends in Python pass tensors through it; it counts as memory of the pod. */
const SHARED_MEMORY = '128Mi';
