import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGzip, type Gzip } from 'node:zlib';
import tar from 'tar-stream';
import {
  ARCHIVE_MODE,
  ARCHIVE_TIME,
  type ArchiveFile,
  type ArchiveOptions,
  SOURCE_READ_BYTES,
} from './archive-file.js';

const GZIP_LEVEL = 1;

/**
 * A tar archive compressed by gzip, as a stream of bytes. Every file is in one folder, as TorchServe drops the first part of
 * each path. Files are sorted by path; owners and times are the same everywhere.
 * @param folder name of the top folder
 */
export function tarGzStream(files: readonly ArchiveFile[], folder: string, options: ArchiveOptions = {}): Gzip {
  const pack = tar.pack();
  const zipped = createGzip({ level: GZIP_LEVEL });
  const fail = (error: Error): void => {
    zipped.destroy(error);
    pack.destroy(error);
  };
  pipeline(pack, zipped).catch(fail);
  addAll(pack, files, folder, options).catch(fail);
  return zipped;
}

async function addAll(
  pack: tar.Pack,
  files: readonly ArchiveFile[],
  folder: string,
  { onSource }: ArchiveOptions,
): Promise<void> {
  const common = { mode: ARCHIVE_MODE & 0o777, mtime: ARCHIVE_TIME, uid: 0, gid: 0 };
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const name = `${folder}/${file.path}`;
    if ('bytes' in file) {
      pack.entry({ ...common, name, size: file.bytes.byteLength }, Buffer.from(file.bytes));
      continue;
    }
    const reading = createReadStream(file.source, { highWaterMark: SOURCE_READ_BYTES });
    if (onSource) reading.on('data', (chunk) => onSource(file.path, chunk as Buffer));
    await pipeline(reading, pack.entry({ ...common, name, size: file.sizeBytes }));
  }
  pack.finalize();
}
