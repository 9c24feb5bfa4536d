/** Instances, optimization, parameters, warm-up, metrics. */
import { type ModelFolder, one, onnx, PLAIN, plus, quiet, type ServerCase, shared } from '../server-case.js';

const group = (fields: string): ModelFolder => plus(`instance_group [ { ${fields} } ]`);
const parameter = (name: string, value: string): ModelFolder =>
  plus(`parameters { key: "${name}" value { string_value: "${value}" } }`);
const warmup = (fields: string, input = 'data_type: TYPE_FP32 dims: [ 4 ] zero_data: true'): string =>
  `model_warmup [ { name: "first" ${fields} inputs { key: "X" value { ${input} } } } ]`;
const files = (folder: ModelFolder, more: Readonly<Record<string, string>>): ModelFolder => ({
  ...folder,
  files: { ...folder.files, ...more },
});

export const INSTANCE_CASES: readonly ServerCase[] = [
  one('loaded', 'instances', 'Two instances on the CPU', group('count: 2 kind: KIND_CPU')),
  quiet(
    'count-zero',
    'No instances',
    'there are two: 0 is read as not set',
    group('count: 0 kind: KIND_CPU'),
    'instance_group.0.count',
  ),
  quiet(
    'count-negative',
    'A negative number of instances',
    'there are two: every number below 1 is read as not set',
    group('count: -1 kind: KIND_CPU'),
    'instance_group.0.count',
  ),
  one('loaded', 'group-empty', 'An empty instance group', group('')),
  one('loaded', 'group-auto', 'KIND_AUTO takes the CPU where there is no GPU', group('count: 1 kind: KIND_AUTO'), {
    shows: ['instance_group.0.kind'],
  }),
  one('refused', 'group-kind-unknown', 'A kind that does not exist', group('count: 1 kind: CPU')),
  one('unavailable', 'group-gpu', 'KIND_GPU on a machine without a GPU', group('count: 1 kind: KIND_GPU')),
  one(
    'unavailable',
    'group-gpu-numbered',
    'GPU 0 on a machine without a GPU',
    group('count: 1 kind: KIND_GPU gpus: [ 0 ]'),
  ),
  one('refused', 'group-cpu-with-gpus', 'KIND_CPU with GPUs', group('count: 1 kind: KIND_CPU gpus: [ 0 ]')),
  one('refused', 'group-model-with-gpus', 'KIND_MODEL with GPUs', group('count: 1 kind: KIND_MODEL gpus: [ 0 ]')),
  one('loaded', 'group-model', 'KIND_MODEL: the backend chooses', group('count: 1 kind: KIND_MODEL')),
  one(
    'unavailable',
    'group-auto-with-gpus',
    'KIND_AUTO with GPUs on a machine without one',
    group('count: 1 kind: KIND_AUTO gpus: [ 0 ]'),
  ),
  one(
    'refused',
    'group-profile',
    'An optimization profile without TensorRT',
    group('count: 1 kind: KIND_CPU profile: [ "0" ]'),
  ),
  one(
    'loaded',
    'groups-two',
    'Two groups',
    plus('instance_group [ { count: 1 kind: KIND_CPU }, { name: "more" count: 1 kind: KIND_CPU } ]'),
  ),
  quiet(
    'passive-only',
    'Only passive instances',
    'no instance takes requests: the first one ends the server',
    group('count: 1 kind: KIND_CPU passive: true'),
  ),
  quiet(
    'rate-limiter-off',
    'A rate limiter, without the mode of the server',
    'the server was started without --rate-limit',
    group('count: 1 kind: KIND_CPU rate_limiter { resources [ { name: "R1" count: 1 } ] priority: 2 }'),
  ),
  quiet(
    'host-policy-unknown',
    'A host policy that the server does not have',
    'the server was started without --host-policy of this name',
    group('count: 1 kind: KIND_CPU host_policy: "numa0"'),
  ),
  one(
    'refused',
    'rate-limiter-negative',
    'A negative count of a resource',
    group('count: 1 kind: KIND_CPU rate_limiter { resources [ { name: "R1" count: -1 } ] }'),
  ),
  one(
    'loaded',
    'secondary-device',
    'A secondary device',
    group('count: 1 kind: KIND_CPU secondary_devices [ { kind: KIND_NVDLA device_id: 0 } ]'),
  ),
  one('loaded', 'level-extended', 'Graph optimization 1: extended', plus('optimization { graph { level: 1 } }')),
  one('loaded', 'level-basic', 'Graph optimization -1: basic', plus('optimization { graph { level: -1 } }')),
  quiet(
    'level-two',
    'Graph optimization 2',
    '2 switches all optimizations of ONNX Runtime off',
    plus('optimization { graph { level: 2 } }'),
  ),
  quiet(
    'level-beyond',
    'Graph optimization 99',
    'only -1, 1 and 2 mean something; any other number is the default',
    plus('optimization { graph { level: 99 } }'),
  ),
  one(
    'loaded',
    'accelerator-openvino',
    'OpenVINO on the CPU',
    plus('optimization { execution_accelerators { cpu_execution_accelerator [ { name: "openvino" } ] } }'),
  ),
  one(
    'refused',
    'accelerator-unknown',
    'An accelerator on the CPU that does not exist',
    plus('optimization { execution_accelerators { cpu_execution_accelerator [ { name: "onednn" } ] } }'),
  ),
  quiet(
    'accelerator-gpu-on-cpu',
    'TensorRT for instances on the CPU',
    'accelerators for GPUs are not looked at on the CPU',
    plus(
      'optimization { execution_accelerators { gpu_execution_accelerator [ { name: "tensorrt" parameters { key: "precision_mode" value: "FP16" } } ] } }\ninstance_group [ { kind: KIND_CPU } ]',
    ),
  ),
  quiet(
    'cuda-graphs-on-cpu',
    'CUDA graphs for instances on the CPU',
    'there is no CUDA',
    plus('optimization { cuda { graphs: true } }\ninstance_group [ { kind: KIND_CPU } ]'),
  ),
  one(
    'loaded',
    'pinned-memory',
    'Pinned memory off',
    plus('optimization { input_pinned_memory { enable: false } output_pinned_memory { enable: false } }'),
  ),
  one(
    'refused',
    'priority-unknown',
    'A priority of the model that does not exist',
    plus('optimization { priority: PRIORITY_HIGH }'),
  ),
  one(
    'loaded',
    'threads',
    'Numbers of threads',
    plus(
      'parameters { key: "intra_op_thread_count" value { string_value: "2" } }\nparameters { key: "inter_op_thread_count" value { string_value: "1" } }',
    ),
  ),
  one('refused', 'threads-word', 'A number of threads in a word', parameter('intra_op_thread_count', 'two')),
  quiet(
    'threads-half',
    'A number of threads with something behind it',
    'what follows the number is dropped',
    parameter('intra_op_thread_count', '2x'),
  ),
  quiet(
    'threads-negative',
    'A negative number of threads',
    'only numbers above 0 are taken',
    parameter('intra_op_thread_count', '-2'),
  ),
  one('refused', 'execution-mode', 'An execution mode other than 0 and 1', parameter('execution_mode', '2')),
  one('refused', 'arena-word', 'A switch that is neither on nor off', parameter('enable_mem_arena', 'maybe')),
  one('loaded', 'arena-off', 'A switch that is off', parameter('enable_mem_arena', 'off')),
  quiet(
    'parameter-unknown',
    'A parameter that the backend does not read',
    'the backend does not read it',
    parameter('intra_op_threads', '2'),
  ),
  one(
    'refused',
    'operators-absent',
    'A library of operators that is not there',
    plus('model_operations { op_library_filename: "libnone.so" }'),
  ),
  one('loaded', 'warmup-zeros', 'Warm-up with zeros', plus(warmup('batch_size: 1 count: 2'))),
  one(
    'loaded',
    'warmup-random',
    'Warm-up with random numbers',
    plus(warmup('batch_size: 4', 'data_type: TYPE_FP32 dims: [ 4 ] random_data: true')),
  ),
  one(
    'loaded',
    'warmup-file',
    'Warm-up from a file',
    files(plus(warmup('batch_size: 1', 'data_type: TYPE_FP32 dims: [ 4 ] input_data_file: "rows"')), {
      'warmup/rows': 'sixteen bytes...',
    }),
  ),
  quiet(
    'warmup-batch-zero',
    'Warm-up with a batch of 0',
    'samples with a batch of 0 are skipped',
    plus(warmup('batch_size: 0')),
  ),
  quiet(
    'warmup-batch-left-out',
    'Warm-up without batch_size',
    'batch_size is 0, and such samples are skipped',
    plus(warmup('')),
  ),
  one(
    'refused',
    'warmup-file-absent',
    'Warm-up from a file that is not there',
    plus(warmup('batch_size: 1', 'data_type: TYPE_FP32 dims: [ 4 ] input_data_file: "rows"')),
  ),
  one(
    'refused',
    'warmup-file-short',
    'Warm-up from a file that is too short',
    files(plus(warmup('batch_size: 1', 'data_type: TYPE_FP32 dims: [ 4 ] input_data_file: "rows"')), {
      'warmup/rows': 'short',
    }),
  ),
  one(
    'refused',
    'warmup-file-elsewhere',
    'Warm-up from a file beside the configuration',
    files(plus(warmup('batch_size: 1', 'data_type: TYPE_FP32 dims: [ 4 ] input_data_file: "rows"')), {
      rows: 'sixteen bytes...',
    }),
  ),
  one(
    'refused',
    'warmup-no-data',
    'Warm-up without data',
    plus(warmup('batch_size: 1', 'data_type: TYPE_FP32 dims: [ 4 ]')),
  ),
  one(
    'refused',
    'warmup-two-data',
    'Warm-up with two kinds of data',
    plus(warmup('batch_size: 1', 'data_type: TYPE_FP32 dims: [ 4 ] zero_data: true random_data: true')),
  ),
  one(
    'refused',
    'warmup-open-dims',
    'Warm-up with an open dimension',
    onnx(
      'open',
      `${PLAIN.replaceAll('[ 4 ]', '[ -1 ]')}${warmup('batch_size: 1', 'data_type: TYPE_FP32 dims: [ -1 ] zero_data: true')}\n`,
    ),
  ),
  one(
    'refused',
    'warmup-other-dims',
    'Warm-up with other dims than the model',
    plus(warmup('batch_size: 1', 'data_type: TYPE_FP32 dims: [ 5 ] zero_data: true')),
  ),
  one(
    'refused',
    'warmup-batch-in-dims',
    'Warm-up with the batch in dims',
    plus(warmup('batch_size: 1', 'data_type: TYPE_FP32 dims: [ 1, 4 ] zero_data: true')),
  ),
  one(
    'refused',
    'warmup-other-type',
    'Warm-up with another type than the model',
    plus(warmup('batch_size: 1', 'data_type: TYPE_INT64 dims: [ 4 ] zero_data: true')),
  ),
  one(
    'refused',
    'warmup-no-type',
    'Warm-up without a type',
    plus(warmup('batch_size: 1', 'dims: [ 4 ] zero_data: true')),
  ),
  one(
    'refused',
    'warmup-input-missing',
    'Warm-up of one of two inputs',
    onnx(
      'pair',
      `platform: "onnxruntime_onnx"\nmax_batch_size: 8\ninput [ { name: "A" data_type: TYPE_FP32 dims: [ 4 ] }, { name: "B" data_type: TYPE_FP32 dims: [ 4 ] } ]\noutput [ { name: "Y" data_type: TYPE_FP32 dims: [ 4 ] } ]\n${warmup('batch_size: 1').replace('"X"', '"A"')}\n`,
    ),
  ),
  one(
    'refused',
    'warmup-input-unknown',
    'Warm-up of an input that is not there',
    plus(warmup('batch_size: 1').replace('"X"', '"Q"')),
  ),
  one(
    'refused',
    'warmup-no-inputs',
    'Warm-up without inputs',
    plus('model_warmup [ { name: "first" batch_size: 1 } ]'),
  ),
  one('refused', 'warmup-batch-above', 'Warm-up with more rows than max_batch_size', plus(warmup('batch_size: 16'))),
  one(
    'loaded',
    'warmup-strings',
    'Warm-up with empty strings',
    onnx(
      'text',
      `${PLAIN.replaceAll('FP32', 'STRING').replaceAll('[ 4 ]', '[ 1 ]')}${warmup('batch_size: 1', 'data_type: TYPE_STRING dims: [ 1 ] zero_data: true')}\n`,
    ),
  ),
  one(
    'refused',
    'metrics-no-family',
    'A metric without its family',
    plus('model_metrics { metric_control [ { histogram_options { buckets: [ 1, 2 ] } } ] }'),
  ),
  one(
    'refused',
    'metrics-no-buckets',
    'A histogram without buckets',
    plus(
      'model_metrics { metric_control [ { metric_identifier { family: "nv_inference_first_response_histogram_ms" } histogram_options { } } ] }',
    ),
  ),
  one(
    'refused',
    'metrics',
    'A histogram with its own buckets, which later servers have',
    plus(
      'model_metrics { metric_control [ { metric_identifier { family: "nv_inference_first_response_histogram_ms" } histogram_options { buckets: [ 1, 2, 4 ] } } ] }',
    ),
  ),
  one('loaded', 'python', 'A model of the Python backend', {
    config:
      'backend: "python"\nmax_batch_size: 0\ninput [ { name: "IN_FP32" data_type: TYPE_FP32 dims: [ -1 ] } ]\noutput [ { name: "OUT_FP32" data_type: TYPE_FP32 dims: [ -1 ] } ]\n',
    files: { '1/model.py': shared('echo.py') },
  }),
  one('refused', 'python-absent', 'A model of the Python backend without model.py', {
    config:
      'backend: "python"\ninput [ { name: "IN_FP32" data_type: TYPE_FP32 dims: [ -1 ] } ]\noutput [ { name: "OUT_FP32" data_type: TYPE_FP32 dims: [ -1 ] } ]\n',
    files: {},
    folders: ['1'],
  }),
  one('refused', 'python-environment-absent', 'A Python environment that is not there', {
    config:
      'backend: "python"\ninput [ { name: "IN_FP32" data_type: TYPE_FP32 dims: [ -1 ] } ]\noutput [ { name: "OUT_FP32" data_type: TYPE_FP32 dims: [ -1 ] } ]\nparameters { key: "EXECUTION_ENV_PATH" value { string_value: "$$TRITON_MODEL_DIRECTORY/env.tar.gz" } }\n',
    files: { '1/model.py': shared('echo.py') },
  }),
  one('refused', 'python-as-platform', 'python is a backend, not a platform', {
    config:
      'platform: "python"\ninput [ { name: "IN_FP32" data_type: TYPE_FP32 dims: [ -1 ] } ]\noutput [ { name: "OUT_FP32" data_type: TYPE_FP32 dims: [ -1 ] } ]\n',
    files: { '1/model.py': shared('echo.py') },
  }),
];
