import { createReadStream, type ReadStream } from 'node:fs';
import type { PassThrough } from 'node:stream';
import yazl from 'yazl';
import { ServeOptError } from '../../errors.js';
import { ARCHIVE_MODE, type ArchiveFile, type ArchiveOptions, SOURCE_READ_BYTES } from './archive-file.js';

/** Weights hardly shrink more with more effort. */
const STREAM_LEVEL = 1;
const TEXT_LEVEL = 9;

/** The largest size and offset without the 64-bit form. */
const LARGEST_32 = 0xffff_fffe;

/** Before the time that zip files begin with: the writer then stores that, in any time zone. */
const BEFORE_ZIP_TIME = new Date(0);

/**
 * A zip archive as a stream of bytes, with 64-bit sizes where they are needed. Files with their bytes at hand come first,
 * then the others by size: equal files give equal archives, whatever their order. Files are deflated, never stored: sizes of
 * streamed files follow their data, and Java's ZipInputStream, which TorchServe reads with, takes that for deflated files only.
 * @throws SO3515 for files of which a reader of streams could not tell the ends
 */
export function zipStream(files: readonly ArchiveFile[], { onSource }: ArchiveOptions = {}): PassThrough {
  const inOrder = zipOrder(files);
  checkOffsets(inOrder);
  const zip = new yazl.ZipFile();
  const output = zip.outputStream as PassThrough;
  // Errors of the inputs come on the archive, not on its stream.
  zip.on('error', (error: Error) => output.destroy(error));
  let reading: ReadStream | undefined;
  output.once('close', () => reading?.destroy());
  const common = { mtime: BEFORE_ZIP_TIME, mode: ARCHIVE_MODE, forceDosTimestamp: true };
  for (const file of inOrder) {
    if ('bytes' in file) {
      zip.addBuffer(Buffer.from(file.bytes), file.path, { ...common, compressionLevel: TEXT_LEVEL });
      continue;
    }
    const options = { ...common, size: file.sizeBytes, compressionLevel: STREAM_LEVEL };
    zip.addReadStreamLazy(file.path, options, (ready) => {
      reading = createReadStream(file.source, { highWaterMark: SOURCE_READ_BYTES });
      reading.once('error', (error) => output.destroy(error));
      if (onSource) reading.on('data', (chunk) => onSource(file.path, chunk as Buffer));
      ready(null, reading);
    });
  }
  zip.end();
  return output;
}

/** Files with their bytes at hand by path, then those to stream, smallest first. */
function zipOrder(files: readonly ArchiveFile[]): readonly ArchiveFile[] {
  const size = (file: ArchiveFile): number => ('bytes' in file ? -1 : file.sizeBytes);
  return [...files].sort((a, b) => size(a) - size(b) || (a.path < b.path ? -1 : 1));
}

/**
 * Behind 4 GiB the sizes after a streamed file have 64 bits even where the file is small, and readers of streams judge by
 * the file: they would take the second half for the next file. Only the last file may be so.
 */
function checkOffsets(files: readonly ArchiveFile[]): void {
  let offset = 0;
  for (const [index, file] of files.entries()) {
    const size = 'bytes' in file ? file.bytes.byteLength : file.sizeBytes;
    const unclear = 'source' in file && offset > LARGEST_32 && size <= LARGEST_32;
    if (unclear && index < files.length - 1) {
      throw new ServeOptError('SO3515', `"${file.path}" cannot be archived: it comes after more than 4 GiB of others`, {
        why: 'TorchServe reads zip files as a stream, which is not clear behind 4 GiB',
        hint: 'add --format folder or --format tgz',
      });
    }
    offset += size;
  }
}
