import { ServeOptError } from '../../errors.js';
import type { Dim, Shape } from '../../ir/type.js';
import type { TritonDataType } from '../../proto/model-config.js';
import type { ValueSpec } from '../../samples/types.js';
import { tritonType } from './data-types.js';

/** An input or output as a server sees it. */
export interface ServedTensor {
  readonly name: string;
  readonly type: TritonDataType;
  /** A size, or what stands for an open one: a symbol or undefined. `[]` is a scalar. */
  readonly shape: readonly Dim[];
  /** In the words of the model, for messages: `float[batch,10]`. */
  readonly typeText: string;
}

/** The interface of a model in the terms of Triton. */
export interface ServedInterface {
  readonly inputs: readonly ServedTensor[];
  readonly outputs: readonly ServedTensor[];
}

/**
 * The interface of an ONNX model in the terms of Triton.
 * @param shapes shapes of outputs where other things are known than the file declares: a server compares the configuration
 *   with what ONNX Runtime reports
 * @throws SO3501 naming a tensor that Triton cannot serve, or that there is none
 */
export function servedInterface(
  inputs: readonly ValueSpec[],
  outputs: readonly ValueSpec[],
  shapes: ReadonlyMap<string, Shape> = new Map(),
): ServedInterface {
  if (outputs.length === 0) throw new ServeOptError('SO3501', 'Triton cannot serve a model without outputs');
  if (inputs.length === 0) {
    throw new ServeOptError('SO3501', 'Triton cannot serve a model without inputs', {
      why: 'a request has at least one input; inputs with a default value are not counted',
    });
  }
  return {
    inputs: inputs.map((spec) => servedTensor('input', spec, spec.shape)),
    outputs: outputs.map((spec) =>
      servedTensor('output', spec, shapes.has(spec.name) ? shapes.get(spec.name) : spec.shape),
    ),
  };
}

function servedTensor(role: 'input' | 'output', spec: ValueSpec, shape: Shape): ServedTensor {
  const type = tritonType(role, spec);
  const { name, typeText } = spec;
  if (name === '') throw new ServeOptError('SO3501', `Triton cannot serve an ${role} without a name`);
  if (shape === undefined) {
    throw new ServeOptError('SO3501', `Triton cannot serve the ${role} "${name}": its rank is unknown`, {
      why:
        spec.shape === undefined
          ? 'the configuration gives the number of dimensions of every tensor'
          : `the file declares ${typeText}, and the graph makes a tensor of another rank`,
      hint: `export the model again with a shape for "${name}"; open dimensions may stay open`,
      location: { value: name },
    });
  }
  const empty = shape.indexOf(0);
  if (empty >= 0) {
    throw new ServeOptError('SO3501', `Triton cannot serve the ${role} "${name}" of type ${typeText}`, {
      why: `its dimension ${empty} is 0, and a server takes sizes from 1 on`,
      location: { value: name },
    });
  }
  return { name, type, shape, typeText };
}
