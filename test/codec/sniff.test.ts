import { describe, expect, it } from 'vitest';
import { sniffFormat } from '../../src/codec/sniff.js';

const latin1 = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const zip = (name: string, rest = '') =>
  latin1(`PK\x03\x04${'\0'.repeat(22)}${String.fromCharCode(name.length, 0)}\0\0${name}${rest}`);

describe('sniffFormat', () => {
  it.each<[string, Uint8Array, string]>([
    ['nothing', latin1(''), 'empty file'],
    ['zeros', new Uint8Array(64), 'zeros'],
    [
      'an LFS pointer',
      latin1('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n'),
      'Git LFS pointer',
    ],
    ['a web page', latin1('\n<!DOCTYPE html><html><title>404</title>'), 'HTML page'],
    ['an S3 error', latin1('<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>'), 'download server'],
    ['OpenVINO', latin1('<?xml version="1.0"?>\n<net name="x" version="11">'), 'OpenVINO'],
    ['gzip', latin1('\x1f\x8b\x08\0\0\0'), 'gzip'],
    ['a PyTorch zip', zip('archive/data.pkl', 'PK'), 'PyTorch checkpoint (zip'],
    ['a legacy PyTorch file', latin1('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8'), 'PyTorch checkpoint (legacy'],
    ['a TorchServe archive', zip('MAR-INF/MANIFEST.json'), 'TorchServe'],
    ['an npz', zip('x.npy'), '.npz'],
    ['Keras 3', zip('metadata.json'), 'Keras'],
    ['another zip', zip('model.onnx'), 'zip archive'],
    ['a pickle', latin1('\x80\x04\x95\x10\0\0\0\0\0\0\0'), 'pickle'],
    ['a text pickle', latin1("cos\nsystem\n(S'true'\ntR."), 'pickle'],
    ['safetensors', latin1('\x10\0\0\0\0\0\0\0{"a":{"dtype":"F32"'), 'safetensors'],
    ['GGUF', latin1('GGUF\x03\0\0\0'), 'GGUF'],
    ['an ORT model', latin1('\x1c\0\0\0ORTM\0\0'), '.ort'],
    ['TFLite', latin1('\x1c\0\0\0TFL3\0\0'), 'TensorFlow Lite'],
    ['HDF5', latin1('\x89HDF\r\n\x1a\n\0'), 'HDF5'],
    ['a SavedModel', latin1(`\x08\x01\x12\xc8\x01\x0a\x10${'\0'.repeat(40)}`), 'SavedModel'],
    ['a frozen graph', latin1('\x0a\x1b\x0a\x05input\x12\x0bPlaceholder'), 'frozen graph'],
    ['a Paddle program', latin1(`\x0a\xd3\x05\x08\0\x10${'\xff'.repeat(9)}\x01`), 'PaddlePaddle'],
    ['a tensor', latin1('\x08\x01\x08\x03\x10\x01\x42\x01x\x4a\x0c'), 'single tensor'],
    ['a TensorRT engine', latin1('ptrt\0\0\0\0'), 'TensorRT engine'],
    ['ONNX text', latin1('<ir_version: 8, opset_import: ["": 17]> g () => () {}'), 'ONNX text'],
    ['textproto', latin1('ir_version: 8\ngraph {\n'), 'protobuf text'],
    ['ONNX JSON', latin1('{\n  "irVersion": "8"'), 'as JSON'],
    ['JSON', latin1('{"a": 1}'), 'JSON'],
    ['UTF-16', latin1('\xff\xfeo\0n\0'), 'UTF-16'],
    ['plain text', latin1('hello'), 'text file'],
    ['an ELF file', latin1('\x7fELF\x02'), 'ELF'],
    ['a PNG', latin1('\x89PNG\r\n\x1a\n'), 'PNG'],
    ['an npy', latin1('\x93NUMPY\x01'), '.npy'],
  ])('names %s and what to do', (_, head, format) => {
    const found = sniffFormat(head);
    expect(found?.format).toContain(format);
    expect(found?.hint).toMatch(/\S/);
  });

  it.each<[string, string]>([
    ['the usual beginning', '\x08\x08\x12\x07pytorch\x1a\x052.0.1:\xff\x01\x0a'],
    ['IR version 1 with a producer', '\x08\x01\x12\x06CNTK10'],
    ['the graph first', ':\x08\x0a\x04\x0a\x01x\x12'],
    ['the metadata first', 'r\x06\x0a\x01a\x12\x01b'],
    ['a producer called like another format', '\x08\x08\x12\x04ORTM'],
    ['only an IR version', '\x08\x08'],
    ['no sense at all', '\x9c\x12\xf3\x01\x88'],
  ])('leaves to the parser what may be ONNX: %s', (_, head) => {
    expect(sniffFormat(latin1(head))).toBeUndefined();
  });
});
