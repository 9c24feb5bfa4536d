import { ServeOptError } from '../../../errors.js';
import type { HostTensor } from '../../../samples/types.js';
import type { ConfiguredTensor } from '../../../serving/triton-repository.js';

/** How a tensor of a request relates to the tensor of the model, for one input or output of a configuration. */
export interface ServedShape {
  /** Its shape for clients; -1 for an open dimension, the batch included. */
  readonly client: readonly number[];
  /** Its shape for the model. */
  readonly model: readonly number[];
}

/**
 * Triton puts the batch before `dims`; `reshape` is what the model has in their place. A scalar of the model has `dims: [1]`
 * without a reshape.
 * @param modelRank of the model's own tensor, where it is known
 */
export function servedShape(
  { dims, reshape }: Pick<ConfiguredTensor, 'dims' | 'reshape'>,
  maxBatchSize: number,
  modelRank: number | undefined,
): ServedShape {
  const batch = maxBatchSize > 0 ? [-1] : [];
  return { client: [...batch, ...dims], model: modelRank === 0 ? [] : [...batch, ...(reshape ?? dims)] };
}

/** The same elements in the shape that clients see. @throws SO5103 where the shape is not the configured one */
export function asClientTensor(name: string, tensor: HostTensor, { client, model }: ServedShape): HostTensor {
  return { ...tensor, dims: mapDims(name, tensor.dims, model, client) };
}

/** The same elements in the shape that the model takes. @throws SO5103 */
export function asModelTensor(name: string, tensor: HostTensor, { client, model }: ServedShape): HostTensor {
  return { ...tensor, dims: mapDims(name, tensor.dims, client, model) };
}

/** Open dimensions of one side are those of the other, in order; the rest is fixed. */
function mapDims(
  name: string,
  dims: readonly number[],
  from: readonly number[],
  to: readonly number[],
): readonly number[] {
  const fits = dims.length === from.length && from.every((size, axis) => size < 0 || size === dims[axis]);
  if (!fits) {
    throw new ServeOptError('SO5103', `"${name}" has the shape [${dims}] where the configuration has [${from}]`);
  }
  const open = dims.filter((_, axis) => (from[axis] ?? 0) < 0);
  let next = 0;
  return to.map((size) => (size < 0 ? (open[next++] ?? 1) : size));
}
