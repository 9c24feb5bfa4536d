import { basename } from 'node:path';
import type { ReportFile, ReportModel } from '../report/types.js';
import { FileHash, hashedSize } from './file-hash.js';

/** The hashes of files while they are read and written, so that reports cost no pass of their own. */
export class FileHashes {
  readonly #hashes: Map<string, FileHash> = new Map();

  /** Starts hashing a complete file beside other work. */
  begin(path: string): void {
    this.#of(path).advance(hashedSize(path));
  }

  /** Tells how far a file has been written. */
  advance(path: string, doneBytes: number): void {
    this.#of(path).advance(doneBytes);
  }

  /** What a report says of a file: its name without folder, size and hash. */
  async file(path: string): Promise<ReportFile & { readonly sha256: string }> {
    const sizeBytes = hashedSize(path);
    return { name: basename(path), sizeBytes, sha256: await this.#of(path).digest(sizeBytes) };
  }

  /** A model file with the data files beside it. */
  async model(path: string, dataPaths: readonly string[]): Promise<ReportModel> {
    const file = await this.file(path);
    if (dataPaths.length === 0) return file;
    const externalData: ReportFile[] = [];
    for (const dataPath of dataPaths) externalData.push(await this.file(dataPath));
    return { ...file, externalData };
  }

  /** Ends what still runs; safe to call again. */
  async close(): Promise<void> {
    for (const hash of this.#hashes.values()) await hash.close();
  }

  #of(path: string): FileHash {
    const known = this.#hashes.get(path);
    if (known) return known;
    const hash = new FileHash(path);
    this.#hashes.set(path, hash);
    return hash;
  }
}
