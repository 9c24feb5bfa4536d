import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { memorySource, openFileSource } from '../../src/codec/byte-source.js';
import { readSafetensors, type StoredTensor } from '../../src/codec/safetensors/read-safetensors.js';
import { layOutSafetensors } from '../../src/codec/safetensors/safetensors-layout.js';
import { dequantizeRows, type LinearCodes, type ScaleType, unpackRows } from '../../src/quantize/linear-weights.js';
import { float32ToBfloat16 } from '../../src/tensor/bfloat16.js';

interface Weights {
  readonly num_bits: 4 | 8;
  readonly type: 'int' | 'float';
  readonly group_size: number | null;
}

/** The quantized weights of a checkpoint for vLLM as BFLOAT16, in one safetensors file, by our own decoder. */
export function decodedCheckpoint(folder: string): Uint8Array {
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as {
    quantization_config: { config_groups: { group_0: { weights: Weights } } };
  };
  const {
    num_bits: bits,
    type: kind,
    group_size: groupSize,
  } = config.quantization_config.config_groups.group_0.weights;
  const codes: LinearCodes = { bits, kind, ...(groupSize === null ? {} : { groupSize }) };
  const decoded = new Map<string, { readonly shape: readonly number[]; readonly bytes: Uint8Array }>();
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.safetensors'))) {
    const source = openFileSource(join(folder, name), name);
    const { tensors } = readSafetensors(source);
    const read = ({ start, end }: StoredTensor): Uint8Array => source.read(start, end);
    for (const [scaleName, scale] of tensors) {
      if (!scaleName.endsWith('.weight_scale')) continue;
      const module = scaleName.slice(0, -'.weight_scale'.length);
      const packed = tensors.get(`${module}.weight_packed`);
      const whole = tensors.get(`${module}.weight`);
      const shapeOf = tensors.get(`${module}.weight_shape`);
      const shape = shapeOf
        ? [...new BigInt64Array(read(shapeOf).slice().buffer)].map(Number)
        : [...(whole as StoredTensor).shape];
      const [, columns = 0] = shape;
      const integers = packed
        ? unpackRows(read(packed), columns, bits)
        : new Int8Array(read(whole as StoredTensor).slice().buffer);
      const values = dequantizeRows(integers, read(scale), columns, codes, scale.type as ScaleType);
      const narrow = new Uint16Array(values.length);
      float32ToBfloat16(values, narrow);
      decoded.set(`${module}.weight`, { shape, bytes: new Uint8Array(narrow.buffer) });
    }
    source.close();
  }
  const layout = layOutSafetensors(
    [...decoded].map(([name, { shape }]) => ({ name, type: 'BF16', shape })),
    {},
  );
  const file = new Uint8Array(layout.sizeBytes);
  file.set(layout.head);
  for (const [name, { start }] of layout.tensors) file.set(decoded.get(name)?.bytes ?? [], start);
  readSafetensors(memorySource(file));
  return file;
}
