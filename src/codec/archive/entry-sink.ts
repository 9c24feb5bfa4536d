import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { ServeOptError } from '../../errors.js';
import { writeFully } from '../write-fully.js';
import { ARCHIVE_LIMITS, type ArchiveEntry, type KeepContent, type ReadArchiveOptions } from './archive-entry.js';

/** Reads contents one after another, and keeps those that are asked for. */
export class EntrySink {
  readonly contents: Map<string, Uint8Array> = new Map();
  readonly files: Map<string, string> = new Map();
  readonly #options: ReadArchiveOptions;

  constructor(options: ReadArchiveOptions) {
    this.#options = options;
  }

  /** Reads a content to its end. @returns its CRC-32 and size @throws errors of the stream, SO8130 */
  async take(entry: ArchiveEntry, stream: Readable): Promise<{ readonly crc: number; readonly sizeBytes: number }> {
    const keep = this.#keep(entry);
    const parts: Buffer[] = [];
    const path = join(this.#options.folder, `content-${this.files.size}`);
    const fd = keep === 'file' ? openSync(path, 'wx') : undefined;
    let crc = 0;
    let sizeBytes = 0;
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        if (this.#options.signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted while reading an archive');
        crc = crc32(chunk, crc);
        sizeBytes += chunk.byteLength;
        if (keep === 'memory') parts.push(chunk);
        else if (fd !== undefined) writeFully(fd, chunk);
        this.#options.onBytes?.(chunk.byteLength);
      }
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
    if (keep === 'memory') this.contents.set(entry.path, Buffer.concat(parts));
    if (fd !== undefined) this.files.set(entry.path, path);
    return { crc, sizeBytes };
  }

  /** Only what fits is kept in memory. */
  #keep(entry: ArchiveEntry): KeepContent {
    const keep = this.#options.keep(entry);
    return keep === 'memory' && entry.sizeBytes > ARCHIVE_LIMITS.memoryBytes ? 'nothing' : keep;
  }
}
