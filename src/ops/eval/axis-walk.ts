import { elementCount } from '../../tensor/tensor.js';

/** A tensor seen along one axis: `outer` × `length` × `inner` elements, neighbours along the axis `inner` apart. */
export interface AxisWalk {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** How to walk a tensor of shape `dims` along `axis`. */
export function axisWalk(dims: readonly number[], axis: number): AxisWalk {
  return {
    outer: elementCount(dims.slice(0, axis)),
    length: dims[axis] ?? 1,
    inner: elementCount(dims.slice(axis + 1)),
  };
}

/** The first element of each line along the axis, in row-major order of the other axes. */
export function* lineStarts({ outer, length, inner }: AxisWalk): Generator<number> {
  for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) yield o * length * inner + i;
}
