/** Writes ZIP archives, well-formed or with lies in their directory. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipMember {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflate?: boolean;
  /** Unix type and permissions. */
  readonly mode?: number;
  /** The sizes come behind the content. */
  readonly streamed?: boolean;
  /** The name in the header before the content, where it is another one. */
  readonly localName?: string;
  /** Bytes before it that belong to no member. */
  readonly before?: Uint8Array;
  /** What the archive says instead of the truth. */
  readonly claims?: {
    readonly uncompressedSize?: number;
    readonly crc?: number;
    readonly method?: number;
    readonly flags?: number;
  };
}

const SIZES_BEHIND = 8;

export function zip(members: readonly ZipMember[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, deflate, mode, streamed, localName = name, before, claims } of members) {
    if (before) {
      parts.push(Buffer.from(before));
      offset += before.byteLength;
    }
    const stored = deflate ? deflateRawSync(data) : Buffer.from(data);
    const nameBytes = Buffer.from(name, 'utf8');
    const localBytes = Buffer.from(localName, 'utf8');
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE((claims?.flags ?? 0x800) | (streamed ? SIZES_BEHIND : 0), 2);
    fields.writeUInt16LE(claims?.method ?? (deflate ? 8 : 0), 4);
    const sizes = Buffer.alloc(12);
    sizes.writeUInt32LE((claims?.crc ?? crc32(data)) >>> 0, 0);
    sizes.writeUInt32LE(stored.length, 4);
    sizes.writeUInt32LE(claims?.uncompressedSize ?? data.length, 8);
    sizes.copy(fields, 10);
    fields.writeUInt16LE(nameBytes.length, 22);
    const localFields = Buffer.from(fields);
    if (streamed) localFields.fill(0, 10, 22);
    localFields.writeUInt16LE(localBytes.length, 22);
    const behind = streamed ? [Buffer.from([0x50, 0x4b, 7, 8]), sizes] : [];
    const local = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), localFields, localBytes, stored, ...behind]);
    const tail = Buffer.alloc(14);
    if (mode !== undefined) tail.writeUInt32LE((mode << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    // Made on Unix where a mode says so.
    const made = [20, mode === undefined ? 0 : 3];
    directory.push(Buffer.concat([Buffer.from([0x50, 0x4b, 1, 2, ...made]), fields, tail, nameBytes]));
    parts.push(local);
    offset += local.length;
  }
  const listed = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(listed.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, listed, end]);
}

/** A .npz archive from array name → .npy bytes, deflated by default. */
export function npz(arrays: Readonly<Record<string, Uint8Array>>, deflate = true): Buffer {
  return zip(Object.entries(arrays).map(([name, data]) => ({ name: `${name}.npy`, data, deflate })));
}
