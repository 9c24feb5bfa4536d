/** Instances, optimization and parameters (Triton's `ValidateInstanceGroup`; `onnxruntime.cc` of its ONNX Runtime backend). */
import type { ModelConfigPart } from '../../../proto/model-config.js';
import { suggest } from '../../../suggest.js';
import { GPU_ACCELERATORS, ONNX_PARAMETERS, type ParameterKind, TENSORRT_PARAMETERS } from './onnxruntime-options.js';
import type { ModelView } from './view.js';

export function checkInstances(view: ModelView): void {
  const groups = view.config.instance_group ?? [];
  for (const [index, group] of groups.entries()) checkGroup(view, group, `instance_group[${index}]`);
  if (groups.length > 0 && groups.every(({ passive }) => passive === true)) {
    view.at('all-passive', 'instance_group', 'All instances are passive');
  }
  const onlyCpu = groups.length > 0 && groups.every(({ kind }) => kind === 'KIND_CPU');
  const onGpu = groups.some(({ kind }) => kind === 'KIND_GPU');
  checkOptimization(view, onlyCpu, onGpu);
  if (view.effective.backend === 'onnxruntime') checkParameters(view);
}

type Group = ModelConfigPart<'ModelInstanceGroup'>;

function checkGroup(view: ModelView, group: Group, field: string): void {
  const { kind = 'KIND_AUTO', count, gpus = [], profile = [] } = group;
  if (count !== undefined && count < 1)
    view.at('instance-count', `${field}.count`, `The count of instances is ${count}`);
  if ((kind === 'KIND_CPU' || kind === 'KIND_MODEL') && gpus.length > 0)
    view.at('instance-gpus', `${field}.gpus`, `Instances of ${kind} have gpus`);
  if (profile.length > 0 && view.effective.platform !== 'tensorrt_plan')
    view.at('tensorrt-only', `${field}.profile`, 'The instances have an optimization profile');
  else
    for (const [index, each] of profile.entries()) {
      if (!/^\s*\+?\d/.test(each))
        view.at('instance-profile', `${field}.profile[${index}]`, `The optimization profile "${each}" is not a number`);
    }
  if (group.rate_limiter !== undefined) {
    view.at(
      'server-option',
      `${field}.rate_limiter`,
      'The instances have a rate limiter',
      'Start tritonserver with --rate-limit=execution_count, or leave rate_limiter out',
    );
  }
  if ((group.host_policy ?? '') !== '') {
    view.at(
      'server-option',
      `${field}.host_policy`,
      `The instances have the host policy "${group.host_policy}"`,
      `Start tritonserver with --host-policy=${group.host_policy},SETTING=VALUE, or leave host_policy out`,
    );
  }
}

function checkOptimization(view: ModelView, onlyCpu: boolean, onGpu: boolean): void {
  const { optimization } = view.config;
  const { backend } = view.effective;
  const level = optimization?.graph?.level ?? 0;
  if (backend === 'onnxruntime' && ![0, -1, 1].includes(level)) {
    const what =
      level === 2 ? 'Graph level 2 switches all optimizations off' : `Graph level ${level} means the same as no level`;
    view.at('graph-level', 'optimization.graph.level', what);
  }
  if (onlyCpu && optimization?.cuda !== undefined)
    view.at('gpu-option-on-cpu', 'optimization.cuda', 'There are CUDA options, and all instances are on the CPU');
  if (onlyCpu && (view.config.cc_model_filenames?.size ?? 0) > 0) ccOnCpu(view);
  else if (backend === 'onnxruntime' && !onGpu && (view.config.cc_model_filenames?.size ?? 0) > 0) ccOnCpu(view);
  const field = 'optimization.execution_accelerators';
  const { cpu_execution_accelerator: cpu = [], gpu_execution_accelerator: gpu = [] } =
    optimization?.execution_accelerators ?? {};
  if (gpu.length > 0 && onlyCpu)
    view.at(
      'gpu-option-on-cpu',
      `${field}.gpu_execution_accelerator`,
      'There is an accelerator for GPUs, and all instances are on the CPU',
    );
  if (backend !== 'onnxruntime') return;
  for (const [index, { name = '' }] of cpu.entries()) {
    if (name !== 'openvino')
      view.at(
        'accelerator',
        `${field}.cpu_execution_accelerator[${index}]`,
        `There is no accelerator "${name}" for the CPU`,
        'Write name: "openvino", or leave it out',
      );
  }
  if (onlyCpu) return;
  for (const [index, accelerator] of gpu.entries())
    checkGpuAccelerator(view, accelerator, `${field}.gpu_execution_accelerator[${index}]`);
}

function ccOnCpu(view: ModelView): void {
  view.at(
    'gpu-option-on-cpu',
    'cc_model_filenames',
    'There are files by compute capability, and no instances on a GPU',
  );
}

function checkGpuAccelerator(
  view: ModelView,
  accelerator: ModelConfigPart<'ModelOptimizationPolicy.ExecutionAccelerators.Accelerator'>,
  field: string,
): void {
  const { name = '', parameters = new Map<string, string>() } = accelerator;
  if (!GPU_ACCELERATORS.includes(name)) {
    view.at(
      'accelerator',
      field,
      `There is no accelerator "${name}" for GPUs`,
      `Write name: "${suggest(name, GPU_ACCELERATORS) ?? 'tensorrt'}"`,
    );
    return;
  }
  if (name !== 'tensorrt') return;
  for (const [key, value] of parameters) {
    const kind = TENSORRT_PARAMETERS.get(key);
    const at = `${field}.parameters[${JSON.stringify(key)}]`;
    if (kind === undefined) {
      const near = suggest(key, TENSORRT_PARAMETERS.keys());
      view.at(
        'accelerator',
        at,
        `The accelerator "tensorrt" has no parameter "${key}"`,
        near === undefined ? undefined : `Write key: "${near}"`,
      );
    } else checkValue(view, 'accelerator', kind, key, value, at);
  }
}

function checkParameters(view: ModelView): void {
  for (const [key, { string_value: value = '' }] of view.config.parameters ?? []) {
    const at = `parameters[${JSON.stringify(key)}]`;
    const kind = ONNX_PARAMETERS.get(key);
    if (kind !== undefined) checkValue(view, 'parameter-value', kind, key, value, at);
    else {
      const near = suggest(key, ONNX_PARAMETERS.keys());
      view.at(
        'unknown-parameter',
        at,
        `The ONNX Runtime backend has no parameter "${key}"`,
        near === undefined ? undefined : `Write key: "${near}"`,
      );
    }
  }
}

function checkValue(
  view: ModelView,
  rule: 'accelerator' | 'parameter-value',
  kind: ParameterKind,
  key: string,
  value: string,
  at: string,
): void {
  const refused = (takes: string): void =>
    view.at(rule, at, `The parameter "${key}" is "${value}", and takes ${takes}`);
  if (kind.choices !== undefined) {
    const given = kind.caseless ? value.toLowerCase() : value;
    const number = kind.integer ? /^\s*[-+]?\d+/.exec(given)?.[0].trim() : given;
    if (number === undefined || !kind.choices.includes(number)) refused(kind.choices.join(', '));
    return;
  }
  if (!kind.integer) return;
  const digits = /^\s*[-+]?\d+/.exec(value)?.[0];
  if (digits === undefined) refused('an integer');
  else if (digits.length < value.length)
    view.at('parameter-odd', at, `The parameter "${key}" is "${value}", of which Triton reads ${digits.trim()}`);
  else if (kind.positive && Number(value) < 0)
    view.at('parameter-odd', at, `The parameter "${key}" is ${value}, which Triton ignores`);
}
