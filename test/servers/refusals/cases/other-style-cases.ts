/** Configurations in the styles that public repositories have: correct ones, of backends and devices that are not everywhere. */
import { onnx, type ServerCase } from '../server-case.js';
import { echo, other, style } from '../style-case.js';

export const OTHER_STYLE_CASES: readonly ServerCase[] = [
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
