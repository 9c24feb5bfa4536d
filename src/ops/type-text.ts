import type { SequenceType, ValueType } from '../ir/type.js';
import { tensorType } from '../ir/type.js';
import { dataTypeFromName } from '../tensor/dtype.js';

const MAX_NESTING = 8;

/**
 * The type an operator schema writes as `tensor(float)`, `seq(tensor(int64))`, `optional(…)`, `map(int64, float)` or
 * `sparse_tensor(float)`, without shapes; undefined when the text is none of these (a type variable, for one).
 */
export function parseSchemaType(text: string, depth = 0): ValueType | undefined {
  const open = text.indexOf('(');
  if (open < 0 || !text.endsWith(')') || depth > MAX_NESTING) return undefined;
  const head = text.slice(0, open);
  const inner = text.slice(open + 1, -1);
  switch (head) {
    case 'tensor':
    case 'sparse_tensor': {
      const dataType = dataTypeFromName(inner);
      if (dataType === undefined) return undefined;
      return head === 'tensor' ? tensorType(dataType) : { kind: head, dataType, shape: undefined };
    }
    case 'seq':
    case 'optional': {
      const kind: SequenceType['kind'] = head === 'seq' ? 'sequence' : 'optional';
      const element = parseSchemaType(inner, depth + 1);
      return element && { kind, element };
    }
    case 'map': {
      const comma = inner.indexOf(',');
      const keyType = dataTypeFromName(inner.slice(0, comma).trim());
      const valueText = inner.slice(comma + 1).trim();
      // Map values are written without `tensor(…)` when they are plain elements.
      const scalar = dataTypeFromName(valueText);
      const valueType = scalar === undefined ? parseSchemaType(valueText, depth + 1) : tensorType(scalar, []);
      return keyType === undefined || !valueType ? undefined : { kind: 'map', keyType, valueType };
    }
    default:
      return undefined;
  }
}

/** The schema text of a type, shapes left out: the inverse of `parseSchemaType`. */
export function schemaTypeText(type: ValueType | undefined, nameOf: (dataType: number) => string): string {
  switch (type?.kind) {
    case 'tensor':
    case 'sparse_tensor':
      return `${type.kind}(${nameOf(type.dataType)})`;
    case 'sequence':
      return `seq(${schemaTypeText(type.element, nameOf)})`;
    case 'optional':
      return `optional(${schemaTypeText(type.element, nameOf)})`;
    case 'map': {
      const value = type.valueType;
      const valueText = value?.kind === 'tensor' ? nameOf(value.dataType) : schemaTypeText(value, nameOf);
      return `map(${nameOf(type.keyType)}, ${valueText})`;
    }
    default:
      return '';
  }
}
