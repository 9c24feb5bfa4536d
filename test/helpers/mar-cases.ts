/** Archives for TorchServe, each with one fault or trap, and what a real TorchServe 0.12 does with it. */
import { gzipSync } from 'node:zlib';
import { type ZipMember, zip } from './zip.js';

export interface MarCase {
  /** Also the name on the server. */
  readonly name: string;
  readonly ending: '.mar' | '.tar.gz';
  readonly bytes: Buffer;
  /** What TorchServe does: refuses it or cannot start a worker, or loads it. */
  readonly server: 'refused' | 'loaded';
  /** The worst that the check says. */
  readonly finding: 'error' | 'warning' | 'note' | 'clean';
  /** A rule that must be among the findings. */
  readonly rule?: string;
}

type Files = Readonly<Record<string, string>>;

const MANIFEST = {
  createdOn: '01/01/1980 00:00:00',
  runtime: 'python',
  model: { modelName: 'm', serializedFile: 'model.txt', handler: 'h.py', modelVersion: '1.0' },
  archiverVersion: '0.12.0',
};
const HANDLER = 'def handle(data, context):\n    return None if data is None else ["ok"] * len(data)\n';

/** A sound archive whose handler answers "ok". */
export const SOUND: Files = {
  'MAR-INF/MANIFEST.json': JSON.stringify(MANIFEST, undefined, 2),
  'h.py': HANDLER,
  'model.txt': 'weights',
};

/** The manifest with other fields of the model; undefined takes one away. */
function manifest(model: Readonly<Record<string, unknown>>, top: Readonly<Record<string, unknown>> = {}): Files {
  return {
    ...SOUND,
    'MAR-INF/MANIFEST.json': JSON.stringify({ ...MANIFEST, ...top, model: { ...MANIFEST.model, ...model } }),
  };
}

function withConfig(yaml: string): Files {
  return { ...manifest({ configFile: 'c.yaml' }), 'c.yaml': yaml };
}

function members(files: Files): ZipMember[] {
  return Object.entries(files).map(([name, text]) => ({ name, data: Buffer.from(text), deflate: true }));
}

function without(files: Files, name: string): Files {
  return Object.fromEntries(Object.entries(files).filter(([each]) => each !== name));
}

type Expected = Pick<MarCase, 'server' | 'finding'> & { readonly rule?: string };

const refused = (rule: string): Expected => ({ server: 'refused', finding: 'error', rule: `mar/${rule}` });
/** Loaded, and an error all the same: for other programs, or for what is in it. */
const unsafe = (rule: string): Expected => ({ server: 'loaded', finding: 'error', rule: `mar/${rule}` });
const ignored = (rule: string): Expected => ({ server: 'loaded', finding: 'warning', rule: `mar/${rule}` });
const clean: Expected = { server: 'loaded', finding: 'clean' };

