/** Configurations in the styles that public repositories have: correct ones, of ONNX Runtime and Python. */
import { onnx, type ServerCase, shared } from '../server-case.js';
import { echo, style } from '../style-case.js';

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
];
