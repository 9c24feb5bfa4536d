import { formatType, tensorType, type ValueType } from '../../ir/type.js';
import { DataType, dataTypeName } from '../../tensor/dtype.js';
import { inputParameter, type OpSchema, outputParameter, type SchemaParameter } from '../schema.js';
import { parseSchemaType, schemaTypeText } from '../type-text.js';

export interface Bindings {
  /** Types of the outputs as far as the schema says, without shapes. */
  readonly outputs: (ValueType | undefined)[];
  /** What in the inputs contradicts the schema. */
  readonly problems: string[];
}

/** Binds the type variables of a schema to the input types, and reads the output types off. */
export function bindTypes(schema: OpSchema, inputs: readonly (ValueType | undefined)[], outputCount: number): Bindings {
  const bound = new Map<string, ValueType>();
  const problems: string[] = [];
  inputs.forEach((type, slot) => {
    const parameter = type && inputParameter(schema, slot);
    if (type && parameter && isComplete(type)) bindInput(schema, parameter, type, bound, problems);
  });
  const outputs: (ValueType | undefined)[] = [];
  for (let index = 0; index < outputCount; index++) {
    const parameter = outputParameter(schema, index);
    outputs.push(parameter && outputType(schema, parameter, bound));
  }
  return { outputs, problems };
}

/** False while an element type somewhere inside is not known, so that nothing can be said against it. */
function isComplete(type: ValueType | undefined): boolean {
  switch (type?.kind) {
    case 'tensor':
    case 'sparse_tensor':
      return type.dataType !== DataType.UNDEFINED;
    case 'sequence':
    case 'optional':
      return isComplete(type.element);
    case 'map':
      return isComplete(type.valueType);
    default:
      return false;
  }
}

function bindInput(
  schema: OpSchema,
  parameter: SchemaParameter,
  type: ValueType,
  bound: Map<string, ValueType>,
  problems: string[],
): void {
  const text = schemaTypeText(type, dataTypeName);
  const allowed = schema.typeConstraints.get(parameter.type);
  if (!allowed) {
    if (text !== parameter.type)
      problems.push(`${parameter.name} must be ${parameter.type}, but is ${formatType(type)}`);
    return;
  }
  if (!allowed.includes(text)) problems.push(`${parameter.name} cannot be ${text}`);
  if (!parameter.homogeneous) return;
  const before = bound.get(parameter.type);
  if (!before) bound.set(parameter.type, type);
  else if (schemaTypeText(before, dataTypeName) !== text)
    problems.push(`${parameter.name} is ${text}, but ${parameter.type} is ${schemaTypeText(before, dataTypeName)}`);
}

function outputType(
  schema: OpSchema,
  parameter: SchemaParameter,
  bound: ReadonlyMap<string, ValueType>,
): ValueType | undefined {
  const allowed = schema.typeConstraints.get(parameter.type);
  if (!allowed) return parseSchemaType(parameter.type);
  const type = parameter.homogeneous ? bound.get(parameter.type) : undefined;
  if (type) return withoutShape(type);
  if (allowed.length === 1) return parseSchemaType(allowed[0] ?? '');
  return allowed.every((text) => text.startsWith('tensor(')) ? tensorType(DataType.UNDEFINED) : undefined;
}

/** The same type with every shape in it left open. */
export function withoutShape(type: ValueType): ValueType {
  switch (type.kind) {
    case 'tensor':
    case 'sparse_tensor':
      return { kind: type.kind, dataType: type.dataType, shape: undefined };
    case 'sequence':
    case 'optional':
      return { kind: type.kind, element: type.element && withoutShape(type.element) };
    case 'map':
      return { ...type, valueType: type.valueType && withoutShape(type.valueType) };
    default:
      return type;
  }
}
