import type { HostTensor } from './types.js';

/** Memory of the tensors of a sample or of a run's outputs in bytes, strings aside. */
export function tensorBytes(tensors: ReadonlyMap<string, HostTensor>): number {
  let bytes = 0;
  for (const { data } of tensors.values()) if (ArrayBuffer.isView(data)) bytes += data.byteLength;
  return bytes;
}
