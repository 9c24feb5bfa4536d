/**
 * Element types of safetensors files (https://huggingface.co/docs/safetensors), with the bits of an element. What is not in
 * this table is refused: its size would be a guess.
 */
export const SAFETENSORS_TYPES = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64,
} as const;

export type SafetensorsType = keyof typeof SAFETENSORS_TYPES;

/** A tensor of a file. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
}

/** Bytes that a tensor takes. */
export function entryBytes({ type, shape }: Pick<SafetensorsEntry, 'type' | 'shape'>): number {
  return (shape.reduce((product, size) => product * size, 1) * SAFETENSORS_TYPES[type]) / 8;
}
