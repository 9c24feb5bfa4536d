import type { StoredTensor } from './read-safetensors.js';
import { entryBytes, SAFETENSORS_TYPES, type SafetensorsEntry } from './safetensors-types.js';

/** How a file will be: its beginning, and where each tensor goes. */
export interface SafetensorsLayout {
  /** Length and header: the first bytes of the file. */
  readonly head: Uint8Array;
  /** By name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly sizeBytes: number;
}

const ALIGNMENT = 8;

/**
 * Lays a file out as the library of the format does: large elements first and then by name, so that every tensor is aligned to its
 * elements; the header is filled with spaces to a multiple of 8 bytes. The same tensors give the same bytes.
 */
export function layOutSafetensors(
  entries: readonly SafetensorsEntry[],
  metadata: Readonly<Record<string, string>>,
): SafetensorsLayout {
  const sorted = [...entries].sort(
    (a, b) => SAFETENSORS_TYPES[b.type] - SAFETENSORS_TYPES[a.type] || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const header = new Map<string, unknown>();
  if (Object.keys(metadata).length > 0) header.set('__metadata__', metadata);
  let at = 0;
  const places: { readonly entry: SafetensorsEntry; readonly start: number; readonly end: number }[] = [];
  for (const entry of sorted) {
    const end = at + entryBytes(entry);
    places.push({ entry, start: at, end });
    header.set(entry.name, { dtype: entry.type, shape: entry.shape, data_offsets: [at, end] });
    at = end;
  }
  // By pairs: an object would move names that are numbers to the front, and would not keep "__proto__".
  const text = `{${[...header].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
  const bytes = new TextEncoder().encode(text);
  const length = Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
  const head = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(bytes, 8);
  const tensors = places.map(({ entry, start, end }): [string, StoredTensor] => [
    entry.name,
    { name: entry.name, type: entry.type, shape: entry.shape, start: head.length + start, end: head.length + end },
  ]);
  return { head, tensors: new Map(tensors), sizeBytes: head.length + at };
}
