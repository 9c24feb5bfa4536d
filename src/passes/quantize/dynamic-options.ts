import type { QuantizedType } from '../../quantize/scheme.js';
import type { AllowedOperators } from '../levels.js';

/** How weights and activations are quantized dynamically. */
export interface DynamicOptions {
  /** Node names, globs or op types; only these when not empty. */
  readonly include: readonly string[];
  /** One scale an output channel of a weight. */
  readonly perChannel: boolean;
  /** 7-bit weights. */
  readonly reduceRange: boolean;
  readonly weightType: QuantizedType;
  /** Also tables of embeddings from 64 KiB on: one scale a row. */
  readonly embeddings: boolean;
  /** `ort` may use operators of ONNX Runtime's own domain: that takes LSTM too. */
  readonly operators: AllowedOperators;
  /** Weights with fewer elements stay in float, unless `include` names nodes. */
  readonly smallestWeight: number;
  /** Bytes by which INT8 copies of weights that something else reads in FP32 may make the file larger. */
  readonly growthBytes: number;
}

export const DYNAMIC_DEFAULTS = {
  include: [],
  perChannel: true,
  reduceRange: false,
  weightType: 's8',
  embeddings: true,
  operators: 'portable',
  smallestWeight: 1024,
  growthBytes: 0,
} as const satisfies DynamicOptions;
