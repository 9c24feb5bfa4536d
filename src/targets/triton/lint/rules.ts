import type { FindingSeverity } from '../../finding.js';

/** One rule of the check. */
export interface LintRule {
  readonly severity: FindingSeverity;
  /** Why it matters: the rule of the server. */
  readonly why: string;
  /** What to do, where a finding knows nothing better. */
  readonly fix: string;
}

const rule = (severity: FindingSeverity, why: string, fix: string): LintRule => ({ severity, why, fix });

/** All rules of `package check` for Triton, by name; docs/package-check.md lists them. */
export const TRITON_RULES = {
  'config-unreadable': rule('error', 'Triton reads the configuration first', 'Check the file and its permissions'),
  'config-too-large': rule('error', 'A configuration of this size is damaged, or no configuration', 'Check the file'),
  'text-encoding': rule(
    'error',
    'Triton reads ASCII, and UTF-8 in comments and strings only',
    'Save the file as UTF-8 without a byte order mark',
  ),
  'text-syntax': rule(
    'error',
    'The file must be in the text format of protobuf',
    'See https://protobuf.dev/reference/protobuf/textformat-spec',
  ),
  'unknown-field': rule(
    'error',
    'Triton refuses a configuration with a field that it does not have',
    'Remove the field',
  ),
  'field-value': rule('error', 'Triton refuses a value of another type', 'Write a value that the field takes'),
  'field-twice': rule('error', 'Triton refuses a field that is set twice', 'Remove one of them'),
  'key-twice': rule('warning', 'Of two entries with one key the later counts', 'Remove one of them'),
  'octal-number': rule('warning', 'protobuf reads numbers with a leading zero as octal', 'Remove the leading zero'),
  'text-bytes': rule('warning', 'Triton loads the model and cannot return its configuration', 'Save the file as UTF-8'),
  'folder-unreadable': rule('error', 'Triton cannot load what it cannot read', 'Check the permissions of the folder'),
  'name-in-url': rule(
    'warning',
    'Triton does not decode names in URLs: no request over HTTP finds the model',
    'Rename the folder: letters, digits, "_", "-" and "."',
  ),
  'broken-link': rule('warning', 'Triton cannot read the file', 'Remove the link, or restore its target'),
  'link-outside': rule('note', 'A package that is copied elsewhere loses the file', 'Copy the file into the package'),
  'folder-too-deep': rule(
    'error',
    'Triton takes each folder of the repository for a model, with its versions inside',
    'Move the inner folder up',
  ),
  'config-misplaced': rule(
    'warning',
    'Triton reads config.pbtxt in the folder of the model only',
    'Move the file one folder up',
  ),
  'config-misnamed': rule(
    'warning',
    'Triton reads config.pbtxt only; everything is completed from the model',
    'Rename it to config.pbtxt',
  ),
  'no-config': rule(
    'note',
    'Triton completes the configuration from the model, unless it is started with --disable-auto-complete-config',
    'Write a config.pbtxt to fix max_batch_size and names: serve-opt package triton MODEL.onnx',
  ),
  'not-a-model': rule(
    'error',
    'Triton takes each folder of the repository for a model, and ends at the first that does not load',
    'Move the folder out of the repository',
  ),
  'version-beyond': rule('error', 'The server ends when it reads the name', 'Use a smaller number'),
  'version-absent': rule(
    'warning',
    'Triton serves the versions of the list that have a folder',
    'Add the version, or remove it from version_policy',
  ),
  'policy-empty': rule(
    'warning',
    'A policy without a choice serves all versions, and no policy the latest',
    'Write version_policy { all { } }, or leave it out',
  ),
  'version-name': rule(
    'error',
    'Triton reads the number at the beginning of the name, and looks for a folder with this number',
    'Rename the folder, or move it out of the model',
  ),
  'folder-ignored': rule(
    'warning',
    'Triton serves folders whose name is a number without leading zeros',
    'Rename the folder, or move it out of the model',
  ),
  'no-version': rule(
    'error',
    'Triton needs at least one version: a folder named by a number, without leading zeros',
    'Put the model file into a folder named 1',
  ),
  'ensemble-file': rule('warning', 'An ensemble has no model file: the version folder stays empty', 'Remove the file'),
  'no-model-file': rule(
    'error',
    'Triton looks for the file in each version that it loads',
    'Add the file, or name it in default_model_filename',
  ),
  'name-differs': rule('error', 'The name of a model must be the name of its folder', 'Leave the name out'),
  'unknown-platform': rule(
    'error',
    'Triton knows tensorrt_plan, onnxruntime_onnx, pytorch_libtorch, tensorflow_savedmodel, tensorflow_graphdef and ensemble',
    'Write backend: "NAME" for other backends',
  ),
  'platform-backend': rule('error', 'platform and backend must belong together', 'Leave one of them out'),
  'unknown-backend': rule('error', 'The server has no backend of this name', 'Correct the name'),
  'other-backend': rule('note', 'The server must have it in its folder of backends', 'Check that the server has it'),
  'no-backend': rule(
    'error',
    'Triton finds the backend by the name of the model file: model.onnx, model.plan, model.pt, model.py, …',
    'Write backend: "NAME" and default_model_filename: "FILE"',
  ),
  'label-file': rule(
    'error',
    'Triton reads the label file when it loads the model, from the folder of the model',
    'Add the file beside config.pbtxt',
  ),
  'label-count': rule(
    'warning',
    'Each class takes the label of its line: those without a line have none, and further lines are not used',
    'Give the file one line for each class',
  ),
  'environment-file': rule(
    'error',
    'The Python backend unpacks the environment before it loads the model',
    'Add the file, or remove EXECUTION_ENV_PATH',
  ),
  'operator-library': rule(
    'warning',
    'ONNX Runtime looks for it where the system has its libraries, not in the package',
    'Write the absolute path of the library on the server',
  ),
  'repository-agent': rule(
    'warning',
    'The server must have it in its folder of repository agents',
    'Check that the server has it',
  ),
  'tensor-name': rule('error', 'Every input and output must have a name', 'Write name: "NAME"'),
  'tensor-type': rule(
    'error',
    'Every input and output must have a data type',
    'Write data_type: TYPE_FP32, or another type',
  ),
  'tensor-dims': rule(
    'error',
    'Every input and output must have dims; a scalar has [1]',
    'Write dims: [1] for a scalar',
  ),
  dimension: rule('error', 'A dimension is at least 1, or -1 for any size', 'Write -1 for any size'),
  'reshape-empty': rule(
    'error',
    'Without a batch dimension an empty shape would be a scalar, which Triton does not have',
    'Remove the reshape: a scalar is dims: [1]',
  ),
  'reshape-count': rule(
    'error',
    'A reshape keeps the number of elements, on both sides of each open dimension',
    'Correct dims or the reshape',
  ),
  'format-dims': rule(
    'error',
    'An image format needs three dims, without the batch',
    'Remove the format, or write three dims',
  ),
  'tensorrt-only': rule('error', 'Only TensorRT engines have this', 'Remove the field'),
  'batch-tensor': rule(
    'error',
    'batch_input and batch_output refer to inputs and outputs of the configuration',
    'Correct the names',
  ),
  'max-batch-negative': rule('error', 'max_batch_size is 0, or the largest batch', 'Write max_batch_size: 0'),
  'max-batch-completed': rule(
    'warning',
    'Triton takes 0 as not set when it completes a configuration, and turns dynamic batching on',
    'Write max_batch_size: 1, or give inputs and outputs',
  ),
  'batching-off': rule(
    'warning',
    'There is nothing to put into one batch',
    'Remove dynamic_batching, or raise max_batch_size',
  ),
  'preferred-size': rule(
    'error',
    'A preferred batch size is from 1 to max_batch_size',
    'Remove it, or raise max_batch_size',
  ),
  'priority-off': rule('warning', 'Without levels it is never used', 'Write priority_levels'),
  'priority-level': rule(
    'error',
    'Levels are numbered from 1 to priority_levels, and requests without one take the default',
    'Write a level in this range',
  ),
  ordering: rule('error', 'Requests that overtake others do not keep their order', 'Remove preserve_ordering'),
  'timeout-off': rule('warning', 'No request times out', 'Write default_timeout_microseconds'),
  'cache-conflict': rule(
    'error',
    'The response cache takes models with one response for each request on its own',
    'Remove response_cache',
  ),
  'server-option': rule(
    'warning',
    'It has an effect only if the server is started for it',
    'Start the server with the option, or remove the field',
  ),
  decoupled: rule(
    'warning',
    'The ONNX Runtime backend sends one response for each request, and HTTP refuses decoupled models',
    'Remove model_transaction_policy',
  ),
  metric: rule('error', 'A metric has a family and histogram buckets', 'Complete it, or remove it'),
  'sequence-control': rule(
    'error',
    'Each control is an input of the model with the shape [1] and values for false and true',
    'Correct the control',
  ),
  'slot-utilization': rule('error', 'It is a share from 0 to 1', 'Write a number from 0 to 1'),
  'sequence-state': rule(
    'error',
    'A state is an input and an output of the model, and starts with their type and shape',
    'Correct the state',
  ),
  'all-passive': rule(
    'warning',
    'Passive instances take no requests: they wait forever',
    'Remove passive from one group',
  ),
  'instance-count': rule(
    'warning',
    'A count below 1 is read as not set: the backend chooses, two on the CPU for ONNX Runtime',
    'Write the number of instances',
  ),
  'instance-gpus': rule('error', 'Only KIND_GPU and KIND_AUTO have gpus', 'Remove gpus, or write kind: KIND_GPU'),
  'instance-profile': rule(
    'error',
    'A profile is the number of an optimization profile of the engine',
    'Write profile: "0"',
  ),
  'graph-level': rule(
    'warning',
    'For ONNX Runtime -1 is basic, 1 is extended, 2 is off, and everything else is all',
    'Remove graph for all optimizations',
  ),
  'gpu-option-on-cpu': rule('warning', 'It is not looked at on the CPU', 'Remove it, or write kind: KIND_GPU'),
  accelerator: rule(
    'error',
    'The ONNX Runtime backend refuses accelerators, parameters and values that it does not know',
    'Remove it',
  ),
  'parameter-value': rule('error', 'The ONNX Runtime backend refuses the value', 'Write one of these values'),
  'parameter-odd': rule('warning', 'The model loads with another value than the one written', 'Write a whole number'),
  'unknown-parameter': rule('warning', 'It has no effect', 'Remove it'),
  'warmup-off': rule('warning', 'Triton skips such requests', 'Write batch_size: 1'),
  warmup: rule('error', 'The model does not load until its warm-up requests have succeeded', 'Correct the request'),
  'onnx-file': rule('error', 'ONNX Runtime refuses the model', 'Export or copy the model again'),
  'onnx-operator': rule(
    'error',
    'ONNX Runtime loads models with operators that it has',
    'Export the model with other operators, or name a library of operators in model_operations',
  ),
  'onnx-type': rule('error', 'Triton has no type for it', 'Add a Cast to the model, or make it a tensor'),
  'batch-fixed': rule(
    'error',
    'With max_batch_size above 0 the first dimension of every input and output must be open',
    'Write max_batch_size: 0 with the batch in dims, or open it: serve-opt optimize MODEL.onnx --dynamic batch',
  ),
  'input-missing': rule('error', 'The configuration must have every input that the model needs', 'Add the input'),
  'inputs-mixed': rule(
    'warning',
    'Triton counts the inputs and loads the model; requests fail',
    'Write the inputs of the model',
  ),
  'input-twice': rule('error', 'An input is there once', 'Remove one of them'),
  'input-optional': rule(
    'error',
    'Only inputs with a default in the model are optional, in models without batching',
    'Remove the input or optional',
  ),
  'tensor-unknown': rule('error', 'Names are those of the model, with the same capital letters', 'Correct the name'),
  'type-differs': rule('error', 'Types must be those of the model', 'Write the type of the model'),
  'dims-differ': rule(
    'error',
    'Dims must be those of the model: an open input takes any size, an output must be open where the model is',
    'Write the dims of the model',
  ),
  'batch-in-dims': rule(
    'error',
    'With max_batch_size above 0 Triton adds the batch to dims',
    'Remove the batch from dims',
  ),
  'batch-not-in-dims': rule(
    'error',
    'With max_batch_size 0 dims have everything, the batch included',
    'Write the batch in dims',
  ),
  vector: rule(
    'error',
    'A tensor with a batch and nothing else has dims [1], which a reshape takes away',
    'Write dims: [1] reshape { shape: [ ] }',
  ),
  'scalar-with-batch': rule(
    'warning',
    'Requests fail: Triton gives it a batch that the model does not have',
    'Write max_batch_size: 0 with the batch in dims',
  ),
  ragged: rule('error', 'A ragged input is a vector of any size in the model', 'Remove allow_ragged_batch'),
  'ensemble-backend': rule('error', 'An ensemble is run by the server itself', 'Remove backend'),
  'ensemble-steps': rule(
    'error',
    'An ensemble has steps with a model, inputs and outputs',
    'Complete ensemble_scheduling',
  ),
  'ensemble-platform': rule(
    'error',
    'A model with ensemble_scheduling has the platform "ensemble"',
    'Write platform: "ensemble"',
  ),
  'ensemble-field': rule(
    'error',
    'Triton refuses it for ensembles',
    'Remove it, or write it for the models of the steps',
  ),
  'ensemble-unused': rule('error', 'Triton refuses tensors that lead nowhere', 'Use it, or remove it'),
  'ensemble-written-twice': rule('error', 'A tensor of an ensemble has one source', 'Rename one of them'),
  'ensemble-not-made': rule(
    'error',
    'Every tensor comes from an input of the ensemble or from a step',
    'Correct the name, or add the step',
  ),
  'ensemble-cycle': rule('error', 'A step runs once all that it takes is there', 'Break the cycle'),
  'ensemble-model': rule(
    'error',
    'The models and versions of all steps must be in the repository',
    'Add the model, or correct the name',
  ),
  'ensemble-model-broken': rule('error', 'An ensemble loads after the models of its steps', 'Correct that model'),
  'ensemble-member-batch': rule(
    'warning',
    'Requests of more than one row fail',
    'Give that model a batch, or the ensemble max_batch_size: 1',
  ),
  'ensemble-batch': rule(
    'error',
    'Each model must take the batches of the ensemble',
    'Lower max_batch_size of the ensemble',
  ),
  'ensemble-map': rule(
    'error',
    'Keys of the maps are inputs and outputs of the model, values are tensors of the ensemble',
    'Correct the map',
  ),
  'ensemble-type': rule('error', 'Both sides of a tensor must have one type', 'Correct one side'),
  'ensemble-shape': rule(
    'error',
    'Both sides of a tensor must have one shape; open dimensions fit any size',
    'Correct one side',
  ),
} as const satisfies Readonly<Record<string, LintRule>>;

export type RuleId = keyof typeof TRITON_RULES;
