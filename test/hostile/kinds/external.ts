import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { ErrorCode } from '../../../src/errors.js';
import {
  type Bytes,
  externalData,
  graph,
  graphAttribute,
  localFunction,
  model,
  node,
  nodeDomain,
  rawData,
  tensor,
  tensorAttribute,
  valueInfo,
} from '../../helpers/wire.js';
import { group, type HostileKind, MODEL_FILE, save } from '../kind.js';

const { refused, loads } = group('11 external data');
const outsideFolder: readonly ErrorCode[] = ['SO2103'];
const unusable: readonly ErrorCode[] = ['SO2102'];
const either: readonly ErrorCode[] = ['SO2102', 'SO2103'];

/** What a file outside of the model's folder says; no message may show it. */
const SECRET = 'TOPSECRET';
const DATA = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

type Entries = readonly (readonly [string, string])[];

function external(entries: Entries, ...extra: Bytes[]): Bytes {
  return tensor('w', 1, [4], ...extra, externalData(entries));
}

function using(weight: Bytes): Bytes {
  return model({
    graph: graph({
      nodes: [node('Identity', ['w'], ['Y'])],
      initializers: [weight],
      outputs: [valueInfo('Y', undefined)],
    }),
  });
}

/** A model with a sound `data.bin` beside it. */
function beside(...entries: Entries): (folder: string) => string {
  return (folder) => {
    writeFileSync(join(folder, 'data.bin'), DATA);
    return save(folder, using(external(entries)));
  };
}

const at = (location: string) => using(external([['location', location]]));

/** A model in a folder of its own, and a secret outside of it. */
function outside(arrange: (modelFolder: string, secret: string) => string): (folder: string) => string {
  return (folder) => {
    const inner = join(folder, 'models');
    mkdirSync(inner);
    const secret = join(folder, 'secret.bin');
    writeFileSync(secret, SECRET.padEnd(16, '!'));
    return save(inner, at(arrange(inner, secret)));
  };
}

const LOCATIONS: readonly (readonly [string, string, readonly ErrorCode[]])[] = [
  ['..', '../secret.bin', outsideFolder],
  ['.. in the middle', 'a/../../secret.bin', outsideFolder],
  ['.. at the end', 'a/..', outsideFolder],
  ['absolute', '/etc/passwd', outsideFolder],
  ['backslash', '..\\secret.bin', outsideFolder],
  ['drive', 'C:secret.bin', outsideFolder],
  ['drive with slash', 'C:/secret.bin', outsideFolder],
  ['UNC', '\\\\server\\share\\x', outsideFolder],
  ['UNC with slashes', '//server/share/x', outsideFolder],
  ['file URL', 'file:///etc/passwd', outsideFolder],
  ['http URL', 'http://127.0.0.1:1/x', outsideFolder],
  ['/dev/zero', '/dev/zero', outsideFolder],
  ['/proc', '/proc/self/environ', outsideFolder],
  ['empty', '', either],
  ['.', '.', outsideFolder],
  ['./', './', outsideFolder],
  ['NUL', 'data.bin\0.txt', outsideFolder],
  ['tilde', '~/secret.bin', unusable],
  ['percent escape', '%2e%2e/secret.bin', unusable],
  ['1 MB long', 'x'.repeat(1_000_000), unusable],
  ['terminal escape', '\u001b[31mx', unusable],
];

const FORMS: readonly (readonly [string, Entries])[] = [
  ['no location', [['offset', '0']]],
  [
    'offset beyond the end',
    [
      ['location', 'data.bin'],
      ['offset', '16'],
    ],
  ],
  [
    'offset over 2^53',
    [
      ['location', 'data.bin'],
      ['offset', '9007199254740993'],
    ],
  ],
  [
    'offset of 2^64',
    [
      ['location', 'data.bin'],
      ['offset', '18446744073709551616'],
    ],
  ],
  [
    'negative offset',
    [
      ['location', 'data.bin'],
      ['offset', '-4'],
    ],
  ],
  [
    'hexadecimal offset',
    [
      ['location', 'data.bin'],
      ['offset', '0x0'],
    ],
  ],
  [
    'offset as float',
    [
      ['location', 'data.bin'],
      ['offset', '0.0'],
    ],
  ],
  [
    'offset with an exponent',
    [
      ['location', 'data.bin'],
      ['offset', '1e0'],
    ],
  ],
  [
    'offset with space',
    [
      ['location', 'data.bin'],
      ['offset', ' 0'],
    ],
  ],
  [
    'empty offset',
    [
      ['location', 'data.bin'],
      ['offset', ''],
    ],
  ],
  [
    'length beyond the end',
    [
      ['location', 'data.bin'],
      ['length', '1000000'],
    ],
  ],
  [
    'length short of the shape',
    [
      ['location', 'data.bin'],
      ['length', '8'],
    ],
  ],
  [
    'negative length',
    [
      ['location', 'data.bin'],
      ['length', '-1'],
    ],
  ],
  [
    'a key twice',
    [
      ['location', 'data.bin'],
      ['location', 'data.bin'],
    ],
  ],
  ['missing file', [['location', 'gone.bin']]],
  ['the model itself', [['location', MODEL_FILE]]],
  ['the model itself, spelt another way', [['location', `./${MODEL_FILE}`]]],
];

