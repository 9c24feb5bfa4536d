import { DataType, type DataTypeCode, dataTypeFromName } from '../../tensor/dtype.js';
import type { Dim, Shape, TensorType, ValueType } from '../type.js';
import { MAX_TEXT_DEPTH, type Scanner } from './scanner.js';

const CONTAINER = /^(seq|map|optional|sparse_tensor|opaque)$/;

/** True when a type comes next. `type` and `opaque` count only before "(": the first is any code by number, for data types without a name. */
export function nextIsType(scanner: Scanner): boolean {
  const word = scanner.peekIdentifier();
  if (word === undefined) return false;
  if (dataTypeFromName(word) !== undefined) return true;
  if (word !== 'type' && !CONTAINER.test(word)) return false;
  const start = scanner.position;
  scanner.identifier();
  const call = scanner.peek() === '(';
  scanner.rewind(start);
  return call;
}

/**
 * A type: `float` is a scalar, `float[]` a tensor of unknown rank, `float[N, 3, ?]` one of known rank;
 * `seq(T)`, `optional(T)`, `map(key, T)`, `sparse_tensor(float[3])`, `type(99)[2]`, and `?` for an element type left open.
 */
export function parseType(scanner: Scanner, depth = 0): ValueType {
  if (depth > MAX_TEXT_DEPTH) scanner.fail(`types nest deeper than ${MAX_TEXT_DEPTH}`);
  const word = scanner.peekIdentifier();
  const container = word !== undefined && dataTypeFromName(word) === undefined && CONTAINER.test(word);
  if (!container) return parseTensorType(scanner, 'tensor');
  scanner.identifier();
  scanner.expect('(', `after "${word}"`);
  const type = parseContainer(scanner, word, depth);
  scanner.expect(')', `to close "${word}("`);
  return type;
}

function parseContainer(scanner: Scanner, word: string, depth: number): ValueType {
  switch (word) {
    case 'map': {
      const keyType = parseDataType(scanner);
      scanner.expect(',', 'between the key and the value type of a map');
      return { kind: 'map', keyType, valueType: parseElement(scanner, depth) };
    }
    case 'sparse_tensor':
      return parseTensorType(scanner, 'sparse_tensor');
    case 'opaque':
      return { kind: 'opaque' };
    default:
      return { kind: word === 'seq' ? 'sequence' : 'optional', element: parseElement(scanner, depth) };
  }
}

function parseElement(scanner: Scanner, depth: number): ValueType | undefined {
  return scanner.matches('?') ? undefined : parseType(scanner, depth + 1);
}

function parseTensorType(scanner: Scanner, kind: TensorType['kind']): TensorType {
  return { kind, dataType: parseDataType(scanner), shape: parseShape(scanner) };
}

function parseDataType(scanner: Scanner): DataTypeCode {
  const at = scanner.position;
  const word = scanner.identifier();
  if (word === undefined) scanner.fail(`expected a type, found ${scanner.found()}`, at);
  if (word === 'type') {
    scanner.expect('(', 'after "type"');
    const code = scanner.integer('the number of a data type');
    scanner.expect(')', 'to close "type("');
    return code;
  }
  const code = dataTypeFromName(word);
  if (code === undefined || code === DataType.UNDEFINED) scanner.fail(`"${word.slice(0, 40)}" is not a type`, at);
  return code;
}

function parseShape(scanner: Scanner): Shape {
  if (!scanner.matches('[')) return [];
  if (scanner.matches(']')) return undefined;
  const dims: Dim[] = [];
  do dims.push(parseDim(scanner));
  while (scanner.matches(','));
  scanner.expect(']', 'after the dimensions');
  return dims;
}

function parseDim(scanner: Scanner): Dim {
  if (scanner.matches('?')) return undefined;
  return scanner.optionalName() ?? scanner.integer('a dimension');
}
