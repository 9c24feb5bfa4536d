import { ServeOptError } from '../../../errors.js';
import { NBITS_BLOCKS } from '../../../quantize/nbits/nbits-format.js';
import type { QuantizeOptions } from '../../options.js';
import { isWeightMode } from '../../weight-only-options.js';

/** What options of weights that are quantized alone tell, before anything is read. @throws SO1002, SO1006 */
export function checkWeightOptions({ mode, block, method, asymmetric }: QuantizeOptions): void {
  if (!isWeightMode(mode)) return;
  if (block !== undefined && !NBITS_BLOCKS.includes(block)) {
    throw new ServeOptError('SO1006', `The value "${block}" of --block is not allowed`, {
      why: `blocks have ${NBITS_BLOCKS.slice(0, -1).join(', ')} or ${NBITS_BLOCKS.at(-1)} inputs`,
      hint: 'leave it out for blocks of 32',
    });
  }
  if (method === 'hqq' && asymmetric === false) {
    throw new ServeOptError('SO1002', 'The method hqq needs zero points', {
      why: 'it finds nothing else',
      hint: 'use the method kquant',
    });
  }
}
