/** Types that TensorRT's explicit quantization takes, as schemes: symmetric, one scale for an activation. */
import { type QuantizationScheme, S8_WEIGHTS, schemeOf } from './scheme.js';

/** Schemes of one type of Quantize/Dequantize pairs. */
export interface TensorRtSchemes {
  readonly activations: QuantizationScheme;
  /** One scale for each output channel. */
  readonly weights: QuantizationScheme;
  /** The smallest opset that has the type. */
  readonly opset: number;
}

export const TENSORRT_SCHEMES = {
  int8: { activations: schemeOf('s8', { symmetric: true }), weights: S8_WEIGHTS, opset: 13 },
  fp8: {
    activations: schemeOf('f8e4m3'),
    weights: schemeOf('f8e4m3', { granularity: { kind: 'channel' } }),
    opset: 19,
  },
} as const satisfies Readonly<Record<string, TensorRtSchemes>>;

/** A type of pairs. */
export type TensorRtType = keyof typeof TENSORRT_SCHEMES;
