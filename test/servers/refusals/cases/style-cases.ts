/** Configurations in the styles that public repositories have: correct ones, which no one should complain about. */
import { type ModelFolder, type Outcome, onnx, type ServerCase, shared } from '../server-case.js';

const other = (config: string, ...files: readonly string[]): ModelFolder => ({
  config,
  files: Object.fromEntries(files.map((file) => [file, 'not a real file\n'])),
});
function style(
  outcome: Outcome,
  name: string,
  summary: string,
  model: ModelFolder | ServerCase['models'],
  rest: Partial<ServerCase> = {},
): ServerCase {
  const isFolder = 'files' in model && typeof model.files === 'object' && !('config' in (model.files as object));
  const models = isFolder ? { model: model as ModelFolder } : (model as ServerCase['models']);
  return { name: `style-${name}`, summary, outcome, models, ...rest };
}
const echo = (config: string): ModelFolder => ({ config, files: { '1/model.py': shared('echo.py') } });

export const STYLE_CASES: readonly ServerCase[] = [
  style('loaded', 'image-classifier', 'An image classifier with labels', {
    config: `name: "model"
platform: "onnxruntime_onnx"
max_batch_size: 64
input [
  {
    name: "X"
    data_type: TYPE_FP32
    format: FORMAT_NCHW
    dims: [ 3, 224, 224 ]
  }
]
output [
  {
    name: "Y"
    data_type: TYPE_FP32
    dims: [ 3 ]
    label_filename: "classes.txt"
  }
]
instance_group [ { kind: KIND_CPU count: 1 } ]
dynamic_batching { preferred_batch_size: [ 16, 32 ] max_queue_delay_microseconds: 2000 }
`,
    files: { '1/model.onnx': shared('image.onnx'), 'classes.txt': 'cat\ndog\nbird\n' },
  }),
  style(
    'loaded',
    'bert',
    "A BERT encoder, with comments and a machine's tuning",
    onnx(
      'tokens',
      `# Encoder for search.
name: "model"
backend: "onnxruntime"
max_batch_size: 32

input: [
  { name: "input_ids",      data_type: TYPE_INT64, dims: [ -1 ] },
  { name: "attention_mask", data_type: TYPE_INT64, dims: [ -1 ] },
  { name: "token_type_ids", data_type: TYPE_INT64, dims: [ -1 ] }
]
output: [
  { name: "logits", data_type: TYPE_FP32, dims: [ -1, 1 ] }
]

dynamic_batching {
  max_queue_delay_microseconds: 500
}
parameters: { key: "intra_op_thread_count" value: { string_value: "1" } }
parameters: { key: "execution_mode" value: { string_value: "0" } }
`,
    ),
  ),
  style(
    'loaded',
    'minimal',
    'Three lines: the rest is completed',
    onnx('batched', 'name: "model"\nbackend: "onnxruntime"\nmax_batch_size: 128\n'),
  ),
  style(
    'loaded',
    'one-line',
    'Everything on one line',
    onnx(
      'batched',
      'name:"model" platform:"onnxruntime_onnx" max_batch_size:4 input{name:"X",data_type:TYPE_FP32,dims:4} output{name:"Y",data_type:TYPE_FP32,dims:[4]}',
    ),
  ),
  style(
    'loaded',
    'json-like',
    'Colons and commas everywhere',
    onnx(
      'batched',
      `name: "model",
platform: "onnxruntime_onnx",
max_batch_size: 8,
input: [
    {
        name: "X",
        data_type: TYPE_FP32,
        dims: [4]
    }
],
output: [
    {
        name: "Y",
        data_type: TYPE_FP32,
        dims: [4]
    }
]
`,
    ),
  ),
  style(
    'loaded',
    'gpu-or-cpu',
    'Instances without a kind',
    onnx(
      'batched',
      `platform: "onnxruntime_onnx"
max_batch_size: 8
input { name: "X" data_type: TYPE_FP32 dims: 4 }
output { name: "Y" data_type: TYPE_FP32 dims: 4 }
instance_group { count: 2 }
version_policy { latest { num_versions: 2 } }
`,
    ),
  ),
  style(
    'loaded',
    'open-image',
    'A detector for images of any size',
    onnx(
      'image',
      `name: "model"
platform: "onnxruntime_onnx"
max_batch_size: 0
input [ { name: "X" data_type: TYPE_FP32 dims: [ 1, 3, -1, -1 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ -1, 3 ] } ]
optimization { graph { level: 1 } }
`,
    ),
  ),
  style(
    'loaded',
    'tabular',
    'A classifier of scikit-learn with labels and probabilities',
    onnx(
      'labelled',
      `backend: "onnxruntime"
max_batch_size: 1024
input [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [
  { name: "L" data_type: TYPE_INT64 dims: [ 1 ] reshape { shape: [ ] } },
  { name: "P" data_type: TYPE_FP32 dims: [ 4 ] }
]
dynamic_batching { }
`,
    ),
  ),
  style('loaded', 'two-versions', 'Two versions in service', {
    config:
      'name: "model"\nplatform: "onnxruntime_onnx"\nmax_batch_size: 8\nversion_policy: { all { }}\ninput [{ name: "X" data_type: TYPE_FP32 dims: [ 4 ] }]\noutput [{ name: "Y" data_type: TYPE_FP32 dims: [ 4 ] }]\n',
    files: { '1/model.onnx': shared('batched.onnx'), '2/model.onnx': shared('batched.onnx') },
  }),
  style(
    'loaded',
    'priorities',
    'Online and batch traffic with priorities',
    onnx(
      'batched',
      `platform: "onnxruntime_onnx"
max_batch_size: 8
input [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]
dynamic_batching {
  priority_levels: 2
  default_priority_level: 2
  default_queue_policy {
    timeout_action: REJECT
    default_timeout_microseconds: 200000
    allow_timeout_override: true
    max_queue_size: 128
  }
  priority_queue_policy {
    key: 1
    value: { timeout_action: DELAY default_timeout_microseconds: 50000 max_queue_size: 64 }
  }
}
`,
    ),
  ),
  style(
    'loaded',
    'speech-stream',
    'A streaming model with sequence controls',
    onnx(
      'controlled',
      `name: "model"
platform: "onnxruntime_onnx"
max_batch_size: 16
input [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]
sequence_batching {
  max_sequence_idle_microseconds: 5000000
  oldest { max_candidate_sequences: 64 max_queue_delay_microseconds: 300 preferred_batch_size: [ 8, 16 ] }
  control_input [
    { name: "START" control [ { kind: CONTROL_SEQUENCE_START fp32_false_true: [ 0, 1 ] } ] },
    { name: "END"   control [ { kind: CONTROL_SEQUENCE_END   fp32_false_true: [ 0, 1 ] } ] },
    { name: "READY" control [ { kind: CONTROL_SEQUENCE_READY fp32_false_true: [ 0, 1 ] } ] },
    { name: "CORRID" control [ { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_INT64 } ] }
  ]
}
`,
    ),
  ),
  style(
    'loaded',
    'implicit-state',
    'A recurrent model whose state the server keeps',
    onnx(
      'stateful',
      `platform: "onnxruntime_onnx"
max_batch_size: 8
input [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]
sequence_batching {
  direct { }
  state [
    {
      input_name: "H"
      output_name: "HN"
      data_type: TYPE_FP32
      dims: [ 4 ]
      initial_state: { name: "zeros" data_type: TYPE_FP32 dims: [ 4 ] zero_data: true }
    }
  ]
}
`,
    ),
  ),
  style(
    'loaded',
    'warm',
    'Warm-up in three sizes',
    onnx(
      'batched',
      `platform: "onnxruntime_onnx"
max_batch_size: 8
input [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]
model_warmup [
  { name: "one" batch_size: 1 inputs: { key: "X" value: { data_type: TYPE_FP32 dims: [ 4 ] zero_data: true } } },
  { name: "four" batch_size: 4 inputs: { key: "X" value: { data_type: TYPE_FP32 dims: [ 4 ] random_data: true } } },
  { name: "eight" batch_size: 8 count: 3 inputs: { key: "X" value: { data_type: TYPE_FP32 dims: [ 4 ] random_data: true } } }
]
`,
    ),
  ),
  style('loaded', 'ensemble-text', 'Tokens, encoder and head as an ensemble', {
    search: {
      config: `name: "search"
platform: "ensemble"
max_batch_size: 8
input [ { name: "FEATURES" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "SCORES" data_type: TYPE_FP32 dims: [ 4 ] }, { name: "CLASS" data_type: TYPE_INT64 dims: [ 1 ] } ]
ensemble_scheduling {
  step [
    {
      model_name: "encoder"
      model_version: -1
      input_map { key: "X" value: "FEATURES" }
      output_map { key: "Y" value: "encoded" }
    },
    {
      model_name: "head"
      model_version: -1
      input_map { key: "X" value: "encoded" }
      output_map { key: "P" value: "SCORES" }
      output_map { key: "L" value: "CLASS" }
    }
  ]
}
`,
      files: {},
      folders: ['1'],
    },
    encoder: onnx(
      'batched',
      'name: "encoder"\nplatform: "onnxruntime_onnx"\nmax_batch_size: 8\ninput [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]\noutput [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]\n',
    ),
    head: onnx(
      'labelled',
      'name: "head"\nplatform: "onnxruntime_onnx"\nmax_batch_size: 8\ninput [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]\noutput [ { name: "P" data_type: TYPE_FP32 dims: [ 4 ] }, { name: "L" data_type: TYPE_INT64 dims: [ 1 ] reshape { shape: [ ] } } ]\n',
    ),
  }),
  style(
    'loaded',
    'python-preprocess',
    'Preprocessing in Python',
    echo(`name: "model"
backend: "python"
max_batch_size: 0
input [ { name: "IN_STRING" data_type: TYPE_STRING dims: [ -1 ] } ]
output [ { name: "OUT_STRING" data_type: TYPE_STRING dims: [ -1 ] } ]
instance_group [ { kind: KIND_CPU count: 1 } ]
`),
  ),
  style(
    'loaded',
    'python-bls',
    'A Python model that calls other models',
    echo(`name: "model"
backend: "python"
max_batch_size: 16
input [ { name: "IN_FP32" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "OUT_FP32" data_type: TYPE_FP32 dims: [ 4 ] } ]
parameters: { key: "FORCE_CPU_ONLY_INPUT_TENSORS" value: { string_value: "yes" } }
parameters: { key: "downstream_model" value: { string_value: "encoder" } }
instance_group [ { kind: KIND_CPU } ]
dynamic_batching { max_queue_delay_microseconds: 100 }
`),
  ),
  style(
    'loaded',
    'python-decoupled',
    'A Python model that streams',
    echo(`backend: "python"
max_batch_size: 0
model_transaction_policy { decoupled: True }
input [ { name: "IN_STRING" data_type: TYPE_STRING dims: [ 1 ] }, { name: "IN_BOOL" data_type: TYPE_BOOL dims: [ 1 ] optional: true } ]
output [ { name: "OUT_STRING" data_type: TYPE_STRING dims: [ -1 ] } ]
instance_group [ { kind: KIND_CPU count: 1 } ]
`),
  ),
  style(
    'loaded',
    'python-completed',
    'A Python model without inputs and outputs in its configuration',
    echo('backend: "python"\nmax_batch_size: 8\n'),
    {},
  ),
  style(
    'unavailable',
    'tensorrt',
    'A TensorRT engine with two profiles and CUDA graphs',
    other(
      `name: "model"
platform: "tensorrt_plan"
max_batch_size: 16
input [ { name: "images" data_type: TYPE_FP16 dims: [ 3, 640, 640 ] } ]
output [ { name: "boxes" data_type: TYPE_FP16 dims: [ 84, 8400 ] } ]
instance_group [
  { name: "small" kind: KIND_GPU count: 1 profile: "0" },
  { name: "large" kind: KIND_GPU count: 1 profile: [ "1" ] }
]
optimization {
  cuda {
    graphs: true
    graph_spec { batch_size: 1 input { key: "images" value { dim: [ 3, 640, 640 ] } } }
    graph_spec { batch_size: 16 input { key: "images" value { dim: [ 3, 640, 640 ] } } }
  }
}
dynamic_batching { preferred_batch_size: 16 max_queue_delay_microseconds: 1000 }
`,
      '1/model.plan',
    ),
  ),
  style(
    'unavailable',
    'tensorrt-capabilities',
    'TensorRT engines by compute capability',
    other(
      `platform: "tensorrt_plan"
max_batch_size: 8
default_model_filename: "model.plan"
cc_model_filenames [ { key: "8.0" value: "a100.plan" }, { key: "9.0" value: "h100.plan" } ]
input [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]
`,
      '1/a100.plan',
      '1/h100.plan',
    ),
  ),
  style(
    'unavailable',
    'tensorrt-shape-tensor',
    'A TensorRT engine with a shape tensor',
    other(
      `platform: "tensorrt_plan"
max_batch_size: 0
input [
  { name: "X" data_type: TYPE_FP32 dims: [ -1, 3, -1, -1 ] },
  { name: "size" data_type: TYPE_INT32 dims: [ 2 ] is_shape_tensor: true }
]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ -1, 3, -1, -1 ] } ]
`,
      '1/model.plan',
    ),
  ),
  style(
    'unavailable',
    'pytorch',
    'TorchScript with names by position',
    other(
      `name: "model"
platform: "pytorch_libtorch"
max_batch_size: 8
input [ { name: "INPUT__0" data_type: TYPE_FP32 dims: [ 3, -1, -1 ] } ]
output [ { name: "OUTPUT__0" data_type: TYPE_FP32 dims: [ 1000 ] } ]
parameters: { key: "DISABLE_OPTIMIZED_EXECUTION" value: { string_value: "true" } }
parameters: { key: "INFERENCE_MODE" value: { string_value: "true" } }
`,
      '1/model.pt',
    ),
  ),
  style(
    'unavailable',
    'tensorflow',
    'A SavedModel',
    other(
      `name: "model"
platform: "tensorflow_savedmodel"
max_batch_size: 32
input [ { name: "inputs" data_type: TYPE_FP32 format: FORMAT_NHWC dims: [ 224, 224, 3 ] } ]
output [ { name: "scores" data_type: TYPE_FP32 dims: [ 1001 ] label_filename: "labels.txt" } ]
optimization { execution_accelerators { gpu_execution_accelerator : [ { name : "auto_mixed_precision" } ] } }
`,
      '1/model.savedmodel/saved_model.pb',
      'labels.txt',
    ),
  ),
  style(
    'unavailable',
    'openvino',
    'OpenVINO',
    other(
      `name: "model"
backend: "openvino"
max_batch_size: 0
default_model_filename: "model.xml"
input [ { name: "X" data_type: TYPE_FP32 dims: [ 1, 3, 224, 224 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 1, 1000 ] } ]
parameters: { key: "NUM_STREAMS" value: { string_value: "2" } }
`,
      '1/model.xml',
      '1/model.bin',
    ),
  ),
  style(
    'unavailable',
    'dali',
    'DALI decoding images',
    other(
      `name: "model"
backend: "dali"
max_batch_size: 64
input [ { name: "ENCODED" data_type: TYPE_UINT8 dims: [ -1 ] } ]
output [ { name: "DECODED" data_type: TYPE_FP32 dims: [ 3, 224, 224 ] } ]
parameters: [ { key: "num_threads" value: { string_value: "4" } } ]
`,
      '1/model.dali',
    ),
  ),
  style(
    'unavailable',
    'fil',
    'A forest of XGBoost',
    other(
      `name: "model"
backend: "fil"
max_batch_size: 32768
input [ { name: "input__0" data_type: TYPE_FP32 dims: [ 32 ] } ]
output [ { name: "output__0" data_type: TYPE_FP32 dims: [ 1 ] } ]
instance_group [ { kind: KIND_CPU } ]
parameters [
  { key: "model_type" value: { string_value: "xgboost" } },
  { key: "predict_proba" value: { string_value: "false" } },
  { key: "threshold" value: { string_value: "0.5" } }
]
dynamic_batching { max_queue_delay_microseconds: 100 }
`,
      '1/xgboost.model',
    ),
  ),
  style('unavailable', 'vllm', 'vLLM, whose settings stand in model.json', {
    config: 'backend: "vllm"\ninstance_group [ { count: 1 kind: KIND_MODEL } ]\n',
    files: {
      '1/model.json': '{"model": "facebook/opt-125m", "gpu_memory_utilization": 0.5, "disable_log_requests": true}\n',
    },
  }),
  style(
    'unavailable',
    'tensorrt-llm',
    'TensorRT-LLM with in-flight batching',
    other(
      `name: "model"
backend: "tensorrtllm"
max_batch_size: 128
model_transaction_policy { decoupled: True }
dynamic_batching { preferred_batch_size: [ 128 ] max_queue_delay_microseconds: 0 default_queue_policy: { max_queue_size: 0 } }
input [
  { name: "input_ids" data_type: TYPE_INT32 dims: [ -1 ] allow_ragged_batch: true },
  { name: "request_output_len" data_type: TYPE_INT32 dims: [ 1 ] },
  { name: "end_id" data_type: TYPE_INT32 dims: [ 1 ] reshape: { shape: [ ] } optional: true }
]
output [ { name: "output_ids" data_type: TYPE_INT32 dims: [ -1, -1 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
parameters: { key: "gpt_model_type" value: { string_value: "inflight_fused_batching" } }
`,
      '1/.keep',
    ),
  ),
  style(
    'unavailable',
    'gpu-onnx',
    'ONNX Runtime with TensorRT on two GPUs',
    onnx(
      'batched',
      `name: "model"
platform: "onnxruntime_onnx"
max_batch_size: 32
input [ { name: "X" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]
instance_group [ { count: 2 kind: KIND_GPU gpus: [ 0, 1 ] } ]
dynamic_batching { preferred_batch_size: [ 16, 32 ] max_queue_delay_microseconds: 5000 }
optimization {
  execution_accelerators {
    gpu_execution_accelerator : [
      {
        name : "tensorrt"
        parameters { key: "precision_mode" value: "FP16" }
        parameters { key: "max_workspace_size_bytes" value: "1073741824" }
        parameters { key: "trt_engine_cache_enable" value: "true" }
        parameters { key: "trt_engine_cache_path" value: "/var/cache/engines" }
      }
    ]
  }
}
`,
    ),
  ),
  style(
    'loaded',
    'recommender',
    'Many inputs, one of each type, in Python',
    echo(`backend: "python"
max_batch_size: 4096
input [
  { name: "IN_INT64" data_type: TYPE_INT64 dims: [ 1 ] },
  { name: "IN_FP32" data_type: TYPE_FP32 dims: [ 13 ] },
  { name: "IN_BOOL" data_type: TYPE_BOOL dims: [ 1 ] }
]
output [
  { name: "OUT_INT64" data_type: TYPE_INT64 dims: [ 1 ] },
  { name: "OUT_FP32" data_type: TYPE_FP32 dims: [ 13 ] },
  { name: "OUT_BOOL" data_type: TYPE_BOOL dims: [ 1 ] }
]
instance_group [ { count: 1 kind: KIND_CPU } ]
dynamic_batching { preferred_batch_size: [ 1024, 4096 ] max_queue_delay_microseconds: 1000 preserve_ordering: false }
`),
  ),
];
