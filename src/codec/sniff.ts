import { sniffProtobuf } from './sniff-protobuf.js';
import { sniffText } from './sniff-text.js';
import type { SniffedFormat } from './sniffed-format.js';

interface MagicRow extends SniffedFormat {
  /** Bytes in Latin-1, at `offset`. */
  readonly magic: string;
  readonly offset?: number;
}

const DECOMPRESS = 'decompress it first, then give the .onnx file inside';
const FROM_PYTORCH = 'export it with torch.onnx.export(...), then give the .onnx file';
const WRONG_FILE = 'give the .onnx file instead';

/** Formats with a fixed signature. None is the beginning of a plausible ModelProto. */
const MAGICS: readonly MagicRow[] = [
  { magic: '\x1f\x8b', format: 'a gzip archive', hint: `${DECOMPRESS}: gunzip FILE` },
  { magic: 'BZh', format: 'a bzip2 archive', hint: `${DECOMPRESS}: bunzip2 FILE` },
  { magic: '\xfd7zXZ\0', format: 'an xz archive', hint: `${DECOMPRESS}: unxz FILE` },
  { magic: '\x28\xb5\x2f\xfd', format: 'a Zstandard archive', hint: `${DECOMPRESS}: unzstd FILE` },
  { magic: '7z\xbc\xaf\x27\x1c', format: 'a 7-Zip archive', hint: DECOMPRESS },
  { magic: 'Rar!\x1a\x07', format: 'a RAR archive', hint: DECOMPRESS },
  { magic: 'ustar', offset: 257, format: 'a tar archive', hint: `${DECOMPRESS}: tar -xf FILE` },
  {
    magic: '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20',
    format: 'a PyTorch checkpoint (legacy pickle)',
    hint: `${FROM_PYTORCH}; pickles are never opened`,
  },
  {
    magic: 'GGUF',
    format: 'a GGUF model (llama.cpp)',
    hint: 'serve-opt works on ONNX: export the original model to it',
  },
  {
    magic: '\x89HDF\r\n\x1a\n',
    format: 'an HDF5 file (Keras)',
    hint: 'convert it: python -m tf2onnx.convert --keras FILE',
  },
  {
    magic: 'ptrt',
    format: 'a TensorRT engine',
    hint: 'an engine cannot be converted back: give the ONNX model that it was built from',
  },
  {
    magic: 'ftrt',
    format: 'a TensorRT engine',
    hint: 'an engine cannot be converted back: give the ONNX model that it was built from',
  },
  {
    magic: '\x93NUMPY',
    format: 'a NumPy array (.npy)',
    hint: 'that is data: pass it with --data, and the model as MODEL',
  },
  { magic: '\x89PNG\r\n\x1a\n', format: 'a PNG image', hint: WRONG_FILE },
  { magic: '\xff\xd8\xff', format: 'a JPEG image', hint: WRONG_FILE },
  { magic: 'GIF8', format: 'a GIF image', hint: WRONG_FILE },
  { magic: '%PDF-', format: 'a PDF document', hint: WRONG_FILE },
  { magic: '\x7fELF', format: 'an ELF program or library', hint: WRONG_FILE },
  { magic: 'MZ\x90\0', format: 'a Windows program or library', hint: WRONG_FILE },
  { magic: 'SQLite format 3\0', format: 'a SQLite database', hint: WRONG_FILE },
  { magic: 'PAR1', format: 'a Parquet file', hint: WRONG_FILE },
];

/**
 * Recognizes what a file is when it is not an ONNX model, from its first bytes (4 KiB are enough). Undefined when it may
 * be an ONNX model, or is nothing known.
 */
