/** What may be chosen of the schemes of a model and of parts of it. Plain data, as a file of schemes or an option has it. */
import { QUANTIZED_TYPES, type QuantizationScheme, quantizedTypeName, schemeOf } from './scheme.js';

/** Types of activations that static quantization knows. */
export const ACTIVATION_TYPES = ['u8', 's8', 'u16', 's16'] as const;
/** Types of weights that static quantization knows. */
export const WEIGHT_TYPES = ['s8', 'u8'] as const;
/** How many weights share a scale. */
export const WEIGHT_GRANULARITIES = ['per-channel', 'per-tensor'] as const;

export interface ActivationChoice {
  readonly type?: (typeof ACTIVATION_TYPES)[number];
  /** A range centred on zero. Default: as before the choice. */
  readonly symmetric?: boolean;
}

export interface WeightChoice {
  readonly type?: (typeof WEIGHT_TYPES)[number];
  /** Default: signed types are, unsigned ones are not. */
  readonly symmetric?: boolean;
  readonly granularity?: (typeof WEIGHT_GRANULARITIES)[number];
  /** One bit less, against 16-bit sums that saturate. */
  readonly reduceRange?: boolean;
}

/** What differs for the nodes and tensors that a pattern means. Later ones win, choice by choice. */
export interface SchemeOverride {
  /**
   * Names of nodes, globs over them (`*`, `?`), operator types, or names of weights: the nodes that have them. Where it means none of those,
   * names of activations.
   */
  readonly match: string;
  /** Stays in FP32. */
  readonly float?: boolean;
  readonly activations?: ActivationChoice;
  readonly weights?: WeightChoice;
}

/** Choices for a whole model and for parts of it. */
export interface SchemeChoicesOfModel {
  readonly activations?: ActivationChoice;
  readonly weights?: WeightChoice;
  /** `s32` for integer kernels, or `float` for biases as they are. */
  readonly biases?: 's32' | 'float';
  readonly overrides?: readonly SchemeOverride[];
}

/** A scheme of activations with a choice made. */
export function chosenActivations(
  base: QuantizationScheme,
  { type, symmetric }: ActivationChoice = {},
): QuantizationScheme {
  if (type === undefined && symmetric === undefined) return base;
  return schemeOf(type ?? quantizedTypeName(base), { symmetric: symmetric ?? base.symmetric });
}

/** A scheme of weights with a choice made. */
export function chosenWeights(base: QuantizationScheme, choice: WeightChoice = {}): QuantizationScheme {
  const { type, granularity, reduceRange } = choice;
  const name = type ?? quantizedTypeName(base);
  const usual = type === undefined ? base.symmetric : QUANTIZED_TYPES[type].signed;
  return schemeOf(name, {
    symmetric: choice.symmetric ?? usual,
    granularity:
      granularity === undefined ? base.granularity : { kind: granularity === 'per-channel' ? 'channel' : 'tensor' },
    reduceRange: reduceRange ?? base.reduceRange,
  });
}
