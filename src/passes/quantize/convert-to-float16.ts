import { definePass } from '../pass.js';
import { type ConvertToFloat16Options, convertToNarrow, NARROW_OPTIONS } from './float16/convert.js';
import { FLOAT16 } from './float16/narrow-float.js';

export type { ConvertToFloat16Options } from './float16/convert.js';

const NAME = 'convert-to-float16';

/**
 * Turns FLOAT weights and arithmetic into FLOAT16: y = round16(op(round16(x), round16(w))).
 * - Fires on every node whose operator, at the model's opset, supports FLOAT16; in subgraphs too. Types come from
 *   inference over the whole model, not from names: each value has one type, and a Cast is inserted where two meet.
 * - Refuses, node by node and with the reason: operators that do not support FLOAT16, calls of local functions (bodies
 *   keep their types), quantized operators, sequences, values of unknown type, excluded nodes, measured ranges beyond
 *   half of ±65504 (fills of masks aside) and measured counts beyond 2048, small constants that do not fit, what makes
 *   values that end as integers, indices or flags, and the places of `float16/precision-regions.ts` where FLOAT16 is
 *   unsafe whatever the data.
 * - A model whose FLOAT16 weights outweigh its FLOAT ones counts as already converted. DOUBLE is never touched.
 * - Constants: rounded half to even; finite values beyond ±65504 clamped; in tensors of up to 1024 elements a nonzero
 *   value stays nonzero. Large ones are converted while the model is written (`report`). A constant that is used in
 *   both types gets a second form, or from 64 KiB on a Cast, so that the file does not grow.
 * - Numerics: lossy. Reference: onnxconverter-common float16.py, PyTorch autocast operator lists.
 * @throws SO1003 when a pattern of `include` or `exclude` means no node.
 */
export const convertToFloat16 = definePass<ConvertToFloat16Options>({
  name: NAME,
  summary: 'Converts FLOAT weights and arithmetic to FLOAT16.',
  group: 'quantize',
  numerics: 'lossy',
  scope: 'all-graphs',
  opset: [7, null],
  options: NARROW_OPTIONS,
  run: (model, options) => convertToNarrow(NAME, FLOAT16, model, options),
});
