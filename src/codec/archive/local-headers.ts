import type { ByteSource } from '../byte-source.js';
import type { EntryFault } from './archive-entry.js';

/** What the directory of a zip archive says of an entry. */
export interface DirectoryFacts {
  readonly offset: number;
  readonly name: Uint8Array;
  readonly method: number;
  readonly flags: number;
  readonly storedBytes: number;
  readonly sizeBytes: number;
  readonly crc: number;
}

/** What comes of holding an entry against the header before its content. */
export interface LocalHeader {
  readonly faults: readonly EntryFault[];
}

const SIGNATURE = 0x04034b50;
const FIXED_BYTES = 30;
const SIZES_BEHIND = 8;
/** Lengths of what may follow a content whose sizes come behind it: with a signature or not, with 32 bits or 64. */
const DESCRIPTOR_BYTES: readonly number[] = [16, 24, 12, 20];
const DESCRIPTOR_SIGNATURE = 0x08074b50;
const IN_EXTRA = 0xffff_ffff;

/**
 * Compares each entry with the header before its content, and the places of all with each other. Programs that read an
 * archive as a stream, as TorchServe does, see these headers only: entries must follow each other without gaps.
 */
export function localHeaders(source: ByteSource, entries: readonly DirectoryFacts[]): readonly LocalHeader[] {
  const found = entries.map(() => [] as EntryFault[]);
  const order = entries.map((_, index) => index).sort((a, b) => offsetOf(entries, a) - offsetOf(entries, b));
  let end = 0;
  for (const index of order) {
    const entry = entries[index] as DirectoryFacts;
    const faults = found[index] as EntryFault[];
    const dataStart = readHeader(source, entry, faults);
    if (entry.offset < end) faults.push('overlap');
    else if (entry.offset > end) faults.push('gap');
    const dataEnd = (dataStart ?? entry.offset + FIXED_BYTES) + entry.storedBytes;
    end = Math.max(end, dataEnd + descriptorBytes(source, entry, dataEnd));
  }
  return found.map((faults) => ({ faults }));
}

function offsetOf(entries: readonly DirectoryFacts[], index: number): number {
  return entries[index]?.offset ?? 0;
}

/** Where the content begins; undefined where there is no header. */
function readHeader(source: ByteSource, entry: DirectoryFacts, faults: EntryFault[]): number | undefined {
  const { offset, name, method, flags } = entry;
  if (offset + FIXED_BYTES + name.byteLength > source.sizeBytes) {
    faults.push('header');
    return undefined;
  }
  const bytes = source.read(offset, offset + FIXED_BYTES + name.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== SIGNATURE) {
    faults.push('header');
    return undefined;
  }
  const nameLength = view.getUint16(26, true);
  const sameName = nameLength === name.byteLength && Buffer.compare(bytes.subarray(FIXED_BYTES), name) === 0;
  const sameKind =
    view.getUint16(8, true) === method && (view.getUint16(6, true) & SIZES_BEHIND) === (flags & SIZES_BEHIND);
  const behind = (flags & SIZES_BEHIND) !== 0;
  const says = [view.getUint32(14, true), view.getUint32(18, true), view.getUint32(22, true)];
  const wanted = [entry.crc >>> 0, entry.storedBytes, entry.sizeBytes];
  const sameSizes = behind || says.every((value, at) => value === wanted[at] || (at > 0 && value === IN_EXTRA));
  if (!sameName || !sameKind || !sameSizes) faults.push('header');
  return offset + FIXED_BYTES + nameLength + view.getUint16(28, true);
}

/** Bytes of the sizes behind a content. */
function descriptorBytes(source: ByteSource, { flags, crc }: DirectoryFacts, at: number): number {
  if ((flags & SIZES_BEHIND) === 0) return 0;
  for (const length of DESCRIPTOR_BYTES) {
    if (at + length + 4 > source.sizeBytes) continue;
    const bytes = source.read(at, at + length + 4);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const signed = length === 16 || length === 24;
    if (signed && view.getUint32(0, true) !== DESCRIPTOR_SIGNATURE) continue;
    if (view.getUint32(signed ? 4 : 0, true) !== crc >>> 0) continue;
    // The next entry, or the directory, begins where it ends.
    if ((view.getUint32(length, true) & 0xffff) === 0x4b50) return length;
  }
  return 0;
}