export function sniffFormat(head: Uint8Array): SniffedFormat | undefined {
  if (head.length === 0) return { format: 'an empty file', hint: 'download or export the model again' };
  if (head.length >= 16 && head.every((byte) => byte === 0)) {
    return { format: 'a file of zeros', hint: 'the copy or download did not finish: get the model again' };
  }
  const latin1 = latin1Of(head);
  const row = MAGICS.find(({ magic, offset = 0 }) => latin1.startsWith(magic, offset));
  if (row) return { format: row.format, hint: row.hint };
  return (
    sniffZip(latin1) ??
    sniffPickle(head) ??
    sniffFlatBuffer(head, latin1) ??
    sniffSafetensors(head) ??
    sniffText(head) ??
    sniffProtobuf(head)
  );
}

/** One character a byte, so that signatures can be compared as strings. */
function latin1Of(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** A first entry, an empty archive, an archive in parts. */
const ZIP_MAGICS = ['PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08'];

/** What a zip holds shows in its first entry names (local headers; the names stand plain in the bytes). */
function sniffZip(latin1: string): SniffedFormat | undefined {
  if (!ZIP_MAGICS.some((magic) => latin1.startsWith(magic))) return undefined;
  if (/\/data\.pkl|\/byteorder|\/constants\.pkl|\.data\/serialization_id/.test(latin1)) {
    return { format: 'a PyTorch checkpoint (zip with a pickle)', hint: `${FROM_PYTORCH}; pickles are never opened` };
  }
  const first = latin1.slice(30, 30 + latin1.charCodeAt(26) + 256 * latin1.charCodeAt(27));
  if (first.endsWith('.npy')) {
    return { format: 'NumPy arrays (.npz)', hint: 'that is data: pass it with --data, and the model as MODEL' };
  }
  if (first.startsWith('MAR-INF/') || latin1.includes('MAR-INF/MANIFEST.json')) {
    return { format: 'a TorchServe archive (.mar)', hint: 'unpack it and give the .onnx file inside' };
  }
  if (/^(metadata|config)\.json$|\.weights\.h5$/.test(first)) {
    return { format: 'a Keras model (.keras)', hint: 'convert it: python -m tf2onnx.convert --keras FILE' };
  }
  return { format: 'a zip archive', hint: 'unzip it and give the .onnx file inside' };
}

/** Pickle protocols 2 to 5: PROTO, then an opcode that pickles really begin with. */
function sniffPickle(head: Uint8Array): SniffedFormat | undefined {
  const [first, protocol = 0, opcode = 0] = head;
  if (first !== 0x80 || protocol < 2 || protocol > 5) return undefined;
  if (head.length > 2 && !'\x95}](c)XJKM\x8a\x8c\x88N.B\x8e'.includes(String.fromCharCode(opcode))) return undefined;
  return { format: 'a Python pickle', hint: `pickles are never opened; ${FROM_PYTORCH} or with skl2onnx` };
}

/** FlatBuffers: a root offset of 32 bits, then the file identifier. */
function sniffFlatBuffer(head: Uint8Array, latin1: string): SniffedFormat | undefined {
  // A root offset under 1 MiB ends in a zero byte, which no ModelProto has there before one of these words.
  if (head[3] !== 0 || (head[2] ?? 0) >= 16) return undefined;
  const identifier = latin1.slice(4, 8);
  if (identifier === 'ORTM') {
    return { format: 'an ONNX Runtime model (.ort)', hint: 'give the .onnx model that the .ort file was made from' };
  }
  if (identifier === 'TFL3') {
    return {
      format: 'a TensorFlow Lite model',
      hint: 'convert it: python -m tf2onnx.convert --tflite FILE --output model.onnx',
    };
  }
  return undefined;
}

/** safetensors: the length of a JSON header in 64 bits, then the header. */
function sniffSafetensors(head: Uint8Array): SniffedFormat | undefined {
  if (head.length < 10 || head[8] !== 0x7b || (head[9] !== 0x22 && head[9] !== 0x7d)) return undefined;
  const headerLength = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
  if (headerLength < 2n || headerLength > 100n * 1024n * 1024n) return undefined;
  return {
    format: 'safetensors weights',
    hint: 'that file has weights but no graph: export the model, for example optimum-cli export onnx --model NAME DIR',
  };
}
