/** What the errors of a trtexec log mean. */
import { type ErrorCode, ServeOptError } from '../../errors.js';
import type { LogMessage, TrtexecLog } from './trtexec-log.js';
import { formatVersion } from './version.js';

/** A kind of failure, and how to tell it. */
export interface FailureRow {
  /** Matched against each error with its continuation lines. */
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  /** What failed; `$1` and so on are groups of the pattern. */
  readonly message: string;
  readonly hint: string;
}

/**
 * Kinds of failure, first match wins: what causes others comes before them. `MODEL` in hints is replaced by the name of the model.
 * Texts are those of TensorRT 8.0 to 11.1 (logs of the fixtures, and `samples/` and the ONNX parser at those tags).
 */
export const FAILURES: readonly FailureRow[] = [
  {
    pattern: /^Unknown option: (\S+)/,
    code: 'SO5202',
    message: 'trtexec does not take the option $1',
    hint: 'check that --tensorrt-version is the version of trtexec, and see trtexec --help',
  },
  {
    pattern:
      /No space left on device|Error writing engine file|Error: writing serialized engine file|Saving engine to file failed/i,
    code: 'SO6001',
    message: 'trtexec could not write a file: the disk is full or read-only',
    hint: 'free some space, or give -o a path on another disk',
  },
  {
    pattern:
      /CUDA (?:driver version is insufficient|initialization failure)|Cuda failure: (?:35|100|no CUDA-capable|CUDA driver)|Cannot find any available devices|no CUDA-capable device|Unable to determine GPU memory usage|libcuda\.so/i,
    code: 'SO5205',
    message: 'trtexec finds no usable GPU or CUDA driver',
    hint: 'run nvidia-smi: it must list a GPU, with a driver that is new enough for this CUDA',
  },
  {
    pattern: /Scale coefficients must all be positive/,
    code: 'SO5203',
    message: 'A QuantizeLinear or DequantizeLinear has a scale that is not positive',
    hint: 'quantize the original again: serve-opt quantize MODEL --data samples.npz --for tensorrt',
  },
  {
    pattern:
      /(?:zero[ _-]?point|shift)\b.*(?:must|should).*zero|only supports symmetric quantization|Non-zero zero point/i,
    code: 'SO5203',
    message: 'A QuantizeLinear or DequantizeLinear has a zero point other than 0, and TensorRT has none',
    hint: 'quantize the original again: serve-opt quantize MODEL --data samples.npz --for tensorrt',
  },
  {
    pattern: /^(?:Error\[\d+\]: )?(.+): invalid weights type of (\S+)|invalid weights type of (\S+)/m,
    code: 'SO5203',
    message: 'TensorRT cannot import a constant of this type',
    hint: 'INT8 constants need TensorRT 10: use a newer TensorRT, or keep weights in FP32 before their QuantizeLinear',
  },
  {
    pattern: /(?:number of scales is not equal|per-axis quantization|scale and zero point must have the same)/i,
    code: 'SO5203',
    message: 'A QuantizeLinear or DequantizeLinear has scales that TensorRT does not take',
    hint: 'quantize the original again: serve-opt quantize MODEL --data samples.npz --for tensorrt',
  },
  {
    pattern: /Plugin not found|getPluginCreator could not find plugin:? ?(\S*)|no plugin creator/i,
    code: 'SO5203',
    message: 'TensorRT has neither an implementation nor a plugin for an operator of the model',
    hint: 'give its library with --plugin LIB.so; serve-opt inspect MODEL lists the operators',
  },
  {
    pattern:
      /No importer registered for op: (\S+?)\.?(?:\s|$)|Unsupported (?:ONNX )?operator:? ?(\S*)|UNSUPPORTED_NODE/i,
    code: 'SO5203',
    message: 'TensorRT does not support an operator of the model',
    hint: 'serve-opt inspect MODEL lists the operators; a newer TensorRT, or --plugin LIB.so, may have it',
  },
  {
    pattern:
      /incompatible serialization version|kPLAN_MAGIC_TAG|Version tag does not match|engine plan file is not compatible|Engine deserialization failed|different TensorRT version/i,
    code: 'SO5204',
    message: 'This TensorRT cannot load the engine',
    hint: 'build it again with this version and on this GPU: serve-opt tensorrt model.onnx',
  },
  {
    pattern:
      /compute capability .* (?:does not match|not compatible)|built (?:on|for) a different device|Using an engine plan file across different models of devices/i,
    code: 'SO5204',
    message: 'The engine was built for another GPU',
    hint: 'build it again on this GPU, or build with --hardware ampere+',
  },
  {
    pattern: /out of memory|could not be allocated|OutOfMemory|insufficient memory|bad_alloc/i,
    code: 'SO5206',
    message: 'TensorRT ran out of memory',
    hint: 'use smaller maximum sizes in --dim, a smaller --workspace, or stop what else uses the GPU (nvidia-smi)',
  },
  {
    pattern:
      /Dynamic dimensions required for input:? ?(\S*?),|(?:dynamic|runtime) dimensions.*(?:no optimization profile|optimization profile is missing)|Network has dynamic or shape inputs, but no optimization profile/i,
    code: 'SO5203',
    message: 'An input has open dimensions without a range',
    hint: 'give each a range: --dim batch=1:8:32',
  },
  {
    pattern: /Could not find any implementation for node (.+)/,
    code: 'SO5203',
    message: 'TensorRT has no implementation of a part of the model that fits the limits',
    hint: 'allow more with --workspace, narrow the ranges of --dim, or try another TensorRT',
  },
  {
    pattern: /While parsing node number (\d+)|In node (\d+).*with name/,
    code: 'SO5203',
    message: 'TensorRT cannot import a node of the model',
    hint: 'serve-opt optimize MODEL may remove it; fixed sizes help too: --set-dim batch=1',
  },
  {
    pattern: /Failed to parse onnx file|Parsing model failed/,
    code: 'SO5203',
    message: 'TensorRT cannot read the model',
    hint: 'serve-opt inspect MODEL shows operators, types and opset',
  },
];

