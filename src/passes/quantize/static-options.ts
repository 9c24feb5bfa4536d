/** Options of static quantization. */

import type { QuantizedFormat } from '../../quantize/place-names.js';
import type { QuantizationScheme } from '../../quantize/scheme.js';
import type { SchemeOverride } from '../../quantize/scheme-choices.js';
import type { RangeMap } from '../../quantize/value-range.js';
import type { AllowedOperators } from '../levels.js';

export interface QuantizeStaticOptions {
  /** Observed minimum and maximum by tensor name, for every tensor that `planStatic` asks to observe. */
  ranges: RangeMap;
  /** Node names, globs or op types; only these when not empty. */
  include: readonly string[];
  /** Node names, globs or op types that stay in float. */
  exclude: readonly string[];
  /** UINT8, INT8, UINT16 or INT16 with one scale. 16 bits need opset 21, or `com.microsoft` below it. */
  activations: QuantizationScheme;
  /** UINT8 or INT8 with one scale, or one for each output channel. */
  weights: QuantizationScheme;
  /** INT32, which ONNX Runtime's integer Conv and Gemm need, or `float` for biases as they are. */
  biases: QuantizationScheme | 'float';
  /** What differs for single nodes and tensors. */
  overrides: readonly SchemeOverride[];
  /** The CPU sums two products of 8-bit integers in 16 bits: weights are kept so small that they fit. */
  saturates: boolean;
  /** Ranges of activations reach at least so far above their minimum. */
  leastMaximum: number;
  /** `qdq` writes pairs, `qoperator` operators on integers where there are some. */
  format: QuantizedFormat;
  /** With `qoperator`: whether operators of ONNX Runtime's own domain may be used. */
  operators: AllowedOperators;
  /** Quantize every node of these op types, inputs and outputs, as ONNX Runtime's Python quantizer does; empty: the plan decides. */
  opTypes: readonly string[];
  /** Bytes by which INT8 copies of weights that something else reads in FP32 may make the file larger. */
  growthBytes: number;
  /** Reasons to keep layers in float, by the name of their first output. */
  kept: ReadonlyMap<string, string>;
}