const FILES: readonly (readonly [name: string, files: Files, expected: Expected])[] = [
  ['sound', SOUND, clean],
  ['no-manifest', without(SOUND, 'MAR-INF/MANIFEST.json'), refused('manifest-missing')],
  [
    'manifest-elsewhere',
    { ...without(SOUND, 'MAR-INF/MANIFEST.json'), 'MANIFEST.json': SOUND['MAR-INF/MANIFEST.json'] ?? '' },
    refused('manifest-missing'),
  ],
  ['manifest-not-json', { ...SOUND, 'MAR-INF/MANIFEST.json': '{"model": {' }, refused('manifest-json')],
  ['manifest-a-list', { ...SOUND, 'MAR-INF/MANIFEST.json': '[]' }, refused('manifest-json')],
  ['manifest-without-model', { ...SOUND, 'MAR-INF/MANIFEST.json': '{"runtime": "python"}' }, refused('manifest-model')],
  [
    'model-null',
    { ...SOUND, 'MAR-INF/MANIFEST.json': '{"runtime": "python", "model": null}' },
    refused('manifest-model'),
  ],
  ['no-name', manifest({ modelName: undefined }), refused('manifest-name')],
  [
    'no-version',
    manifest({ modelVersion: undefined }),
    { server: 'loaded', finding: 'note', rule: 'mar/manifest-version' },
  ],
  ['no-runtime', manifest({}, { runtime: undefined }), clean],
  ['runtime-unknown', manifest({}, { runtime: 'ruby' }), refused('manifest-runtime')],
  ['runtime-python2', manifest({}, { runtime: 'python2' }), refused('manifest-runtime')],
  ['no-created-on', manifest({}, { createdOn: undefined, archiverVersion: undefined }), clean],
  ['unknown-key', manifest({ modelVerison: '2.0' }), ignored('manifest-key')],
  ['name-a-list', manifest({ modelName: ['m'] }), refused('manifest-type')],
  ['no-handler', manifest({ handler: undefined }), refused('handler-missing')],
  ['handler-absent', manifest({ handler: 'other.py' }), refused('handler-missing')],
  ['handler-without-ending', manifest({ handler: 'h' }), clean],
  ['handler-function', manifest({ handler: 'h.py:handle' }), clean],
  ['handler-function-absent', manifest({ handler: 'h.py:other' }), refused('handler-class')],
  [
    'handler-two-classes',
    { ...SOUND, 'h.py': 'class A:\n    pass\n\n\nclass B:\n    pass\n' },
    refused('handler-class'),
  ],
  ['handler-no-class', { ...SOUND, 'h.py': 'x = 1\n' }, refused('handler-class')],
  ['no-serialized-file', manifest({ serializedFile: undefined }), ignored('serialized-missing')],
  ['serialized-absent', manifest({ serializedFile: 'other.onnx' }), unsafe('file-missing')],
  ['serialized-outside', manifest({ serializedFile: '../other.onnx' }), unsafe('manifest-path')],
  ['requirements-absent', manifest({ requirementsFile: 'requirements.txt' }), ignored('file-missing')],
  [
    'requirements-elsewhere',
    { ...manifest({ requirementsFile: 'r.txt' }), 'r.txt': '--index-url https://example.com/\nnumpy\n' },
    ignored('requirement-source'),
  ],
  [
    'requirements-torch',
    { ...manifest({ requirementsFile: 'r.txt' }), 'r.txt': '# runtime\ntorch==2.0\n' },
    ignored('requirement-torch'),
  ],
  ['config', withConfig('minWorkers: 1\nmaxWorkers: 1\nbatchSize: 2\nhandler:\n  a: 1\n'), clean],
  ['config-empty', withConfig('# nothing\n'), refused('config-yaml')],
  ['config-absent', manifest({ configFile: 'c.yaml' }), refused('file-missing')],
  ['config-not-yaml', withConfig('a: [1\n'), refused('config-yaml')],
  ['config-near-miss', withConfig('batchsize: 4\n'), ignored('config-key')],
  ['config-wrong-type', withConfig('batchSize: four\n'), ignored('config-value')],
  ['config-quoted-number', withConfig('maxBatchDelay: "10"\n'), ignored('config-value')],
  ['config-zero-batch', withConfig('batchSize: 0\n'), ignored('config-value')],
  ['config-unknown-device', withConfig('deviceType: tpu\n'), ignored('config-value')],
  ['config-twice', withConfig('batchSize: 1\nbatchSize: 2\n'), ignored('config-duplicate')],
  [
    'model-file',
    { ...manifest({ modelFile: 'net.py', serializedFile: 'model.onnx' }), 'net.py': 'x = 1\n', 'model.onnx': '' },
    unsafe('model'),
  ],
  ['model-not-onnx', { ...manifest({ serializedFile: 'model.onnx' }), 'model.onnx': 'not a model' }, unsafe('model')],
  ['pickle', { ...SOUND, 'weights.pkl': 'x' }, ignored('pickle')],
  ['leftovers', { ...SOUND, '__pycache__/h.pyc': 'x' }, ignored('leftover')],
  ['nested', { ...SOUND, 'data/deep/er/table.bin': 'x' }, clean],
  ['parent', { ...SOUND, '../outside.txt': 'x' }, refused('path')],
  ['absolute', { ...SOUND, '/absolute.txt': 'x' }, unsafe('path')],
  ['backslash', { ...SOUND, 'a\\b.txt': 'x' }, unsafe('path')],
  ['nul', { ...SOUND, 'a\0b.txt': 'x' }, refused('path')],
  ['folded', { ...SOUND, 'Data.txt': 'x', 'data.txt': 'y' }, unsafe('duplicate')],
  ['long-name', { ...SOUND, [`${'n'.repeat(256)}.txt`]: 'x' }, refused('path')],
];

