import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileError } from '../codec/byte-source.js';
import { ServeOptError } from '../errors.js';
import type { ReportFile, ReportModel } from '../report/types.js';

/** SHA-256 of a file in lower-case hexadecimal, read in pieces. */
export async function fileSha256(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      hash.update(piece as Buffer);
      if (signal?.aborted) throw new ServeOptError('SO8130', 'Interrupted');
    }
  } catch (cause) {
    if (cause instanceof ServeOptError) throw cause;
    throw fileError(path, cause);
  }
  return hash.digest('hex');
}

/** What a report says of a file: its name without folder, size and hash. */
export async function reportFile(path: string, name: string, signal?: AbortSignal): Promise<ReportFile> {
  return { name, sizeBytes: statSync(path).size, sha256: await fileSha256(path, signal) };
}

/** A model file with the data files beside it. `shownPath` gives the name where the file stands elsewhere just now. */
export async function reportModel(
  path: string,
  dataPaths: readonly string[],
  signal?: AbortSignal,
): Promise<ReportModel> {
  const file = await reportFile(path, basename(path), signal);
  if (dataPaths.length === 0) return file;
  const externalData: ReportFile[] = [];
  for (const dataPath of dataPaths) externalData.push(await reportFile(dataPath, basename(dataPath), signal));
  return { ...file, externalData };
}
