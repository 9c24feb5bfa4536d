/**
 * The configuration of a model in Triton Inference Server (`config.pbtxt`), package `inference`: names, numbers and types
 * as in Triton's `model_config.proto` of release 2.73. Messages inside others are named with dots. The order of fields is
 * the order in which they are printed.
 */
import type { TextMessageOf, TextSchema } from './text-schema.js';

export const MODEL_CONFIG = {
  ModelConfig: {
    oneofs: {
      scheduling_choice: { oneof: ['dynamic_batching', 'sequence_batching', 'ensemble_scheduling'] },
    },
    fields: {
      name: { type: 'string', id: 1 },
      platform: { type: 'string', id: 2 },
      backend: { type: 'string', id: 17 },
      runtime: { type: 'string', id: 25 },
      version_policy: { type: 'ModelVersionPolicy', id: 3 },
      max_batch_size: { type: 'int32', id: 4 },
      input: { rule: 'repeated', type: 'ModelInput', id: 5 },
      output: { rule: 'repeated', type: 'ModelOutput', id: 6 },
      batch_input: { rule: 'repeated', type: 'BatchInput', id: 20 },
      batch_output: { rule: 'repeated', type: 'BatchOutput', id: 21 },
      optimization: { type: 'ModelOptimizationPolicy', id: 12 },
      dynamic_batching: { type: 'ModelDynamicBatching', id: 11 },
      sequence_batching: { type: 'ModelSequenceBatching', id: 13 },
      ensemble_scheduling: { type: 'ModelEnsembling', id: 15 },
      instance_group: { rule: 'repeated', type: 'ModelInstanceGroup', id: 7 },
      default_model_filename: { type: 'string', id: 8 },
      cc_model_filenames: { keyType: 'string', type: 'string', id: 9 },
      metric_tags: { keyType: 'string', type: 'string', id: 10 },
      parameters: { keyType: 'string', type: 'ModelParameter', id: 14 },
      model_warmup: { rule: 'repeated', type: 'ModelWarmup', id: 16 },
      model_operations: { type: 'ModelOperations', id: 18 },
      model_transaction_policy: { type: 'ModelTransactionPolicy', id: 19 },
      model_repository_agents: { type: 'ModelRepositoryAgents', id: 23 },
      response_cache: { type: 'ModelResponseCache', id: 24 },
      model_metrics: { type: 'ModelMetrics', id: 26 },
    },
  },
  DataType: {
    values: {
      TYPE_INVALID: 0,
      TYPE_BOOL: 1,
      TYPE_UINT8: 2,
      TYPE_UINT16: 3,
      TYPE_UINT32: 4,
      TYPE_UINT64: 5,
      TYPE_INT8: 6,
      TYPE_INT16: 7,
      TYPE_INT32: 8,
      TYPE_INT64: 9,
      TYPE_FP16: 10,
      TYPE_FP32: 11,
      TYPE_FP64: 12,
      TYPE_STRING: 13,
      TYPE_BF16: 14,
    },
  },
  ModelRateLimiter: {
    fields: {
      resources: { rule: 'repeated', type: 'ModelRateLimiter.Resource', id: 1 },
      priority: { type: 'uint32', id: 2 },
    },
  },
  'ModelRateLimiter.Resource': {
    fields: { name: { type: 'string', id: 1 }, global: { type: 'bool', id: 2 }, count: { type: 'uint32', id: 3 } },
  },
  ModelInstanceGroup: {
    fields: {
      name: { type: 'string', id: 1 },
      kind: { type: 'ModelInstanceGroup.Kind', id: 4 },
      count: { type: 'int32', id: 2 },
      rate_limiter: { type: 'ModelRateLimiter', id: 6 },
      gpus: { rule: 'repeated', type: 'int32', id: 3 },
      secondary_devices: { rule: 'repeated', type: 'ModelInstanceGroup.SecondaryDevice', id: 8 },
      profile: { rule: 'repeated', type: 'string', id: 5 },
      passive: { type: 'bool', id: 7 },
      host_policy: { type: 'string', id: 9 },
    },
  },
  'ModelInstanceGroup.Kind': { values: { KIND_AUTO: 0, KIND_GPU: 1, KIND_CPU: 2, KIND_MODEL: 3 } },
  'ModelInstanceGroup.SecondaryDevice': {
    fields: {
      kind: { type: 'ModelInstanceGroup.SecondaryDevice.SecondaryDeviceKind', id: 1 },
      device_id: { type: 'int64', id: 2 },
    },
  },
  'ModelInstanceGroup.SecondaryDevice.SecondaryDeviceKind': { values: { KIND_NVDLA: 0 } },
  ModelTensorReshape: { fields: { shape: { rule: 'repeated', type: 'int64', id: 1 } } },
  ModelInput: {
    fields: {
      name: { type: 'string', id: 1 },
      data_type: { type: 'DataType', id: 2 },
      format: { type: 'ModelInput.Format', id: 3 },
      dims: { rule: 'repeated', type: 'int64', id: 4 },
      reshape: { type: 'ModelTensorReshape', id: 5 },
      is_shape_tensor: { type: 'bool', id: 6 },
      allow_ragged_batch: { type: 'bool', id: 7 },
      optional: { type: 'bool', id: 8 },
      is_non_linear_format_io: { type: 'bool', id: 9 },
    },
  },
  'ModelInput.Format': { values: { FORMAT_NONE: 0, FORMAT_NHWC: 1, FORMAT_NCHW: 2 } },
  ModelOutput: {
    fields: {
      name: { type: 'string', id: 1 },
      data_type: { type: 'DataType', id: 2 },
      dims: { rule: 'repeated', type: 'int64', id: 3 },
      reshape: { type: 'ModelTensorReshape', id: 5 },
      label_filename: { type: 'string', id: 4 },
      is_shape_tensor: { type: 'bool', id: 6 },
      is_non_linear_format_io: { type: 'bool', id: 7 },
    },
  },
  BatchInput: {
    fields: {
      kind: { type: 'BatchInput.Kind', id: 1 },
      target_name: { rule: 'repeated', type: 'string', id: 2 },
      data_type: { type: 'DataType', id: 3 },
      source_input: { rule: 'repeated', type: 'string', id: 4 },
    },
  },
  'BatchInput.Kind': {
    values: {
      BATCH_ELEMENT_COUNT: 0,
      BATCH_ACCUMULATED_ELEMENT_COUNT: 1,
      BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO: 2,
      BATCH_MAX_ELEMENT_COUNT_AS_SHAPE: 3,
      BATCH_ITEM_SHAPE: 4,
      BATCH_ITEM_SHAPE_FLATTEN: 5,
    },
  },
  BatchOutput: {
    fields: {
      target_name: { rule: 'repeated', type: 'string', id: 1 },
      kind: { type: 'BatchOutput.Kind', id: 2 },
      source_input: { rule: 'repeated', type: 'string', id: 3 },
    },
  },
  'BatchOutput.Kind': { values: { BATCH_SCATTER_WITH_INPUT_SHAPE: 0 } },
  ModelVersionPolicy: {
    oneofs: {
      policy_choice: { oneof: ['latest', 'all', 'specific'] },
    },
    fields: {
      latest: { type: 'ModelVersionPolicy.Latest', id: 1 },
      all: { type: 'ModelVersionPolicy.All', id: 2 },
      specific: { type: 'ModelVersionPolicy.Specific', id: 3 },
    },
  },
  'ModelVersionPolicy.Latest': { fields: { num_versions: { type: 'uint32', id: 1 } } },
  'ModelVersionPolicy.All': { fields: {} },
  'ModelVersionPolicy.Specific': { fields: { versions: { rule: 'repeated', type: 'int64', id: 1 } } },
  ModelOptimizationPolicy: {
    fields: {
      graph: { type: 'ModelOptimizationPolicy.Graph', id: 1 },
      priority: { type: 'ModelOptimizationPolicy.ModelPriority', id: 2 },
      cuda: { type: 'ModelOptimizationPolicy.Cuda', id: 3 },
      execution_accelerators: { type: 'ModelOptimizationPolicy.ExecutionAccelerators', id: 4 },
      input_pinned_memory: { type: 'ModelOptimizationPolicy.PinnedMemoryBuffer', id: 5 },
      output_pinned_memory: { type: 'ModelOptimizationPolicy.PinnedMemoryBuffer', id: 6 },
      gather_kernel_buffer_threshold: { type: 'uint32', id: 7 },
      eager_batching: { type: 'bool', id: 8 },
    },
  },
  'ModelOptimizationPolicy.ModelPriority': { values: { PRIORITY_DEFAULT: 0, PRIORITY_MAX: 1, PRIORITY_MIN: 2 } },
  'ModelOptimizationPolicy.Graph': { fields: { level: { type: 'int32', id: 1 } } },
  'ModelOptimizationPolicy.Cuda': {
    fields: {
      graphs: { type: 'bool', id: 1 },
      busy_wait_events: { type: 'bool', id: 2 },
      graph_spec: { rule: 'repeated', type: 'ModelOptimizationPolicy.Cuda.GraphSpec', id: 3 },
      output_copy_stream: { type: 'bool', id: 4 },
    },
  },
  'ModelOptimizationPolicy.Cuda.GraphSpec': {
    fields: {
      batch_size: { type: 'int32', id: 1 },
      input: { keyType: 'string', type: 'ModelOptimizationPolicy.Cuda.GraphSpec.Shape', id: 2 },
      graph_lower_bound: { type: 'ModelOptimizationPolicy.Cuda.GraphSpec.LowerBound', id: 3 },
    },
  },
  'ModelOptimizationPolicy.Cuda.GraphSpec.Shape': { fields: { dim: { rule: 'repeated', type: 'int64', id: 1 } } },
  'ModelOptimizationPolicy.Cuda.GraphSpec.LowerBound': {
    fields: {
      batch_size: { type: 'int32', id: 1 },
      input: { keyType: 'string', type: 'ModelOptimizationPolicy.Cuda.GraphSpec.Shape', id: 2 },
    },
  },
  'ModelOptimizationPolicy.ExecutionAccelerators': {
    fields: {
      gpu_execution_accelerator: {
        rule: 'repeated',
        type: 'ModelOptimizationPolicy.ExecutionAccelerators.Accelerator',
        id: 1,
      },
      cpu_execution_accelerator: {
        rule: 'repeated',
        type: 'ModelOptimizationPolicy.ExecutionAccelerators.Accelerator',
        id: 2,
      },
    },
  },
  'ModelOptimizationPolicy.ExecutionAccelerators.Accelerator': {
    fields: { name: { type: 'string', id: 1 }, parameters: { keyType: 'string', type: 'string', id: 2 } },
  },
  'ModelOptimizationPolicy.PinnedMemoryBuffer': { fields: { enable: { type: 'bool', id: 1 } } },
  ModelQueuePolicy: {
    fields: {
      timeout_action: { type: 'ModelQueuePolicy.TimeoutAction', id: 1 },
      default_timeout_microseconds: { type: 'uint64', id: 2 },
      allow_timeout_override: { type: 'bool', id: 3 },
      max_queue_size: { type: 'uint32', id: 4 },
    },
  },
  'ModelQueuePolicy.TimeoutAction': { values: { REJECT: 0, DELAY: 1 } },
  ModelDynamicBatching: {
    fields: {
      preferred_batch_size: { rule: 'repeated', type: 'int32', id: 1 },
      max_queue_delay_microseconds: { type: 'uint64', id: 2 },
      preserve_ordering: { type: 'bool', id: 3 },
      priority_levels: { type: 'uint64', id: 4 },
      default_priority_level: { type: 'uint64', id: 5 },
      default_queue_policy: { type: 'ModelQueuePolicy', id: 6 },
      priority_queue_policy: { keyType: 'uint64', type: 'ModelQueuePolicy', id: 7 },
    },
  },
  ModelSequenceBatching: {
    oneofs: {
      strategy_choice: { oneof: ['direct', 'oldest'] },
    },
    fields: {
      direct: { type: 'ModelSequenceBatching.StrategyDirect', id: 3 },
      oldest: { type: 'ModelSequenceBatching.StrategyOldest', id: 4 },
      max_sequence_idle_microseconds: { type: 'uint64', id: 1 },
      control_input: { rule: 'repeated', type: 'ModelSequenceBatching.ControlInput', id: 2 },
      state: { rule: 'repeated', type: 'ModelSequenceBatching.State', id: 5 },
      iterative_sequence: { type: 'bool', id: 6 },
    },
  },
  'ModelSequenceBatching.Control': {
    fields: {
      kind: { type: 'ModelSequenceBatching.Control.Kind', id: 1 },
      int32_false_true: { rule: 'repeated', type: 'int32', id: 2 },
      fp32_false_true: { rule: 'repeated', type: 'float', id: 3 },
      bool_false_true: { rule: 'repeated', type: 'bool', id: 5 },
      data_type: { type: 'DataType', id: 4 },
    },
  },
  'ModelSequenceBatching.Control.Kind': {
    values: {
      CONTROL_SEQUENCE_START: 0,
      CONTROL_SEQUENCE_READY: 1,
      CONTROL_SEQUENCE_END: 2,
      CONTROL_SEQUENCE_CORRID: 3,
    },
  },
  'ModelSequenceBatching.ControlInput': {
    fields: {
      name: { type: 'string', id: 1 },
      control: { rule: 'repeated', type: 'ModelSequenceBatching.Control', id: 2 },
    },
  },
  'ModelSequenceBatching.InitialState': {
    oneofs: {
      state_data: { oneof: ['zero_data', 'data_file'] },
    },
    fields: {
      data_type: { type: 'DataType', id: 1 },
      dims: { rule: 'repeated', type: 'int64', id: 2 },
      zero_data: { type: 'bool', id: 3 },
      data_file: { type: 'string', id: 4 },
      name: { type: 'string', id: 5 },
    },
  },
  'ModelSequenceBatching.State': {
    fields: {
      input_name: { type: 'string', id: 1 },
      output_name: { type: 'string', id: 2 },
      data_type: { type: 'DataType', id: 3 },
      dims: { rule: 'repeated', type: 'int64', id: 4 },
      initial_state: { rule: 'repeated', type: 'ModelSequenceBatching.InitialState', id: 5 },
      use_same_buffer_for_input_output: { type: 'bool', id: 6 },
      use_growable_memory: { type: 'bool', id: 7 },
    },
  },
  'ModelSequenceBatching.StrategyDirect': {
    fields: {
      max_queue_delay_microseconds: { type: 'uint64', id: 1 },
      minimum_slot_utilization: { type: 'float', id: 2 },
    },
  },
  'ModelSequenceBatching.StrategyOldest': {
    fields: {
      max_candidate_sequences: { type: 'int32', id: 1 },
      preferred_batch_size: { rule: 'repeated', type: 'int32', id: 2 },
      max_queue_delay_microseconds: { type: 'uint64', id: 3 },
      preserve_ordering: { type: 'bool', id: 4 },
    },
  },
  ModelEnsembling: {
    fields: {
      step: { rule: 'repeated', type: 'ModelEnsembling.Step', id: 1 },
      max_inflight_requests: { type: 'uint32', id: 2 },
    },
  },
  'ModelEnsembling.Step': {
    fields: {
      model_name: { type: 'string', id: 1 },
      model_version: { type: 'int64', id: 2 },
      input_map: { keyType: 'string', type: 'string', id: 3 },
      output_map: { keyType: 'string', type: 'string', id: 4 },
      model_namespace: { type: 'string', id: 5 },
    },
  },
  ModelParameter: { fields: { string_value: { type: 'string', id: 1 } } },
  ModelWarmup: {
    fields: {
      name: { type: 'string', id: 1 },
      batch_size: { type: 'uint32', id: 2 },
      inputs: { keyType: 'string', type: 'ModelWarmup.Input', id: 3 },
      count: { type: 'uint32', id: 4 },
    },
  },
  'ModelWarmup.Input': {
    oneofs: {
      input_data_type: { oneof: ['zero_data', 'random_data', 'input_data_file'] },
    },
    fields: {
      data_type: { type: 'DataType', id: 1 },
      dims: { rule: 'repeated', type: 'int64', id: 2 },
      zero_data: { type: 'bool', id: 3 },
      random_data: { type: 'bool', id: 4 },
      input_data_file: { type: 'string', id: 5 },
    },
  },
  ModelOperations: { fields: { op_library_filename: { rule: 'repeated', type: 'string', id: 1 } } },
  ModelTransactionPolicy: { fields: { decoupled: { type: 'bool', id: 1 } } },
  ModelRepositoryAgents: { fields: { agents: { rule: 'repeated', type: 'ModelRepositoryAgents.Agent', id: 1 } } },
  'ModelRepositoryAgents.Agent': {
    fields: { name: { type: 'string', id: 1 }, parameters: { keyType: 'string', type: 'string', id: 2 } },
  },
  ModelResponseCache: { fields: { enable: { type: 'bool', id: 1 } } },
  ModelMetrics: { fields: { metric_control: { rule: 'repeated', type: 'ModelMetrics.MetricControl', id: 1 } } },
  'ModelMetrics.MetricControl': {
    oneofs: {
      metric_options: { oneof: ['histogram_options'] },
    },
    fields: {
      metric_identifier: { type: 'ModelMetrics.MetricControl.MetricIdentifier', id: 1 },
      histogram_options: { type: 'ModelMetrics.MetricControl.HistogramOptions', id: 2 },
    },
  },
  'ModelMetrics.MetricControl.MetricIdentifier': { fields: { family: { type: 'string', id: 1 } } },
  'ModelMetrics.MetricControl.HistogramOptions': { fields: { buckets: { rule: 'repeated', type: 'double', id: 1 } } },
} as const satisfies TextSchema;

/** A whole configuration; what the text leaves out is absent. */
export type ModelConfig = TextMessageOf<typeof MODEL_CONFIG, 'ModelConfig'>;
/** One of the messages of the schema, by its name. */
export type ModelConfigPart<N extends keyof typeof MODEL_CONFIG> = TextMessageOf<typeof MODEL_CONFIG, N>;
/** `TYPE_FP32` and the others. */
export type TritonDataType = keyof (typeof MODEL_CONFIG)['DataType']['values'];
