import { ATTENTION_RULES } from './attention.js';
import { CONVOLUTION_RULES } from './convolution.js';
import { ELEMENTWISE_RULES } from './elementwise.js';
import { MATMUL_RULES } from './matmul.js';
import { NORMALIZATION_RULES } from './normalization.js';
import { QUANTIZED_RULES } from './quantized.js';
import { RECURRENT_RULES } from './recurrent.js';
import { REDUCE_RULES } from './reduce.js';
import type { AxisRules } from './rule.js';
import { VIEW_RULES } from './views.js';

/** How the axes of each operator depend on each other. What is not here stays whole. */
export const AXIS_RULES: AxisRules = new Map([
  ...ELEMENTWISE_RULES,
  ...CONVOLUTION_RULES,
  ...MATMUL_RULES,
  ...QUANTIZED_RULES,
  ...NORMALIZATION_RULES,
  ...REDUCE_RULES,
  ...VIEW_RULES,
  ...RECURRENT_RULES,
  ...ATTENTION_RULES,
]);
