import type { Deployed, Variant } from './deployed.js';
import { metadata, type YamlObject } from './metadata.js';

/** Where TorchServe starts: it writes logs, caches and `key_file.json` there. */
export const WORK_FOLDER = '/home/model-server/work';
export const CONFIG_FOLDER = '/home/model-server/config';

/** Tokens that a probe reads must outlive the pod: ten years. */
const TOKEN_MINUTES = 10 * 365 * 24 * 60;

export function configMapName({ name }: Variant): string {
  return `${name}-config`;
}

/** Name of the archive that a variant loads. */
export function archiveName({ facts }: Deployed, { version }: Variant): string {
  if (version !== undefined) return `${facts.models[0]?.name}-${version}.mar`;
  return facts.kind === 'archive' ? facts.sourceName : `${facts.models[0]?.name}.mar`;
}

/** `config.properties`: management on the loopback interface only, metrics for Prometheus. */
export function torchServeConfig(deployed: Deployed, variant: Variant): string {
  const { traits, options, facts, sizing } = deployed;
  const model = facts.models[0]?.name ?? '';
  const lines = [
    `inference_address=http://0.0.0.0:${traits.httpPort}`,
    'management_address=http://127.0.0.1:8081',
    `metrics_address=http://0.0.0.0:${traits.metricsPort}`,
    'grpc_inference_address=0.0.0.0',
    `grpc_inference_port=${traits.grpcPort}`,
    'grpc_management_address=127.0.0.1',
    'grpc_management_port=7071',
    `model_store=${traits.modelFolder}`,
    `load_models=${model}=${archiveName(deployed, variant)}`,
    `default_workers_per_model=${options.instances}`,
    `default_startup_timeout=${sizing.startup.periodSeconds * sizing.startup.failureThreshold}`,
    'install_py_dep_per_model=true',
    'metrics_mode=prometheus',
    'enable_envvars_config=false',
    ...(options.token === 'on' ? [`token_expiration_min=${TOKEN_MINUTES}`] : ['disable_token_authorization=true']),
  ];
  return `${lines.join('\n')}\n`;
}

export function configMapManifest(deployed: Deployed, variant: Variant): YamlObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadata(deployed, configMapName(variant), { variant }),
    data: { 'config.properties': torchServeConfig(deployed, variant) },
  };
}
