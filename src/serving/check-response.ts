import type { HostTensor, ValueSpec } from '../samples/types.js';
import type { PreparedRequest, ServerClient, ServerModel, ServerResponse } from './client.js';
import { malformed, serverText } from './server-error.js';

/**
 * Decodes a successful response and checks it against the metadata of the model: every output present, of its type, with the
 * sizes that are fixed. @throws SO5103
 */
export function checkResponse(
  client: ServerClient,
  model: ServerModel,
  response: ServerResponse,
  request: PreparedRequest,
): Map<string, HostTensor> {
  const outputs = client.decode(response, request);
  if (outputs.size === 0 && (model.outputs?.length ?? 0) === 0) return outputs;
  for (const spec of model.outputs ?? []) {
    const tensor = outputs.get(spec.name);
    if (tensor === undefined) throw malformed(`The response lacks the output "${serverText(spec.name)}"`);
    if (!fits(tensor, spec)) {
      const { length } = tensor.dims;
      const shape = `[${tensor.dims.slice(0, 16).join(',')}${length > 16 ? ',…' : ''}]`;
      throw malformed(
        `The output "${serverText(spec.name)}" has the shape ${shape} where the model declares ${spec.typeText}`,
      );
    }
  }
  return outputs;
}

/**
 * Servers add or drop dimensions of 1 (MLServer makes [n] into [n,1]): where ranks differ, what is left without those must
 * match.
 */
function fits(tensor: HostTensor, spec: ValueSpec): boolean {
  if (spec.dataType !== undefined && spec.dataType !== tensor.dataType) return false;
  if (spec.shape === undefined) return true;
  if (spec.shape.length === tensor.dims.length) {
    return spec.shape.every((dim, axis) => typeof dim !== 'number' || dim === tensor.dims[axis]);
  }
  const sizes = tensor.dims.filter((dim) => dim !== 1);
  return matches(
    spec.shape.filter((dim) => dim !== 1),
    sizes,
  );
}

/** Sizes against dimensions of which the open ones may be 1 and so be absent. */
function matches(shape: readonly (number | string | undefined)[], sizes: readonly number[]): boolean {
  const fixed = shape.filter((dim) => typeof dim === 'number').length;
  let spare = sizes.length - fixed;
  let at = 0;
  for (const dim of shape) {
    if (typeof dim === 'number') {
      if (sizes[at++] !== dim) return false;
    } else if (spare > 0) {
      spare--;
      at++;
    }
  }
  return spare === 0 && at === sizes.length;
}
