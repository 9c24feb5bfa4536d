import type { Tensor } from '../../../tensor/tensor.js';

/** The tensors of a unit. */
export interface WeightForm {
  readonly codes: Tensor;
  /** Of the type that nodes compute in. */
  readonly scales: Tensor;
  readonly zeroPoints: Tensor | undefined;
}
