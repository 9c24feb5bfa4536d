import { DataType } from '../../tensor/dtype.js';
import type { HostTensor } from '../types.js';

/** How many NaN and infinite values a tensor holds and the flat index of the first; -1 when there is none. */
export function countNonFinite(tensor: HostTensor): { count: number; first: number } {
  const { data } = tensor;
  let count = 0;
  let first = -1;
  const hit = (i: number) => {
    if (count++ === 0) first = i;
  };
  if (data instanceof Float32Array || data instanceof Float64Array) {
    // x - x is 0 for finite x and NaN for the rest: cheaper than Number.isFinite in a long loop.
    for (let i = 0; i < data.length; i++) if ((data[i] as number) - (data[i] as number) !== 0) hit(i);
  } else if (data instanceof Uint16Array && tensor.dataType === DataType.FLOAT16) {
    for (let i = 0; i < data.length; i++) if (((data[i] as number) & 0x7c00) === 0x7c00) hit(i);
  } else if (data instanceof Uint16Array && tensor.dataType === DataType.BFLOAT16) {
    for (let i = 0; i < data.length; i++) if (((data[i] as number) & 0x7f80) === 0x7f80) hit(i);
  }
  return { count, first };
}
