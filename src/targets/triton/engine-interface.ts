import { ServeOptError } from '../../errors.js';
import type { Dim } from '../../ir/type.js';
import { dataTypeFromName } from '../../tensor/dtype.js';
import { tritonType } from './data-types.js';
import type { ServedInterface, ServedTensor } from './serving-facts.js';

/** An input or output of an engine, as the report beside it has it. */
export interface EngineTensorFacts {
  readonly name: string;
  /** ONNX name of the type. */
  readonly type: string;
  readonly dims?: readonly number[];
  readonly symbols?: readonly (string | null)[];
}

/** The interface of an engine from its report. @throws SO3501 for a type that Triton has not, or a rank that is unknown */
export function engineInterface(
  inputs: readonly EngineTensorFacts[],
  outputs: readonly EngineTensorFacts[],
): ServedInterface {
  return {
    inputs: inputs.map((tensor) => engineTensor('input', tensor)),
    outputs: outputs.map((tensor) => engineTensor('output', tensor)),
  };
}

function engineTensor(role: 'input' | 'output', { name, type, dims, symbols }: EngineTensorFacts): ServedTensor {
  const dataType = dataTypeFromName(type);
  if (dims === undefined) {
    throw new ServeOptError('SO3501', `The shape of the ${role} "${name}" is not known`, {
      hint: `give it: --engine-${role} '${name}:${type}:-1,3,224,224'`,
    });
  }
  const shape: Dim[] = dims.map((dim, axis) => (dim >= 0 ? dim : (symbols?.[axis] ?? undefined)));
  const typeText = `${type}[${shape.map((dim) => dim ?? '?').join(',')}]`;
  return { name, type: tritonType(role, { name, dataType, shape, typeText }), shape, typeText };
}

/**
 * Reads an input or output given as `NAME:TYPE:DIMS`, for example `x:float:-1,3,224,224`; -1 is any size. Names may have colons.
 * @throws SO1006
 */
export function parseTensorFlag(role: 'input' | 'output', text: string): EngineTensorFacts {
  const notAllowed = (why: string): ServeOptError =>
    new ServeOptError('SO1006', `The value "${text}" of --engine-${role} is not allowed`, {
      why,
      hint: `write --engine-${role} NAME:TYPE:SIZES, for example --engine-${role} x:float:-1,3,224,224`,
    });
  const [, name = '', type = '', sizes = ''] = /^(.+):([\w]+):([-\d,\s]*)$/s.exec(text) ?? [];
  if (name === '') throw notAllowed('it must be a name, a type and sizes');
  if (dataTypeFromName(type) === undefined) throw notAllowed(`${type} is not a type such as float, float16 or int64`);
  const dims =
    sizes.trim() === '' ? [] : sizes.split(',').map((size) => Number(size.trim() === '' ? Number.NaN : size));
  const wrong = dims.find((dim) => !Number.isInteger(dim) || dim < -1 || dim === 0);
  if (wrong !== undefined) throw notAllowed('sizes are whole numbers from 1 on, or -1 for any');
  return { name, type, dims };
}
