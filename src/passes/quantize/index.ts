/**
 * From plans and measured ranges to nodes: static INT8 (Q/DQ), dynamic INT8, FP8, FLOAT16 and BFLOAT16. What is quantized is decided in
 * `src/quantize/`; these passes write it.
 */
export { convertToBfloat16 } from './convert-to-bfloat16.js';
export { type ConvertToFloat16Options, convertToFloat16 } from './convert-to-float16.js';
export { type QuantizeDynamicOptions, quantizeDynamic } from './quantize-dynamic.js';
export { type QuantizeStaticOptions, quantizeStatic } from './quantize-static.js';
export { type QuantizeTensorRtOptions, quantizeTensorrt } from './quantize-tensorrt.js';
export { quantizeWeightOnly } from './weight-only/quantize-weight-only.js';
export type { WeightOnlyOptions } from './weight-only/weight-only-options.js';
