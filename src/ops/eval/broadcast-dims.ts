import { refuse } from './kernel-context.js';

/** Multidirectional broadcasting (ONNX "Broadcasting in ONNX"); refuses shapes that do not fit. */
export function broadcastDims(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const shape of shapes) {
      const dim = shape[axis - (rank - shape.length)] ?? 1;
      if (dim === 1 || dim === size) continue;
      if (size !== 1) refuse(`shapes ${shapes.map((s) => `[${s.join(',')}]`).join(' and ')} do not broadcast`);
      size = dim;
    }
    return size;
  });
}
