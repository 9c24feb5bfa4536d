import type { Dim, Shape } from '../../ir/type.js';

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
  return typeof b === 'number' ? b : undefined;
}
