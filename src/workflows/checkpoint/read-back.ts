import { join } from 'node:path';
import { openFileSource } from '../../codec/byte-source.js';
import { readSafetensors, type SafetensorsHeader } from '../../codec/safetensors/read-safetensors.js';
import { bug, ServeOptError } from '../../errors.js';
import { dequantizeRows, groupsOf, halfRange, unpackRows } from '../../quantize/linear-weights.js';
import type { CheckpointScheme } from '../../targets/vllm/checkpoint-schemes.js';
import type { LinearLayer } from '../../targets/vllm/linear-layers.js';
import type { ShardPlan } from './plan-shard.js';
import { readRows } from './weight-rows.js';

/**
 * Opens a written weight file as a stranger would, and decodes the first, the middle and the last row of each layer: no value may be
 * further from the original than one step of its group. @returns how many rows were looked at
 * @throws SO6001 where the file does not say what was written
 */
export function readBack(plan: ShardPlan, folder: string, scheme: CheckpointScheme): number {
  const { shard, layout, layers } = plan;
  const source = openFileSource(join(folder, shard.name), shard.name);
  try {
    const written = readSafetensors(source);
    if ([...written.tensors.keys()].join('\0') !== [...layout.tensors.keys()].join('\0'))
      throw unequal(shard.name, 'its tensors are not those that were written');
    let rows = 0;
    for (const [name, layer] of layers) {
      const original = shard.header.tensors.get(name);
      if (!original) throw bug(`${shard.name} has no tensor ${name}`);
      for (const row of new Set([0, layer.outputs >> 1, layer.outputs - 1])) {
        const values = new Float32Array(layer.inputs);
        readRows(shard.source, original, layer.type, row, values);
        const decoded = decodeRow(written, layer, scheme, row, (start, end) => source.read(start, end));
        const wrong = firstFar(values, decoded, scheme);
        if (wrong !== undefined)
          throw unequal(
            shard.name,
            `row ${row} of "${name}" reads ${decoded[wrong]} where the original has ${values[wrong]}`,
          );
        rows++;
      }
    }
    return rows;
  } finally {
    source.close();
  }
}

function decodeRow(
  { tensors }: SafetensorsHeader,
  layer: LinearLayer,
  { format, codes }: CheckpointScheme,
  row: number,
  read: (start: number, end: number) => Uint8Array,
): Float32Array {
  const bytesOf = (name: string): Uint8Array => {
    const tensor = tensors.get(name);
    if (!tensor) throw bug(`the written file has no tensor ${name}`);
    const size = (tensor.end - tensor.start) / layer.outputs;
    return read(tensor.start + row * size, tensor.start + (row + 1) * size);
  };
  const isPacked = format === 'pack-quantized';
  const bytes = bytesOf(isPacked ? `${layer.module}.weight_packed` : layer.tensor);
  const integers = isPacked
    ? unpackRows(bytes, layer.inputs, codes.bits)
    : new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return dequantizeRows(integers, bytesOf(`${layer.module}.weight_scale`), layer.inputs, codes, layer.type);
}

/** The first value that is further away than rounding may take it: a step of integers, a sixteenth of a small float. */
function firstFar(values: Float32Array, decoded: Float32Array, { codes }: CheckpointScheme): number | undefined {
  const groupSize = codes.groupSize ?? values.length;
  for (let group = 0; group < groupsOf(values.length, codes); group++) {
    const [start, end] = [group * groupSize, Math.min((group + 1) * groupSize, values.length)];
    let largest = 0;
    for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(values[i] as number));
    const step = codes.kind === 'int' ? largest / halfRange(codes) : largest / 16;
    for (let i = start; i < end; i++) if (!(Math.abs((values[i] as number) - (decoded[i] as number)) <= step)) return i;
  }
  return undefined;
}

function unequal(file: string, why: string): ServeOptError {
  return new ServeOptError('SO6001', `The written file "${file}" does not hold what was written`, {
    why,
    hint: 'check the disk, then run again',
    location: { file },
  });
}
