import { ServeOptError } from '../../errors.js';
import type { ModelConfig } from '../../proto/model-config.js';
import type { GraphOptimization, ServingOptions, VersionPolicy } from './triton-options.js';

/** Platforms that a package may be for. */
export type TritonPlatform = 'onnxruntime_onnx' | 'tensorrt_plan';

/**
 * `optimization.graph.level` as the ONNX Runtime backend reads it: 2 turns everything off, and all of it is what it does
 * without a level.
 */
const GRAPH_LEVELS: Readonly<Record<GraphOptimization, number | undefined>> = {
  off: 2,
  basic: -1,
  extended: 1,
  all: undefined,
};

/** Where and how instances run. @throws SO1002 for options that contradict each other or the platform */
export function resourceConfig(
  options: ServingOptions,
  platform: TritonPlatform,
): Pick<ModelConfig, 'instance_group' | 'optimization' | 'parameters' | 'response_cache' | 'version_policy'> {
  checkTogether(options, platform);
  const parameters = threadParameters(options);
  return {
    ...versionPolicy(options.policy),
    ...instanceGroup(options),
    ...optimization(options),
    ...(parameters.size > 0 ? { parameters } : {}),
    ...(options.cache ? { response_cache: { enable: true } } : {}),
  };
}

function checkTogether({ device, accelerator, threads, optimization }: ServingOptions, platform: TritonPlatform): void {
  const contradiction = (a: string, b: string, why: string): ServeOptError =>
    new ServeOptError('SO1002', `${a} and ${b} contradict each other`, { why });
  if (platform === 'tensorrt_plan') {
    const why = 'an engine runs in TensorRT, on a GPU';
    if (device?.kind === 'cpu') throw contradiction('--device cpu', 'an engine', why);
    if (accelerator !== undefined) throw contradiction('--accelerator', 'an engine', why);
    if (threads !== undefined) throw contradiction('--threads', 'an engine', 'it sets threads of ONNX Runtime');
    if (optimization !== undefined)
      throw contradiction('--optimization', 'an engine', 'it tells what ONNX Runtime does to a graph');
  }
  if (accelerator?.name === 'tensorrt' && device?.kind === 'cpu')
    throw contradiction('--accelerator tensorrt', '--device cpu', 'TensorRT needs a GPU');
  if (accelerator?.name === 'openvino' && device?.kind === 'gpu')
    throw contradiction('--accelerator openvino', '--device gpu', 'Triton uses OpenVINO for instances on the CPU');
}

function versionPolicy(policy: VersionPolicy | undefined): Pick<ModelConfig, 'version_policy'> {
  switch (policy?.kind) {
    case undefined:
      return {};
    case 'all':
      return { version_policy: { all: {} } };
    case 'latest':
      return { version_policy: { latest: { num_versions: policy.count } } };
    case 'specific':
      return { version_policy: { specific: { versions: policy.versions } } };
  }
}

function instanceGroup({ instances, device }: ServingOptions): Pick<ModelConfig, 'instance_group'> {
  if (instances === undefined && device === undefined) return {};
  const kind =
    device === undefined ? {} : { kind: device.kind === 'cpu' ? ('KIND_CPU' as const) : ('KIND_GPU' as const) };
  const gpus = device?.kind === 'gpu' && device.ids.length > 0 ? { gpus: device.ids } : {};
  return { instance_group: [{ ...kind, ...(instances === undefined ? {} : { count: instances }), ...gpus }] };
}

function optimization({ optimization: wanted, accelerator }: ServingOptions): Pick<ModelConfig, 'optimization'> {
  const level = wanted === undefined ? undefined : GRAPH_LEVELS[wanted];
  const graph = level === undefined ? {} : { graph: { level } };
  if (accelerator === undefined) return level === undefined ? {} : { optimization: graph };
  if (accelerator.name === 'openvino') {
    return {
      optimization: { ...graph, execution_accelerators: { cpu_execution_accelerator: [{ name: 'openvino' }] } },
    };
  }
  const { precision } = accelerator;
  const parameters =
    precision === undefined ? {} : { parameters: new Map([['precision_mode', precision.toUpperCase()]]) };
  return {
    optimization: {
      ...graph,
      execution_accelerators: { gpu_execution_accelerator: [{ name: 'tensorrt', ...parameters }] },
    },
  };
}

function threadParameters({ threads }: ServingOptions): Map<string, { readonly string_value: string }> {
  const parameters = new Map<string, { readonly string_value: string }>();
  if (threads?.intra !== undefined) parameters.set('intra_op_thread_count', { string_value: String(threads.intra) });
  if (threads?.inter !== undefined) {
    parameters.set('inter_op_thread_count', { string_value: String(threads.inter) });
    // Threads between operators are used by parallel execution alone.
    if (threads.inter > 1) parameters.set('execution_mode', { string_value: '1' });
  }
  return parameters;
}
