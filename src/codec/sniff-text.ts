import type { SniffedFormat } from './sniffed-format.js';

interface TextRow extends SniffedFormat {
  readonly pattern: RegExp;
}

/** First match wins. Patterns see the text without byte order mark and leading white space. */
const TEXTS: readonly TextRow[] = [
  {
    pattern: /^version https:\/\/git-lfs\.github\.com\/spec\//,
    format: 'a Git LFS pointer',
    hint: 'the file itself was never downloaded: git lfs pull',
  },
  {
    pattern: /^(<!--[^>]*-->\s*)?<(!doctype html|html|head|body)\b/i,
    format: 'an HTML page',
    hint: 'the download returned a web page, perhaps an error or login page: use the direct link of the file (on Hugging Face "resolve", on GitHub "raw")',
  },
  {
    pattern: /^(<\?xml[^>]*>\s*)?<net\b/,
    format: 'an OpenVINO model (.xml)',
    hint: 'give the ONNX model that it was converted from',
  },
  {
    pattern: /^(<\?xml[^>]*>\s*)?<Error>/,
    format: 'an XML error of a download server',
    hint: 'the link has expired or needs a login: download the model again',
  },
  { pattern: /^<\?xml\b/, format: 'an XML file', hint: 'give the .onnx file instead' },
  {
    pattern: /^<[^>]*\b(ir_version|opset_import)\s*:|^\w+\s*\([^)]*\)\s*=>\s*\(/,
    format: 'a model in the ONNX text syntax',
    hint: 'save it as protobuf first: onnx.save(onnx.parser.parse_model(text), "model.onnx")',
  },
  {
    pattern: /^ir_version\s*:\s*\d|^graph\s*\{/,
    format: 'a model in protobuf text format',
    hint: 'save it as protobuf first: onnx.save(onnx.load(FILE, format="textproto"), "model.onnx")',
  },
  {
    pattern: /^\{\s*"(irVersion|opsetImport|producerName)"/,
    format: 'an ONNX model as JSON',
    hint: 'save it as protobuf first: onnx.save(onnx.load(FILE, format="json"), "model.onnx")',
  },
  {
    pattern: /^node\s*\{/,
    format: 'a TensorFlow graph in text format',
    hint: 'convert it: python -m tf2onnx.convert --saved-model DIR --output model.onnx',
  },
  { pattern: /^7767517\s/, format: 'an ncnn model', hint: 'give the ONNX model that it was converted from' },
  { pattern: /^tree\nversion=v/, format: 'a LightGBM model', hint: 'convert it with onnxmltools.convert_lightgbm' },
  {
    pattern: /^c(copy_reg|__builtin__|builtins|os|posix|nt|subprocess|sys)\n/,
    format: 'a Python pickle',
    hint: 'pickles are never opened; export the model to ONNX where it was made',
  },
  { pattern: /^[{[]/, format: 'JSON', hint: 'give the .onnx file instead' },
  { pattern: /^/, format: 'a text file', hint: 'give the .onnx file; open this one to read it' },
];

const UTF16_HINT = 'give the .onnx file; if this is one, a copy as text has broken it: copy it as binary';

/** Recognizes text. A ModelProto has control characters (tags and lengths) all over its first bytes. */
export function sniffText(head: Uint8Array): SniffedFormat | undefined {
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    return { format: 'UTF-16 text', hint: UTF16_HINT };
  }
  const text = textOf(head)?.trimStart();
  if (text === undefined) return undefined;
  const row = TEXTS.find(({ pattern }) => pattern.test(text));
  return row && { format: row.format, hint: row.hint };
}

/** The head as text, or undefined when it holds control characters or is not UTF-8. A character cut at the end is forgiven. */
function textOf(head: Uint8Array): string | undefined {
  for (const byte of head) {
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x0c) return undefined;
    if (byte === 0x7f) return undefined;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
  } catch {
    return undefined;
  }
}
