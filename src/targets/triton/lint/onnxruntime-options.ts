/** Parameters of Triton's ONNX Runtime backend and of its accelerators (`onnxruntime.cc`). */

export interface ParameterKind {
  readonly integer?: true;
  /** Numbers below 0 are ignored. */
  readonly positive?: true;
  readonly choices?: readonly string[];
  /** Capital letters do not matter. */
  readonly caseless?: true;
}

const SWITCH: ParameterKind = { choices: ['true', 'on', '1', 'false', 'off', '0'], caseless: true };
const INTEGER: ParameterKind = { integer: true };
const COUNT: ParameterKind = { integer: true, positive: true };
const TEXT: ParameterKind = {};

export const ONNX_PARAMETERS: ReadonlyMap<string, ParameterKind> = new Map([
  ['intra_op_thread_count', COUNT],
  ['inter_op_thread_count', COUNT],
  ['execution_mode', { integer: true, choices: ['0', '1'] }],
  ['enable_mem_arena', SWITCH],
  ['enable_mem_pattern', SWITCH],
  ['memory.enable_memory_arena_shrinkage', TEXT],
  ['session.use_device_allocator_for_initializers', TEXT],
  ['cudnn_conv_algo_search', { integer: true, choices: ['0', '1', '2'] }],
  ['gpu_mem_limit', TEXT],
  ['arena_extend_strategy', { integer: true, choices: ['0', '1'] }],
  ['do_copy_in_default_stream', TEXT],
]);

export const GPU_ACCELERATORS: readonly string[] = ['tensorrt', 'cuda'];

const NAMES = (kind: ParameterKind, ...names: readonly string[]): (readonly [string, ParameterKind])[] =>
  names.map((name) => [name, kind]);

export const TENSORRT_PARAMETERS: ReadonlyMap<string, ParameterKind> = new Map([
  ['precision_mode', { choices: ['FP32', 'FP16', 'BF16', 'INT8'] }],
  ...NAMES(
    INTEGER,
    'max_workspace_size_bytes',
    'trt_max_partition_iterations',
    'trt_min_subgraph_size',
    'trt_dla_core',
  ),
  ...NAMES(INTEGER, 'trt_builder_optimization_level', 'trt_auxiliary_streams', 'trt_ep_context_embed_mode'),
  ...NAMES(
    SWITCH,
    'int8_use_native_calibration_table',
    'trt_dla_enable',
    'trt_engine_cache_enable',
    'trt_dump_subgraphs',
  ),
  ...NAMES(
    SWITCH,
    'trt_force_sequential_engine_build',
    'trt_context_memory_sharing_enable',
    'trt_layer_norm_fp32_fallback',
  ),
  ...NAMES(
    SWITCH,
    'trt_timing_cache_enable',
    'trt_force_timing_cache',
    'trt_detailed_build_log',
    'trt_sparsity_enable',
  ),
  ...NAMES(SWITCH, 'trt_build_heuristics_enable', 'trt_cuda_graph_enable', 'trt_dump_ep_context_model'),
  ...NAMES(
    TEXT,
    'int8_calibration_table_name',
    'trt_engine_cache_path',
    'trt_engine_cache_prefix',
    'trt_timing_cache_path',
  ),
  ...NAMES(TEXT, 'trt_tactic_sources', 'trt_extra_plugin_lib_paths', 'trt_ep_context_file_path'),
  ...NAMES(TEXT, 'trt_profile_min_shapes', 'trt_profile_max_shapes', 'trt_profile_opt_shapes'),
]);
