import { createHash } from 'node:crypto';
import type { PackagedFile } from '../../report/package-types.js';

/** What a report says of a text of a package that is not on the disk. */
export function textFile({ path, text }: { readonly path: string; readonly text: string }): PackagedFile {
  const bytes = new TextEncoder().encode(text);
  return { path, sizeBytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex') };
}
