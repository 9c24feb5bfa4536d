import { isFloat } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { refuse } from './kernel-context.js';
import { numbersOf } from './lane.js';

/** For operators of which runtimes give different results for a NaN. */
export function refuseNaN(tensor: Tensor): void {
  if (isFloat(tensor.dataType) && numbersOf(tensor).some(Number.isNaN)) refuse('the result for NaN is not specified');
}
