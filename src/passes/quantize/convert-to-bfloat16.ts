import { definePass } from '../pass.js';
import { type ConvertToFloat16Options, convertToNarrow, NARROW_OPTIONS } from './float16/convert.js';
import { BFLOAT16 } from './float16/narrow-float.js';

const NAME = 'convert-to-bfloat16';

/**
 * Turns FLOAT weights and arithmetic into BFLOAT16, the upper half of a float32: y = round16(op(round16(x), round16(w))).
 * - Fires on every node whose operator, at the model's opset, supports BFLOAT16; in subgraphs too. Most arithmetic does from opset 13 on,
 *   convolutions and pooling from opset 22 on.
 * - Refuses as `convert-to-float16` does, but for what concerns the range: BFLOAT16 has that of FLOAT. It has 8 significant bits instead of
 *   11, so that whole numbers are exact up to 256 only: sizes, positions, indices and what is compared stay FLOAT.
 * - Constants: rounded half to even; finite values beyond the largest one are clamped to it.
 * - Numerics: lossy. Reference: PyTorch autocast operator lists; ONNX operator schemas.
 * @throws SO1003 when a pattern of `include` or `exclude` means no node.
 */
export const convertToBfloat16 = definePass<ConvertToFloat16Options>({
  name: NAME,
  summary: 'Converts FLOAT weights and arithmetic to BFLOAT16.',
  group: 'quantize',
  numerics: 'lossy',
  scope: 'all-graphs',
  opset: [13, null],
  options: NARROW_OPTIONS,
  run: (model, options) => convertToNarrow(NAME, BFLOAT16, model, options),
});
