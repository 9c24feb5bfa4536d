import type { SniffedFormat } from './sniffed-format.js';

/** Protobuf messages that are not ModelProto but are often taken for one. Each test asks for what ModelProto cannot hold. */

interface Varint {
  readonly value: number;
  readonly next: number;
}

/** A varint of up to five bytes, which is enough for lengths and small numbers. */
function varintAt(bytes: Uint8Array, at: number): Varint | undefined {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, next: at + i + 1 };
  }
  return undefined;
}

export function sniffProtobuf(head: Uint8Array): SniffedFormat | undefined {
  return sniffTensorProto(head) ?? sniffSavedModel(head) ?? sniffFrozenGraph(head) ?? sniffPaddle(head);
}

/** TensorProto fields that may follow data_type: typed data, name, raw_data, doc_string, external data. */
const AFTER_DATA_TYPE = [0x1a, 0x22, 0x25, 0x2a, 0x28, 0x32, 0x3a, 0x38, 0x42, 0x4a, 0x52, 0x5a, 0x62, 0x6a, 0x70];

/**
 * TensorProto: dims (field 1), then data_type as a varint in field 2, where ModelProto has its producer name. Exporters
 * write such files as `input_0.pb`.
 */
function sniffTensorProto(head: Uint8Array): SniffedFormat | undefined {
  let at = 0;
  while (head[at] === 0x08) {
    // A negative or huge dim takes ten bytes; then this is no tensor that anybody stored.
    const dim = varintAt(head, at + 1);
    if (!dim) return undefined;
    at = dim.next;
  }
  if (at === 0 && head[0] === 0x0a) at = skipLength(head, 1) ?? 0;
  if (head[at] !== 0x10) return undefined;
  const dataType = varintAt(head, at + 1);
  if (!dataType || dataType.value < 1 || dataType.value > 64) return undefined;
  const tag = head[dataType.next];
  if (tag !== undefined && !AFTER_DATA_TYPE.includes(tag)) return undefined;
  return {
    format: 'a single tensor (TensorProto, as in test_data_set_0/input_0.pb)',
    hint: 'that is data: pass its folder with --data, and the model as MODEL',
  };
}

function skipLength(head: Uint8Array, at: number): number | undefined {
  const length = varintAt(head, at);
  return length && length.next + length.value <= head.length ? length.next + length.value : undefined;
}

const FROM_TENSORFLOW = 'convert it: python -m tf2onnx.convert --saved-model DIR --output model.onnx';

/** SavedModel: schema version 1, then a MetaGraphDef, a message, where ModelProto has its producer name, a text. */
function sniffSavedModel(head: Uint8Array): SniffedFormat | undefined {
  if (head[0] !== 0x08 || head[1] !== 0x01 || head[2] !== 0x12) return undefined;
  const length = varintAt(head, 3);
  if (!length || length.value < 64 || head[length.next] !== 0x0a) return undefined;
  return { format: 'a TensorFlow SavedModel', hint: FROM_TENSORFLOW };
}

const FIRST_OPS = /^(Placeholder|PlaceholderWithDefault|PlaceholderV2|Const|NoOp|VarHandleOp|VariableV2)$/;

/** GraphDef: nodes in field 1, each beginning with its name and operator. */
function sniffFrozenGraph(head: Uint8Array): SniffedFormat | undefined {
  if (head[0] !== 0x0a) return undefined;
  const node = varintAt(head, 1);
  if (!node || head[node.next] !== 0x0a) return undefined;
  const op = skipLength(head, node.next + 1);
  if (op === undefined || head[op] !== 0x12) return undefined;
  const length = varintAt(head, op + 1);
  if (!length || length.value > 64) return undefined;
  const name = String.fromCharCode(...head.subarray(length.next, length.next + length.value));
  if (!FIRST_OPS.test(name)) return undefined;
  return {
    format: 'a TensorFlow frozen graph',
    hint: 'convert it: python -m tf2onnx.convert --graphdef FILE --inputs IN:0 --outputs OUT:0 --output model.onnx',
  };
}

/** PaddlePaddle ProgramDesc: block 0 whose parent is −1. */
function sniffPaddle(head: Uint8Array): SniffedFormat | undefined {
  if (head[0] !== 0x0a) return undefined;
  const block = varintAt(head, 1);
  if (!block) return undefined;
  const expected = [0x08, 0x00, 0x10, 0xff, 0xff, 0xff, 0xff];
  if (expected.some((byte, i) => head[block.next + i] !== byte)) return undefined;
  return {
    format: 'a PaddlePaddle program (.pdmodel)',
    hint: 'convert it: paddle2onnx --model_dir DIR --model_filename FILE --save_file model.onnx',
  };
}