const SOUND_MEMBERS = members(SOUND);

const ZIPS: readonly (readonly [name: string, bytes: Buffer, expected: Expected])[] = [
  ['stored', zip(SOUND_MEMBERS.map((each) => ({ ...each, deflate: false }))), clean],
  ['streamed', zip(SOUND_MEMBERS.map((each) => ({ ...each, streamed: true }))), clean],
  [
    'stored-streamed',
    zip(SOUND_MEMBERS.map((each) => ({ ...each, deflate: false, streamed: true }))),
    refused('stored-stream'),
  ],
  ['twice', zip([...SOUND_MEMBERS, { name: 'h.py', data: Buffer.from(HANDLER) }]), unsafe('duplicate')],
  [
    'link',
    zip([...SOUND_MEMBERS, { name: 'l.txt', data: Buffer.from('/etc/hostname'), mode: 0o120777 }]),
    unsafe('link'),
  ],
  [
    'other-local-name',
    zip(SOUND_MEMBERS.map((each) => (each.name === 'h.py' ? { ...each, localName: 'i.py' } : each))),
    refused('header'),
  ],
  [
    'bytes-before',
    zip(SOUND_MEMBERS.map((each, index) => (index === 0 ? { ...each, before: Buffer.from('#!/bin/sh\n') } : each))),
    refused('gap'),
  ],
  [
    'wrong-checksum',
    zip(SOUND_MEMBERS.map((each) => (each.name === 'model.txt' ? { ...each, claims: { crc: 1 } } : each))),
    refused('damaged'),
  ],
  [
    'unknown-method',
    zip(SOUND_MEMBERS.map((each) => (each.name === 'model.txt' ? { ...each, claims: { method: 99 } } : each))),
    refused('compression'),
  ],
  [
    'encrypted',
    zip(SOUND_MEMBERS.map((each) => (each.name === 'model.txt' ? { ...each, claims: { flags: 0x801 } } : each))),
    refused('encrypted'),
  ],
  ['cut', zip(SOUND_MEMBERS).subarray(0, 200), refused('unreadable')],
  ['empty-file', Buffer.alloc(0), refused('unreadable')],
];

/** A block of a tar file with the header of a file, or of a link. */
function tarHeader(name: string, size: number, link = ''): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write('0000644\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write(link === '' ? '0' : '2', 156);
  block.write(link, 157);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function tarGz(files: Files, links: Files = {}): Buffer {
  const blocks: Buffer[] = [];
  for (const [name, text] of Object.entries(files)) {
    const data = Buffer.from(text);
    blocks.push(tarHeader(name, data.length), data, Buffer.alloc((512 - (data.length % 512)) % 512));
  }
  for (const [name, target] of Object.entries(links)) blocks.push(tarHeader(name, 0, target));
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

function under(folder: string, files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}${name}`, text]));
}

const TARS: readonly (readonly [name: string, bytes: Buffer, expected: Expected])[] = [
  ['tar-top-folder', tarGz(under('m/', SOUND)), clean],
  ['tar-dot-slash', tarGz(under('./', SOUND)), clean],
  ['tar-at-the-root', tarGz(SOUND), refused('top-folder')],
  ['tar-two-folders', tarGz({ ...under('m/', SOUND), 'n/x.txt': 'x' }), ignored('top-folder')],
  ['tar-link', tarGz(under('m/', SOUND), { 'm/l.txt': '/etc/hostname' }), unsafe('link')],
  ['tar-parent', tarGz({ ...under('m/', SOUND), 'm/../../x.txt': 'x' }), refused('path')],
  ['tar-cut', tarGz(under('m/', SOUND)).subarray(0, 100), refused('unreadable')],
  ['zip-named-tar', zip(SOUND_MEMBERS), refused('ending')],
];

/** Every case. */
export function marCases(): readonly MarCase[] {
  return [
    ...FILES.map(
      ([name, files, expected]): MarCase => ({ name, ending: '.mar', bytes: zip(members(files)), ...expected }),
    ),
    ...ZIPS.map(([name, bytes, expected]): MarCase => ({ name, ending: '.mar', bytes, ...expected })),
    ...TARS.map(([name, bytes, expected]): MarCase => ({ name, ending: '.tar.gz', bytes, ...expected })),
  ];
}
