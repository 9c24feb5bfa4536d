import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { fileError, openFileSource } from '../../codec/byte-source.js';
import { ServeOptError } from '../../errors.js';
import { looksLikeNpy } from './npy-header.js';

/** How a data set is kept. */
export type DataKind = 'folder' | 'npy' | 'npz' | 'jsonl' | 'csv' | 'text';

/**
 * Tells what kind of data set a path is, from its ending and its first bytes; nothing else is read.
 * @throws SO2001, SO2002 for a path that is missing, unreadable or no regular file or folder; SO4001, SO4003 for a format
 *   that is not read; SO4004 for an empty file
 */
export function dataKind(path: string): DataKind {
  try {
    if (statSync(path).isDirectory()) return 'folder';
  } catch (cause) {
    throw fileError(path, cause);
  }
  const file = basename(path);
  const start = firstBytes(path, file);
  if (start.byteLength === 0) throw new ServeOptError('SO4004', `"${file}" is empty`);
  const extension = /\.([^.]+)$/.exec(file)?.[1]?.toLowerCase();
  // By content first: both formats have a signature, and a renamed file should still be read.
  if (looksLikeNpy(start)) return 'npy';
  if (extension === 'npz' || (start[0] === 0x50 && start[1] === 0x4b)) return 'npz';
  switch (extension) {
    case 'npy':
    case 'jsonl':
    case 'csv':
      return extension;
    case 'ndjson':
      return 'jsonl';
    case 'txt':
      return 'text';
    case 'pkl':
    case 'pickle':
      throw new ServeOptError('SO4003', `"${file}" is a pickle`);
    default:
      throw new ServeOptError('SO4001', `"${file}" has no supported data format`, {
        why: 'supported are .npz, .npy, .jsonl, .csv and .txt files, and folders of .npz, .npy, ONNX test data or images',
      });
  }
}

function firstBytes(path: string, file: string): Uint8Array {
  const source = openFileSource(path, file);
  try {
    return source.read(0, Math.min(8, source.sizeBytes));
  } finally {
    source.close();
  }
}