export const EXTERNAL: readonly HostileKind[] = [
  ...LOCATIONS.map(([name, location, codes]) => refused(`location ${name}`, codes, at(location))),
  ...FORMS.map(([name, entries]) => refused(name, ['SO2101', 'SO2102'], beside(...entries))),
  refused('data in two places', ['SO2101'], using(external([['location', 'data.bin']], rawData(DATA)))),
  refused('a folder', unusable, (folder) => {
    mkdirSync(join(folder, 'data.bin'));
    return save(folder, at('data.bin'));
  }),
  refused('a FIFO', unusable, (folder) => {
    execFileSync('mkfifo', [join(folder, 'data.bin')]);
    return save(folder, at('data.bin'));
  }),
  refused(
    'a symbolic link out of the folder',
    outsideFolder,
    outside((folder, secret) => {
      symlinkSync(secret, join(folder, 'data.bin'));
      return 'data.bin';
    }),
    { secret: SECRET },
  ),
  refused(
    'a hard link',
    outsideFolder,
    outside((folder, secret) => {
      linkSync(secret, join(folder, 'data.bin'));
      return 'data.bin';
    }),
    { secret: SECRET },
  ),
  refused(
    'a folder that is a symbolic link',
    outsideFolder,
    outside((folder, secret) => {
      symlinkSync(dirname(secret), join(folder, 'weights'));
      return 'weights/secret.bin';
    }),
    { secret: SECRET },
  ),
  refused('a dangling symbolic link', either, (folder) => {
    symlinkSync(join(folder, 'nowhere'), join(folder, 'data.bin'));
    return save(folder, at('data.bin'));
  }),
  refused('an escape in a subgraph', outsideFolder, () => {
    const branch = graph({
      initializers: [external([['location', '../secret.bin']])],
      outputs: [valueInfo('w', undefined)],
    });
    return model({
      graph: graph({
        nodes: [node('If', ['C'], ['Y'], graphAttribute('then_branch', branch))],
        inputs: [valueInfo('C')],
        outputs: [valueInfo('Y')],
      }),
    });
  }),
  refused('an escape in a Constant node', outsideFolder, () =>
    model({
      graph: graph({
        nodes: [node('Constant', [], ['Y'], tensorAttribute('value', external([['location', '../secret.bin']])))],
        outputs: [valueInfo('Y')],
      }),
    }),
  ),
  refused('an escape in a local function', outsideFolder, () =>
    model(
      {
        opsets: [
          ['', 17],
          ['my', 1],
        ],
        graph: graph({ nodes: [node('F', [], ['Y'], nodeDomain('my'))], outputs: [valueInfo('Y')] }),
      },
      localFunction('F', {
        inputs: [],
        outputs: ['b'],
        nodes: [node('Constant', [], ['b'], tensorAttribute('value', external([['location', '../secret.bin']])))],
      }),
    ),
  ),
  refused('__proto__ as a key and no location', unusable, using(external([['__proto__', 'data.bin']]))),
  loads('unknown keys', beside(['__proto__', 'x'], ['location', 'data.bin'], ['constructor', 'y'])),
  loads('a checksum, which is not a promise', beside(['location', 'data.bin'], ['checksum', '0'.repeat(40)])),
  loads(
    'sound data in a folder below',
    (folder) => {
      mkdirSync(join(folder, 'weights'));
      writeFileSync(join(folder, 'weights', 'data.bin'), DATA);
      return save(folder, at('./weights/data.bin'));
    },
    (read) => expect([...(read.graph.values.get('w')?.tensor?.float32Array() ?? [])]).toEqual([1, 2, 3, 4]),
  ),
];
