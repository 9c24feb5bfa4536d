/** What Triton reads from an ONNX model where a configuration says nothing (`ModelState::AutoCompleteConfig`). */
import type { OnnxFacts, TensorFacts } from './facts.js';
import type { ServedTensor } from './view-tensors.js';

/** Whether the first dimension of every input and output is open. */
export function batches({ inputs, outputs }: OnnxFacts): boolean {
  return [...inputs, ...outputs].every(({ dims }) => dims?.[0] === -1);
}

export function completedTensor({ name, type, dims = [] }: TensorFacts, maxBatchSize: number): ServedTensor {
  const rest = maxBatchSize > 0 ? dims.slice(1) : dims;
  const shown = rest.length === 0 ? [1] : rest;
  return { name, type, dims: shown, modelDims: maxBatchSize > 0 ? rest : shown, isOptional: false, isGiven: false };
}
