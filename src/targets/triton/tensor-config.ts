import { ServeOptError } from '../../errors.js';
import type { Dim } from '../../ir/type.js';
import type { ModelConfigPart } from '../../proto/model-config.js';
import type { ServedTensor } from './serving-facts.js';

/** An input or output of a configuration, as far as both have the same fields. */
type TensorConfig = Pick<ModelConfigPart<'ModelInput'>, 'name' | 'data_type' | 'dims' | 'reshape'>;

/** Sizes as a configuration writes them: -1 where any is taken. */
export function configDims(shape: readonly Dim[]): number[] {
  return shape.map((dim) => (typeof dim === 'number' ? dim : -1));
}

/**
 * The entry of an input or output. With batching the first dimension is left out. A list of dimensions must not be empty: a
 * vector of one number a row is `[1]`, reshaped to nothing; a scalar, which only a model without batching has, is `[1]` (the
 * backend takes no reshape there).
 */
export function tensorConfig({ name, type, shape }: ServedTensor, isBatched: boolean): TensorConfig {
  const dims = configDims(isBatched ? shape.slice(1) : shape);
  const head = { name, data_type: type };
  if (dims.length > 0) return { ...head, dims };
  return isBatched ? { ...head, dims: [1], reshape: { shape: [] } } : { ...head, dims: [1] };
}

/** The shape that a request has for a tensor of a configuration: open sizes are -1, and so is the batch. */
export function requestShape({ dims = [] }: TensorConfig, maxBatch: number): number[] {
  const sizes = dims.map(Number);
  return maxBatch > 0 ? [-1, ...sizes] : sizes;
}

/** @throws SO3501 where two tensors have one name, which no request could tell apart */
export function checkNames(tensors: readonly ServedTensor[], role: 'input' | 'output'): void {
  const seen = new Set<string>();
  for (const { name } of tensors) {
    if (seen.has(name)) throw new ServeOptError('SO3501', `Triton cannot serve two ${role}s with the name "${name}"`);
    seen.add(name);
  }
}
