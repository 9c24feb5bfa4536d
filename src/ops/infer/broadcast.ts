import type { Dim, Shape } from '../../ir/type.js';
import { minDims } from '../dim.js';

/**
 * Multidirectional broadcasting (ONNX "Broadcasting in ONNX") of shapes that may be symbolic. Undefined when a rank is
 * unknown; a dimension is undefined where symbols leave it open. `onConflict` is called for sizes that do not fit.
 */
export function broadcastShapes(shapes: readonly Shape[], onConflict: (reason: string) => void): Shape {
  let result: readonly Dim[] = [];
  for (const shape of shapes) {
    if (!shape) return undefined;
    const rank = Math.max(result.length, shape.length);
    const merged: Dim[] = [];
    for (let axis = 0; axis < rank; axis++) {
      const a = axisFromEnd(result, rank, axis);
      const b = axisFromEnd(shape, rank, axis);
      if (typeof a === 'number' && typeof b === 'number' && a !== b && a !== 1 && b !== 1)
        onConflict(`sizes ${a} and ${b} do not broadcast`);
      merged.push(broadcastDim(a, b));
    }
    result = merged;
  }
  return result;
}

function axisFromEnd(shape: readonly Dim[], rank: number, axis: number): Dim {
  const at = axis - (rank - shape.length);
  return at < 0 ? 1 : shape[at];
}

/** One dimension: 1 gives way; a number above 1 wins over a symbol, which can then only be 1 or the same. */
export function broadcastDim(a: Dim, b: Dim): Dim {
  if (a === 1) return b;
  if (b === 1 || (a === b && a !== undefined)) return a;
  if (typeof a === 'number') return typeof b === 'number' ? undefined : a;
  if (typeof b === 'number') return b;
  return isLimitedTo(a, b) ? a : isLimitedTo(b, a) ? b : undefined;
}

/**
 * Is `b` the text `min(512,a)`? Where the shapes fit at all, `b` is then `a` or 1: what comes of adding position
 * embeddings cut from a table to a sequence.
 */
function isLimitedTo(a: Dim, b: Dim): boolean {
  return a !== undefined && typeof b === 'string' && minDims(a, numberBefore(b, a)) === b;
}

function numberBefore(b: string, a: Dim): Dim {
  const found = /^min\((\d+),/.exec(b)?.[1];
  return found === undefined || found === '0' ? a : Number(found);
}
