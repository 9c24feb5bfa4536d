/** What ONNX Runtime reports of a model that it loads, for packages. */
import { statSync } from 'node:fs';
import type { Shape } from '../../ir/type.js';
import type { SessionValue } from '../../runtime/protocol.js';

/** Models above this are not loaded: packaging is to take little memory. */
export const LOADED_BYTES = 256 * 1024 * 1024;

/** Bytes of files; those that are gone are missed where they are read. */
export function bytesOnDisk(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** A shape that ONNX Runtime reports, with the names that the file has for open sizes. @param before by file and inference */
export function loadedShape({ shape }: SessionValue, before: Shape): Shape {
  // It reports an unknown rank and a scalar the same way.
  if (shape.length === 0) return before;
  return shape.map((dim, axis) => {
    if (typeof dim === 'number' && dim >= 0) return dim;
    const name = before?.length === shape.length ? before[axis] : undefined;
    return typeof name === 'number' ? undefined : (name ?? (typeof dim === 'string' && dim !== '' ? dim : undefined));
  });
}
