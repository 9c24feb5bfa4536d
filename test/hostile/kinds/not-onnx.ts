import { gzipSync } from 'node:zlib';
import { concat, int, latin1, message, rawData, tensor, text } from '../../helpers/wire.js';
import { group, type HostileKind } from '../kind.js';

const { refused } = group('1 not ONNX');
const other = ['SO2003'] as const;

/** A zip archive with one stored entry, as far as a reader looks at the beginning. */
function zip(name: string, content: string): Uint8Array {
  const header = new Uint8Array(26);
  header.set([0x50, 0x4b, 3, 4, 20]);
  new DataView(header.buffer).setUint32(18, content.length, true);
  new DataView(header.buffer).setUint32(22, content.length, true);
  return concat(header, Uint8Array.of(name.length, 0, 0, 0), text(name), text(content));
}

/** A repeatable stream of bytes without structure. */
function noise(size: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

export const NOT_ONNX: readonly HostileKind[] = [
  refused('empty', ['SO2004'], ''),
  refused('text', other, 'This is my model.\n'),
  refused('Git LFS pointer', other, 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 97817345\n'),
  refused('HTML 404 page', other, '<!DOCTYPE html>\n<html><head><title>404</title></head></html>'),
  refused('gzip', other, () => gzipSync(text('model'))),
  refused('gzip bomb', other, () => gzipSync(new Uint8Array(64 * 1024 * 1024))),
  refused('zip that climbs out', other, zip('../../../../tmp/evil.onnx', 'evil')),
  refused('PyTorch zip', other, zip('archive/data.pkl', '\x80\x02}q\x00.')),
  refused('pickle', other, latin1('\x80\x04\x95\x1e\0\0\0\0\0\0\0\x8c\x05posix\x8c\x06system\x93\x8c\x04true\x85R.')),
  refused('text pickle', other, "cos\nsystem\n(S'true'\ntR."),
  refused('safetensors', other, concat(latin1('\x02\0\0\0\0\0\0\0'), text('{}'))),
  refused(
    'safetensors with a huge header',
    ['SO2003', 'SO2005', 'SO2006'],
    concat(new Uint8Array(8).fill(255), text('{"')),
  ),
  refused('GGUF', other, latin1('GGUF\x03\0\0\0\0\0\0\0')),
  refused('ORT flatbuffer', other, latin1('\x20\0\0\0ORTM\0\0\0\0')),
  refused('TFLite', other, latin1('\x20\0\0\0TFL3\0\0\0\0')),
  refused('Keras HDF5', other, latin1('\x89HDF\r\n\x1a\n\0\0\0\0')),
  refused('TensorFlow SavedModel', other, concat(int(1, 1), message(2, message(1, 'x'.repeat(100))))),
  refused('bare TensorProto', other, tensor('w', 1, [2], rawData(new Uint8Array(8)))),
  refused('bare NodeProto', ['SO2003', 'SO2006'], concat(message(1, 'X'), message(2, 'Y'), message(4, 'Neg'))),
  refused('TensorRT engine', other, latin1('ptrt\0\0\0\0\x01')),
  refused('UTF-16 text', other, latin1('\xff\xfem\0o\0d\0e\0l\0')),
  refused('model as JSON', other, '{"irVersion": "8", "graph": {}}'),
  refused('model as text', other, '<ir_version: 8, opset_import: ["": 17]> g (float X) => (float X) {}'),
  refused('PNG', other, latin1('\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR')),
  refused('ELF program', other, latin1('\x7fELF\x02\x01\x01\0')),
  refused('zeros', other, new Uint8Array(4096)),
  ...Array.from({ length: 20 }, (_, i) =>
    refused(`random bytes ${i + 1}`, ['SO2003', 'SO2005', 'SO2006', 'SO2007'], () => noise(300, i + 1)),
  ),
];
