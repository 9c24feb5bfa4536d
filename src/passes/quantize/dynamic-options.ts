import { type QuantizationScheme, S8_WEIGHTS } from '../../quantize/scheme.js';
import type { AllowedOperators } from '../levels.js';

/** How weights and activations are quantized dynamically. */
export interface DynamicOptions {
  /** Node names, globs or op types; only these when not empty. */
  readonly include: readonly string[];
  /** UINT8 or INT8 with one scale, or one for each output channel. */
  readonly weights: QuantizationScheme;
  /** Also tables of embeddings from 64 KiB on: one scale a row. */
  readonly embeddings: boolean;
  /** `ort` may use operators of ONNX Runtime's own domain: that takes LSTM too. */
  readonly operators: AllowedOperators;
  /** Weights with fewer elements stay in float, unless `include` names nodes. */
  readonly smallestWeight: number;
  /** Bytes by which INT8 copies of weights that something else reads in FP32 may make the file larger. */
  readonly growthBytes: number;
  /** Reasons to keep layers in FP32, by the name of their first output. */
  readonly kept: ReadonlyMap<string, string>;
}

export const DYNAMIC_DEFAULTS = {
  include: [],
  weights: S8_WEIGHTS,
  embeddings: true,
  operators: 'portable',
  smallestWeight: 1024,
  growthBytes: 0,
  kept: new Map<string, string>(),
} as const satisfies DynamicOptions;