/** What trtexec prints as information, or without any severity, and then ends. */
const LAST_WORDS: readonly FailureRow[] = [
  {
    pattern: /Cannot find any available devices/,
    code: 'SO5205',
    message: 'trtexec finds no usable GPU or CUDA driver',
    hint: 'run nvidia-smi: it must list a GPU, with a driver that is new enough for this CUDA',
  },
  {
    pattern: /Cannot find device ID (\d+)!/,
    code: 'SO1006',
    message: 'There is no GPU $1',
    hint: 'nvidia-smi -L lists the GPUs: choose one of them with --gpu N',
  },
  {
    pattern: /No space left on device|ENOSPC/,
    code: 'SO6001',
    message: 'trtexec could not write a file: the disk is full',
    hint: 'free some space, or give -o a path on another disk',
  },
  {
    pattern: /error while loading shared libraries/,
    code: 'SO5201',
    message: 'trtexec cannot load its libraries',
    hint: 'add the folder of libnvinfer.so to LD_LIBRARY_PATH',
  },
];

/** A failure that no error tells of, from the last lines of a log. */
export function failureOfLastWords({ lastLines }: Pick<TrtexecLog, 'lastLines'>): ServeOptError | undefined {
  for (const { pattern, code, message, hint } of LAST_WORDS) {
    const line = lastLines.find((each) => pattern.test(each));
    if (line === undefined) continue;
    const match = pattern.exec(line);
    return new ServeOptError(code, filled(message, match), { why: line.slice(0, 300), hint });
  }
  return undefined;
}

/** `$1` and so on as what the pattern found. */
function filled(message: string, match: RegExpExecArray | null): string {
  return message.replace(/\$(\d)/g, (_, index: string) => match?.[Number(index)] ?? '');
}

/** Errors that only say that an earlier one had consequences. */
const CONSEQUENCES =
  /^(?:Engine set up failed|Engine creation failed|Failed to create engine from model|Inference set up failed|Parsing model failed|Failed to parse onnx file|Got invalid engine|Engine could not be created from network|Building engine failed|.*--- (?:Begin|End) node ---)/;

/** A failure as one error: what, the line that tells why, and what to do. */
export function failureOf(log: TrtexecLog, modelName: string): ServeOptError | undefined {
  const errors = log.messages.filter(({ severity }) => severity === 'error');
  const texts = [...errors, ...log.messages.filter(({ severity }) => severity === 'warning')];
  for (const row of FAILURES) {
    // Warnings tell of memory that could not be had, but are no failure by themselves.
    const found = errors.find(({ text }) => row.pattern.test(plainText(text)));
    if (!found) continue;
    const match = row.pattern.exec(plainText(found.text));
    return new ServeOptError(row.code, filled(row.message, match), {
      why: causeLine(found, texts),
      hint: row.hint.replaceAll('MODEL', modelName),
      ...nodeOf(errors),
    });
  }
  const [first] = errors.filter(({ text }) => !CONSEQUENCES.test(plainText(text)));
  const told = first ?? errors[0];
  if (told === undefined) return undefined;
  return new ServeOptError('SO5202', 'trtexec failed', { why: causeLine(told, texts) });
}

/** The line of a message that says most: assertions and reasons come after their place in the source. */
function causeLine({ text }: LogMessage, all: readonly LogMessage[]): string {
  const lines = plainText(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const assertion = lines.find((line) => /Assertion failed|\[\d+\] /.test(line));
  const line = assertion ?? lines[0] ?? '';
  const short = line.replace(/^\[\d+\] /, '').replace(/^(?:Error\[\d+\]: )+/, '');
  const requested = all
    .map((each) => /Requested amount of GPU memory \((\d+) bytes\)/.exec(each.text)?.[1])
    .find(Boolean);
  const words = short.length > 400 ? `${short.slice(0, 400)}…` : short;
  return requested !== undefined && /memory/i.test(words) ? `${words}; it requested ${requested} bytes` : words;
}

/** Without the prefix of TensorRT's own messages. */
function plainText(text: string): string {
  return text.replace(/^\[TRT\] /, '');
}

/** The node that the parser was at. */
function nodeOf(errors: readonly LogMessage[]): { readonly location?: { readonly node: string } } {
  for (const { text } of errors) {
    const name = /\bname: "([^"]+)"/.exec(text)?.[1] ?? /Invalid Node - (\S+)/.exec(text)?.[1];
    if (name !== undefined) return { location: { node: name } };
  }
  return {};
}

/** The version in words, for messages. */
export function versionWords(log: Pick<TrtexecLog, 'version'>): string {
  return log.version === undefined ? 'TensorRT' : `TensorRT ${formatVersion(log.version)}`;
}
