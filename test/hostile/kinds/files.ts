import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { concat, int, lying, message, soundModel, tag, varint } from '../../helpers/wire.js';
import { group, type HostileKind, MODEL_FILE, save } from '../kind.js';

const { refused, loads } = group('B3 files');
const GIB3 = 3 * 1024 ** 3;
/** What the varint of a length near 3 GiB takes. */
const LENGTH_BYTES = 5;

/** A file of 3 GiB that takes no space: `head`, then zeros. */
function sparse(folder: string, head: Uint8Array): string {
  const path = join(folder, MODEL_FILE);
  const fd = openSync(path, 'w');
  writeSync(fd, head);
  ftruncateSync(fd, GIB3);
  closeSync(fd);
  return path;
}

/** `before`, then length-delimited fields inside each other that all reach to the end of the 3 GiB. */
function rest(field: number, before: Uint8Array, ...inner: number[]): Uint8Array {
  let head = before;
  for (const number of [field, ...inner]) {
    const tagged = concat(head, tag(number, 2));
    head = concat(tagged, varint(GIB3 - tagged.length - LENGTH_BYTES));
  }
  return head;
}

const start = concat(int(1, 8), message(8, message(1, ''), int(2, 17)));

export const FILES: readonly HostileKind[] = [
  refused('missing', ['SO2001'], (folder) => join(folder, 'gone.onnx')),
  refused('a folder', ['SO2002'], (folder) => {
    mkdirSync(join(folder, MODEL_FILE));
    return join(folder, MODEL_FILE);
  }),
  refused('a FIFO', ['SO2002'], (folder) => {
    execFileSync('mkfifo', [join(folder, MODEL_FILE)]);
    return join(folder, MODEL_FILE);
  }),
  refused('a device', ['SO2002'], () => '/dev/zero'),
  refused('a symbolic link to itself', ['SO2002'], (folder) => {
    symlinkSync(join(folder, MODEL_FILE), join(folder, MODEL_FILE));
    return join(folder, MODEL_FILE);
  }),
  refused('a path through a file', ['SO2001', 'SO2002'], (folder) => join(save(folder, soundModel()), 'x.onnx')),
  refused('3 GiB of zeros', ['SO2003'], (folder) => sparse(folder, new Uint8Array(0))),
  refused('3 GiB of zeros after a model', ['SO2006'], (folder) => sparse(folder, soundModel())),
  refused('3 GiB as one name', ['SO2104'], (folder) => sparse(folder, rest(2, start))),
  refused('3 GiB as a graph', ['SO2006'], (folder) => sparse(folder, rest(7, start))),
  refused('3 GiB as packed dimensions', ['SO2101', 'SO2104'], (folder) => sparse(folder, rest(7, start, 5, 1))),
  loads('3 GiB as an unknown field', (folder) => sparse(folder, rest(99, soundModel()))),
  refused('a length that ends one byte too late', ['SO2005'], (folder) =>
    save(folder, concat(start, lying(7, 10, new Uint8Array(9)))),
  ),
];
