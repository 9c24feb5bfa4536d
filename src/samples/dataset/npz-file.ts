import { basename } from 'node:path';
import yauzl, { type Entry, type ZipFile } from 'yauzl';
import { fileError, isSystemError } from '../../codec/system-error.js';
import { ServeOptError } from '../../errors.js';
import { type ByteRange, fileRange, inflatedRange } from './byte-range.js';
import { looksLikeNpy } from './npy-header.js';
import { npyArray, type ReadLimits, type SourceArray, tooLarge } from './source-array.js';

/** The arrays of an archive, and what in it was no array. */
export interface NpzContent {
  readonly arrays: readonly SourceArray[];
  readonly warnings: readonly string[];
}

/** An archive with more members than this is refused. */
const MAXIMUM_MEMBERS = 4096;
const LOCAL_HEADER_BYTES = 30;

interface Member {
  readonly name: string;
  readonly entry: Entry;
}

/**
 * The arrays of a .npz file. Only the archive's directory and the array headers are read here: stored members are read
 * by range later, deflated ones are inflated once when first needed.
 * @throws SO4001 for a damaged archive, encrypted members, unknown compression or repeated names; SO4003 for Python
 * objects; SO2104 for an archive beyond the limits.
 */
export async function readNpz(path: string, limits: ReadLimits): Promise<NpzContent> {
  const file = basename(path);
  const whole = fileRange(path, file);
  const members = await listMembers(path, file);
  const arrays = new Map<string, SourceArray>();
  const warnings: string[] = [];
  let inflatedBytes = 0;
  for (const { name, entry } of members) {
    const range = memberRange(path, `${file}: ${name}`, whole, entry);
    if (!looksLikeNpy(range.prefix(6))) {
      warnings.push(`${file}: member "${name}" is not an array and is ignored`);
      continue;
    }
    if (range.inMemory) inflatedBytes += range.byteLength;
    if (inflatedBytes > limits.maximumBytes) throw tooLarge(file, inflatedBytes, limits);
    if (arrays.has(name)) throw damaged(file, `it has two arrays named "${name}"`);
    arrays.set(name, npyArray(name, range, limits));
  }
  return { arrays: [...arrays.values()], warnings };
}

function damaged(file: string, why: string, cause?: unknown): ServeOptError {
  return new ServeOptError('SO4001', `"${file}" is not a readable .npz archive`, { why, cause });
}

/** numpy appends `.npy` to each name; an archive made by hand may not. */
function arrayName(entry: Entry): string {
  // With `decodeStrings: false` yauzl gives the name as bytes; its types do not say so. Its own decoding would refuse
  // names such as `/x` and `..`, which are harmless here, because no member is ever written to disk.
  const raw: unknown = entry.fileName;
  const text = raw instanceof Uint8Array ? new TextDecoder('utf-8').decode(raw) : String(raw);
  return text.endsWith('.npy') ? text.slice(0, -4) : text;
}

function listMembers(path: string, file: string): Promise<Member[]> {
  return new Promise((resolve, reject) => {
    const options = { lazyEntries: true, decodeStrings: false, autoClose: false };
    yauzl.open(path, options, (error: Error | null, zip: ZipFile) => {
      if (error) {
        const isDamaged = !isSystemError(error);
        reject(
          isDamaged ? damaged(file, `it is not a complete ZIP file (${error.message})`, error) : fileError(path, error),
        );
        return;
      }
      const members: Member[] = [];
      const stop = (problem: Error) => {
        zip.close();
        reject(problem);
      };
      zip.on('error', (cause: Error) =>
        stop(isSystemError(cause) ? fileError(path, cause) : damaged(file, cause.message, cause)),
      );
      zip.on('entry', (entry: Entry) => {
        const name = arrayName(entry);
        if (members.length >= MAXIMUM_MEMBERS) {
          stop(damaged(file, `it has more than ${MAXIMUM_MEMBERS} members`));
          return;
        }
        if (!name.endsWith('/')) members.push({ name, entry });
        zip.readEntry();
      });
      zip.on('end', () => {
        zip.close();
        resolve(members);
      });
      zip.readEntry();
    });
  });
}

/** Where the bytes of a member lie, from its local header. */
function memberRange(path: string, label: string, whole: ByteRange, entry: Entry): ByteRange {
  const fail = (why: string) => new ServeOptError('SO4001', `"${label}" cannot be read`, { why });
  if ((entry.generalPurposeBitFlag & 1) !== 0) throw fail('it is encrypted');
  const at = entry.relativeOffsetOfLocalHeader;
  if (at + LOCAL_HEADER_BYTES > whole.byteLength) throw fail('the archive ends before it');
  const header = whole.read(at, at + LOCAL_HEADER_BYTES);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(0, true) !== 0x04034b50) throw fail('the archive has no local header for it');
  const start = at + LOCAL_HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (start + entry.compressedSize > whole.byteLength) throw fail('the archive ends inside it');
  const stored = fileRange(path, label, start, entry.compressedSize);
  switch (entry.compressionMethod) {
    case 0:
      if (entry.compressedSize !== entry.uncompressedSize) throw fail('its two declared sizes differ');
      return stored;
    case 8:
      return inflatedRange(stored, entry.uncompressedSize, entry.crc32);
    default:
      throw fail(
        `its compression method is ${entry.compressionMethod}; only stored and deflated members are supported`,
      );
  }
}
