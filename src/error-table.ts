/** Every error a user can meet: a stable code, its exit code, and a default hint. */
import { EXIT, type ExitCode } from './exit-codes.js';

/** A row of the table. */
export interface ErrorRow {
  readonly exitCode: ExitCode;
  readonly summary: string;
  /** What to do where the message says nothing better. */
  readonly hint: string;
}

/** One row a code. The first digit is the area: 1 usage, 2 bytes, 3 graph, 4 data, 5 runtime, 6 output, 7 gates, 9 bugs. */
export const ERROR_TABLE = {
  SO1001: { exitCode: EXIT.usage, summary: 'The command line is not understood', hint: 'serve-opt --help' },
  SO1002: { exitCode: EXIT.usage, summary: 'Two options contradict each other', hint: 'leave one of them out' },
  SO1003: {
    exitCode: EXIT.usage,
    summary: 'A node name, glob or op type matches nothing',
    hint: 'serve-opt inspect MODEL --json lists every node',
  },
  SO1004: {
    exitCode: EXIT.usage,
    summary: 'The output would overwrite the input',
    hint: 'choose another path with -o',
  },
  SO1005: {
    exitCode: EXIT.usage,
    summary: 'The output exists',
    hint: 'add --force to replace it, or choose another path with -o',
  },
  SO1006: {
    exitCode: EXIT.usage,
    summary: 'An option value is not allowed',
    hint: 'serve-opt COMMAND --help lists the options and their values',
  },
  SO2001: { exitCode: EXIT.input, summary: 'The file does not exist', hint: 'check the path' },
  SO2002: {
    exitCode: EXIT.input,
    summary: 'The file cannot be read',
    hint: 'check that it is a file and that you have permission to read it',
  },
  SO2003: {
    exitCode: EXIT.input,
    summary: 'The file is not an ONNX model',
    hint: 'give a .onnx file: export the model to ONNX first',
  },
  SO2004: { exitCode: EXIT.input, summary: 'The file is empty', hint: 'download or export the model again' },
  SO2005: { exitCode: EXIT.input, summary: 'The file ends early', hint: 'download or export the model again' },
  SO2006: {
    exitCode: EXIT.input,
    summary: 'The protobuf bytes are damaged',
    hint: 'download or export the model again',
  },
  SO2007: {
    exitCode: EXIT.input,
    summary: 'The model nests too deeply',
    hint: 'export the model again with fewer nested subgraphs and types',
  },
  SO2008: {
    exitCode: EXIT.input,
    summary: 'The file changed while it was read',
    hint: 'run again when nothing else writes to it',
  },
  SO2021: {
    exitCode: EXIT.input,
    summary: 'The safetensors file breaks the rules of its format',
    hint: 'download the file again, and compare its size with that of its source',
  },
  SO2022: {
    exitCode: EXIT.input,
    summary: 'The folder is not a Hugging Face checkpoint',
    hint: 'give a folder with config.json and model.safetensors, as save_pretrained writes it',
  },
  SO2023: {
    exitCode: EXIT.input,
    summary: 'The index of a checkpoint does not fit its files',
    hint: 'download the checkpoint again',
  },
  SO2024: {
    exitCode: EXIT.input,
    summary: 'The checkpoint is quantized already',
    hint: 'start from the checkpoint that it was made of',
  },
  SO2101: { exitCode: EXIT.input, summary: 'A tensor is inconsistent', hint: 'export the model again' },
  SO2102: {
    exitCode: EXIT.input,
    summary: 'External data cannot be used',
    hint: 'keep the data files beside the model, under the names in the model',
  },
  SO2103: {
    exitCode: EXIT.input,
    summary: 'External data is outside of the model folder',
    hint: 'copy the data file beside the model',
  },
  SO2104: { exitCode: EXIT.input, summary: 'A limit on size is exceeded', hint: 'use a smaller model, file or size' },
  SO2105: {
    exitCode: EXIT.input,
    summary: 'The model needs more memory than allowed',
    hint: 'allow more with --mem',
  },
  SO3001: {
    exitCode: EXIT.input,
    summary: 'The graph is invalid',
    hint: 'export the model again; python -m onnx.checker MODEL may show more',
  },
  SO3002: {
    exitCode: EXIT.input,
    summary: 'The model uses an unsupported version',
    hint: 'export the model again: every domain it uses needs a supported opset',
  },
  SO3003: {
    exitCode: EXIT.input,
    summary: 'The text is not ONNX text syntax',
    hint: 'serve-opt inspect MODEL --dump prints a model in this syntax',
  },
  SO3004: {
    exitCode: EXIT.input,
    summary: 'The model breaks the rules of its operators',
    hint: 'export the model again; add --allow-invalid to continue anyway',
  },
  SO3501: {
    exitCode: EXIT.input,
    summary: 'The model cannot be served by this target',
    hint: 'serve-opt inspect MODEL shows its inputs and outputs',
  },
  SO3502: {
    exitCode: EXIT.input,
    summary: 'A path is unsafe in a package',
    hint: 'rename the file: relative paths with slashes, no "..", no links',
  },
  SO3503: {
    exitCode: EXIT.usage,
    summary: 'A setting is not in the configuration of the server',
    hint: 'serve-opt package triton --help; the fields are those of ModelConfig in model_config.proto of Triton',
  },
  SO3504: {
    exitCode: EXIT.capability,
    summary: 'There is no package for this server',
    hint: 'serve-opt package triton MODEL -o models/',
  },
  SO3505: {
    exitCode: EXIT.input,
    summary: 'The labels do not fit the outputs',
    hint: 'give one label a line, in the order of the classes',
  },
  SO3506: {
    exitCode: EXIT.input,
    summary: 'The models of an ensemble do not fit together',
    hint: 'connect their tensors with --map',
  },
  SO3507: {
    exitCode: EXIT.usage,
    summary: 'The configuration of a packaged model would change',
    hint: 'add --force to replace it, or choose another --name',
  },
  SO3508: {
    exitCode: EXIT.usage,
    summary: 'The interface of an engine is not known',
    hint: 'give --platform tensorrt_plan with --engine-input and --engine-output, or keep the report of serve-opt tensorrt beside it',
  },
  SO3509: {
    exitCode: EXIT.input,
    summary: 'It is not a package',
    hint: 'give a Triton model repository, the folder of one of its models, or a .mar archive',
  },
  SO3511: {
    exitCode: EXIT.input,
    summary: 'There is no measurement of this model',
    hint: 'serve-opt bench MODEL --report model.bench.json',
  },
  SO3512: {
    exitCode: EXIT.input,
    summary: 'The folder or archive has no model that a server loads',
    hint: 'serve-opt package triton model.onnx -o models/ makes a repository',
  },
  SO3101: {
    exitCode: EXIT.failed,
    summary: 'A pass cannot be applied to this model',
    hint: 'remove the option or the pass',
  },
  SO3515: {
    exitCode: EXIT.input,
    summary: 'The files do not fit into an archive',
    hint: 'add --format folder',
  },
  SO4001: {
    exitCode: EXIT.input,
    summary: 'The data cannot be read',
    hint: 'give samples as .npz, .npy, .jsonl, .csv or ONNX test data',
  },
  SO4002: {
    exitCode: EXIT.input,
    summary: 'The data does not match the model inputs',
    hint: 'serve-opt inspect MODEL shows names, types and shapes of the inputs',
  },
  SO4003: {
    exitCode: EXIT.input,
    summary: 'The data has Python objects, not arrays',
    hint: 'save plain arrays; pickled objects are never loaded',
  },
  SO4004: { exitCode: EXIT.input, summary: 'The data has no samples', hint: 'give at least one sample' },
  SO4005: {
    exitCode: EXIT.input,
    summary: 'The labels do not match the model outputs',
    hint: 'save the labels under the name "labels", one row per sample',
  },
  SO4006: {
    exitCode: EXIT.input,
    summary: 'The model gives values that are not finite on this data',
    hint: 'check the samples for NaN and for values that the model does not expect',
  },
  SO4007: {
    exitCode: EXIT.input,
    summary: 'The baseline cannot be used',
    hint: 'give a model, or a report that serve-opt bench --report base.json wrote',
  },
  SO4008: {
    exitCode: EXIT.input,
    summary: 'The cache is of another model or other data',
    hint: 'give another folder with --teacher-cache, or remove this one',
  },
  SO4009: {
    exitCode: EXIT.usage,
    summary: 'How the data becomes the inputs is not known',
    hint: "add --preprocess imagenet, or --preprocess 'resize=256 crop=224 mean=… std=…'",
  },
  SO4010: { exitCode: EXIT.input, summary: 'A token is not in the vocabulary', hint: 'give --tokenizer of this model' },
  SO3561: {
    exitCode: EXIT.input,
    summary: 'No layer of the checkpoint can be quantized',
    hint: 'serve-opt quantize FOLDER --for vllm --mode w8a8 has no groups that inputs must fill',
  },
  SO3562: {
    exitCode: EXIT.input,
    summary: 'A weight of the checkpoint cannot be quantized',
    hint: 'leave its module out with --exclude',
  },
  SO5001: {
    exitCode: EXIT.failed,
    summary: 'ONNX Runtime rejects the model',
    hint: 'serve-opt inspect MODEL shows operators and opset; serve-opt doctor shows the version of ONNX Runtime',
  },
  SO5002: {
    exitCode: EXIT.failed,
    summary: 'ONNX Runtime failed while running',
    hint: 'check that the inputs are what the model expects: serve-opt inspect MODEL',
  },
  SO5003: {
    exitCode: EXIT.failed,
    summary: 'The ONNX Runtime process died',
    hint: 'run again; if memory is short, allow more with --mem or use fewer threads',
  },
  SO5004: {
    exitCode: EXIT.capability,
    summary: 'ONNX Runtime is not installed',
    hint: 'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node',
  },
  SO5005: { exitCode: EXIT.capability, summary: 'The execution provider is not available', hint: 'serve-opt doctor' },
  SO5006: {
    exitCode: EXIT.failed,
    summary: 'ONNX Runtime for Node does not support this type',
    hint: 'add --no-verify to skip running the model',
  },
  SO5007: { exitCode: EXIT.capability, summary: 'An optional package is not installed', hint: 'npm install sharp' },
  SO5101: {
    exitCode: EXIT.failed,
    summary: 'The server cannot be reached',
    hint: 'check that the server runs and that its address and port are right',
  },
  SO5102: {
    exitCode: EXIT.failed,
    summary: 'The server responded with an error',
    hint: "see the server's log for the cause",
  },
  SO5103: {
    exitCode: EXIT.failed,
    summary: 'The response of the server violates the protocol',
    hint: 'name the protocol of the server with --protocol',
  },
  SO5104: {
    exitCode: EXIT.failed,
    summary: 'The model is not on the server, or not ready',
    hint: 'check the name of the model and that the server has loaded it',
  },
  SO5105: {
    exitCode: EXIT.failed,
    summary: 'The time limit ended before anything was measured',
    hint: 'give it more time with --max-time',
  },
  SO5106: {
    exitCode: EXIT.failed,
    summary: 'The server that was started is not ready',
    hint: "see the server's last lines above; give it more time with --start-timeout",
  },
  SO5107: {
    exitCode: EXIT.capability,
    summary: 'There is no server to load the package',
    hint: 'install the server, or give the address of a running one with --url',
  },
  SO5201: {
    exitCode: EXIT.capability,
    summary: 'The program trtexec is not available',
    hint: 'install TensorRT, name it with --trtexec PATH, or run it in a container with --docker IMAGE',
  },
  SO5202: { exitCode: EXIT.failed, summary: 'The program trtexec failed', hint: 'see its log beside the engine' },
  SO5203: {
    exitCode: EXIT.input,
    summary: 'TensorRT does not support this model',
    hint: 'serve-opt inspect MODEL shows operators, types and dimensions',
  },
  SO5204: {
    exitCode: EXIT.input,
    summary: 'This TensorRT or GPU cannot load the engine',
    hint: 'build it again here: serve-opt tensorrt MODEL',
  },
  SO5205: { exitCode: EXIT.capability, summary: 'There is no usable GPU or CUDA driver', hint: 'run nvidia-smi' },
  SO5206: {
    exitCode: EXIT.failed,
    summary: 'TensorRT ran out of memory',
    hint: 'use smaller maximum sizes in --dim, or a smaller --workspace',
  },
  SO5207: {
    exitCode: EXIT.failed,
    summary: 'The time limit of trtexec ended',
    hint: 'allow more with --build-timeout',
  },
  SO6001: {
    exitCode: EXIT.failed,
    summary: 'The output cannot be written',
    hint: 'check the free space and the permissions of the folder',
  },
  SO6003: {
    exitCode: EXIT.failed,
    summary: 'The output failed its check',
    hint: 'check the disk, then run again',
  },
  SO6004: {
    exitCode: EXIT.failed,
    summary: 'The model is too large for one file',
    hint: 'protobuf ends at 2 GiB: write the weights to an external data file',
  },
  SO6101: {
    exitCode: EXIT.failed,
    summary: 'A system resource is missing: open files, processes, a temporary folder',
    hint: 'close other programs or raise the limits (ulimit -a), then run again',
  },
  SO7001: {
    exitCode: EXIT.gate,
    summary: 'The result misses a budget',
    hint: 'set another limit, or keep layers in FP32 with --exclude',
  },
  SO7002: {
    exitCode: EXIT.inconclusive,
    summary: 'A budget cannot be decided',
    hint: 'set a limit further from what was measured, or add --allow-inconclusive',
  },
  SO7003: {
    exitCode: EXIT.gate,
    summary: 'The package has errors',
    hint: 'correct what serve-opt package check lists',
  },
  SO7004: {
    exitCode: EXIT.gate,
    summary: 'A packaged model is not served as it should be',
    hint: 'serve-opt package check DIR explains faults of a package',
  },
  SO7005: {
    exitCode: EXIT.gate,
    summary: 'A latency target cannot be reached',
    hint: 'give a smaller speed-up, or cut more with --method or --through-normalization',
  },
  SO8130: { exitCode: EXIT.interrupted, summary: 'Interrupted', hint: 'run the command again' },
  SO8143: { exitCode: EXIT.terminated, summary: 'Terminated', hint: 'run the command again' },
  SO9001: {
    exitCode: EXIT.bug,
    summary: 'This is a bug in serve-opt',
    hint: 'run again with --debug and report the output',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;
