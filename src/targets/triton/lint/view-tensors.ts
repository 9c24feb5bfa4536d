import type { ModelConfigPart } from '../../../proto/model-config.js';

/** An input or output as clients see it. */
export interface ServedTensor {
  readonly name: string;
  readonly type: string | undefined;
  /** Without the batch; -1 for open dimensions. */
  readonly dims: readonly number[];
  /** Dims after the reshape. */
  readonly modelDims: readonly number[];
  readonly isOptional: boolean;
  /** Whether the configuration gives it; otherwise Triton reads it from the model. */
  readonly isGiven: boolean;
}

export function servedTensor(tensor: ModelConfigPart<'ModelInput'> & ModelConfigPart<'ModelOutput'>): ServedTensor {
  const { name = '', data_type: type, dims = [], reshape, optional = false } = tensor;
  const sizes = dims.map(Number);
  return {
    name,
    type: type === undefined ? undefined : String(type),
    dims: sizes,
    modelDims: reshape === undefined ? sizes : (reshape.shape ?? []).map(Number),
    isOptional: optional,
    isGiven: true,
  };
}
