/** Writes ZIP archives, well-formed or with lies in their directory. */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipMember {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflate?: boolean;
  /** What the archive says instead of the truth. */
  readonly claims?: {
    readonly uncompressedSize?: number;
    readonly crc?: number;
    readonly method?: number;
    readonly flags?: number;
  };
}

export function zip(members: readonly ZipMember[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, deflate, claims } of members) {
    const stored = deflate ? deflateRawSync(data) : Buffer.from(data);
    const nameBytes = Buffer.from(name, 'utf8');
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(claims?.flags ?? 0x800, 2);
    fields.writeUInt16LE(claims?.method ?? (deflate ? 8 : 0), 4);
    fields.writeUInt32LE((claims?.crc ?? crc32(data)) >>> 0, 10);
    fields.writeUInt32LE(stored.length, 14);
    fields.writeUInt32LE(claims?.uncompressedSize ?? data.length, 18);
    fields.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), fields, nameBytes, stored]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from([0x50, 0x4b, 1, 2, 20, 0]), fields, tail, nameBytes]));
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
