import type { NBits } from '../../../quantize/nbits/nbits-format.js';
import type { AllowedOperators } from '../../levels.js';
import type { WeightForm } from './weight-tensors.js';

/** How weights alone are quantized. */
export interface WeightOnlyOptions {
  /** Node names, globs or op types; only these when not empty. */
  readonly include: readonly string[];
  /** Node names, globs or op types that stay in float. */
  readonly exclude: readonly string[];
  readonly bits: NBits;
  /** Inputs that share a scale. */
  readonly block: number;
  readonly symmetric: boolean;
  /** `ort`: MatMulNBits and GatherBlockQuantized; `portable`: DequantizeLinear in blocks, of opset 21. */
  readonly operators: AllowedOperators;
  /** Of MatMulNBits: 0 leaves it to the runtime, 1 computes in FLOAT, 4 with activations of 8 bits. */
  readonly accuracyLevel: number;
  /** Weights with fewer elements stay in FP32, unless `include` names nodes. */
  readonly smallestWeight: number;
  /** Units with 8 bits whatever `bits` says, by key, and the reason. */
  readonly wider: ReadonlyMap<string, string>;
  /** The layer that gives the scores of a language model has 8 bits whatever `bits` says. */
  readonly wideHead: boolean;
  /** Reasons to keep layers in FP32, by the name of their first output. */
  readonly kept: ReadonlyMap<string, string>;
  /** What was made of units, by key; those that are absent are rounded to nearest. */
  readonly made: ReadonlyMap<string, WeightForm | string>;
}

export const WEIGHT_ONLY_DEFAULTS = {
  include: [],
  exclude: [],
  bits: 4,
  block: 32,
  symmetric: true,
  operators: 'portable',
  accuracyLevel: 0,
  smallestWeight: 4096,
  wider: new Map<string, string>(),
  wideHead: true,
  kept: new Map<string, string>(),
  made: new Map<string, WeightForm | string>(),
} as const satisfies WeightOnlyOptions;
