import { ServeOptError } from '../../errors.js';
import { DataType, dataTypeName, rawByteLength } from '../../tensor/dtype.js';
import { elementCount, Tensor, type TensorBytes } from '../../tensor/tensor.js';
import { formatType, type ValueType } from '../type.js';
import type { Scanner } from './scanner.js';
import {
  elementForm,
  encodeIntegers,
  encodeReals,
  isReal,
  literalRange,
  literalsPerElement,
} from './tensor-elements.js';

/** Gives the bytes of a tensor whose data the text only points at; the entries are those of `external_data`. */
export type ExternalDataResolver = (entries: ReadonlyMap<string, string>, byteLength: number) => TensorBytes;

/** The value of a tensor of the given type: `{1, 2}`, `{"raw bytes"}`, or `["location": "weights.bin", "offset": "0"]`. */
export function parseTensorData(
  scanner: Scanner,
  type: ValueType | undefined,
  typeAt: number,
  external: ExternalDataResolver | undefined,
): Tensor {
  if (type?.kind !== 'tensor') scanner.fail(`a tensor needs a tensor type, not ${formatType(type)}`, typeAt);
  const dims = numericDims(scanner, type.shape, typeAt);
  if (scanner.peek() === '[') return externalTensor(scanner, type.dataType, dims, typeAt, external);
  if (scanner.matches('...'))
    scanner.fail('the elements were left out when this text was printed; print it without a limit');
  scanner.expect('{', 'to begin the elements of the tensor');
  const tensor = elements(scanner, type.dataType, dims, typeAt);
  scanner.expect('}', 'after the elements of the tensor');
  return tensor;
}

/** `float[]` has no known rank in ONNX text; before a value it can only mean a scalar. */
function numericDims(scanner: Scanner, shape: readonly unknown[] | undefined, typeAt: number): number[] {
  const dims: number[] = [];
  for (const dim of shape ?? []) {
    if (typeof dim !== 'number' || dim < 0)
      scanner.fail('the dimensions of a tensor with a value must be numbers', typeAt);
    dims.push(dim);
  }
  return dims;
}

function elements(scanner: Scanner, dataType: number, dims: readonly number[], typeAt: number): Tensor {
  const form = elementForm(dataType);
  if (form === 'string') return stringTensor(scanner, dims, typeAt);
  if (scanner.peek() === '"') return rawTensor(scanner, dataType, dims);
  if (form === 'bytes') {
    scanner.fail(
      `elements of ${dataTypeName(dataType)} have no text form: write the raw bytes as one string, {"\\x00"}`,
    );
  }
  if (isReal(dataType)) {
    const values = list(scanner, () => realLiteral(scanner));
    checkCount(scanner, values.length, dims, literalsPerElement(dataType), typeAt);
    return Tensor.of(dataType, dims, encodeReals(dataType, values));
  }
  const { min, max } = literalRange(dataType);
  // What a number is checked against, as numbers: bigint comparison only where a number is not safe.
  const [low, high] = [Number(min), Number(max)];
  const values = list(scanner, () => {
    const at = scanner.position;
    const value = integerLiteral(scanner);
    if (typeof value === 'number' ? value < low || value > high : value < min || value > max) {
      scanner.fail(`${value} does not fit into ${dataTypeName(dataType)}`, at);
    }
    return value;
  });
  checkCount(scanner, values.length, dims, 1, typeAt);
  return Tensor.of(dataType, dims, encodeIntegers(dataType, values));
}

function list<T>(scanner: Scanner, item: () => T): T[] {
  const values: T[] = [];
  if (scanner.peek() === '}') return values;
  do values.push(item());
  while (scanner.matches(','));
  return values;
}

function realLiteral(scanner: Scanner): number {
  const literal = scanner.literal();
  if (literal?.kind === 'float') return literal.value;
  if (literal?.kind === 'int') return Number(literal.text);
  return elementFailure(scanner, 'a number', literal?.at);
}

function integerLiteral(scanner: Scanner): number | bigint {
  const literal = scanner.literal();
  if (literal?.kind !== 'int') return elementFailure(scanner, 'a whole number', literal?.at);
  const short = Number(literal.text);
  return Number.isSafeInteger(short) ? short : BigInt(literal.text);
}

function elementFailure(scanner: Scanner, expected: string, at: number | undefined): never {
  if (scanner.peek() === '.') {
    scanner.fail('the other elements were left out when this text was printed; print it without a limit');
  }
  return scanner.fail(`expected ${expected}${at === undefined ? `, found ${scanner.found()}` : ''}`, at);
}

function stringTensor(scanner: Scanner, dims: readonly number[], typeAt: number): Tensor {
  const values = list(scanner, () =>
    scanner.peek() === '"' ? scanner.stringBytes() : elementFailure(scanner, 'a string in quotes', undefined),
  );
  checkCount(scanner, values.length, dims, 1, typeAt);
  return Tensor.strings(dims, () => values);
}

function rawTensor(scanner: Scanner, dataType: number, dims: readonly number[]): Tensor {
  const at = scanner.position;
  const bytes = scanner.stringBytes();
  const expected = rawByteLength(dataType, elementCount(dims));
  if (expected !== undefined && expected !== bytes.length) {
    scanner.fail(`expected ${expected} raw bytes, found ${bytes.length}`, at);
  }
  return Tensor.of(dataType, dims, bytes);
}

function checkCount(scanner: Scanner, count: number, dims: readonly number[], perElement: number, at: number): void {
  const expected = elementCount(dims) * perElement;
  if (count !== expected) scanner.fail(`the shape [${dims.join(',')}] takes ${expected} numbers, found ${count}`, at);
}

function externalTensor(
  scanner: Scanner,
  dataType: number,
  dims: readonly number[],
  at: number,
  resolve: ExternalDataResolver | undefined,
): Tensor {
  const entries = parseStringMap(scanner, 'external data');
  const byteLength = rawByteLength(dataType, elementCount(dims));
  if (dataType === DataType.STRING || byteLength === undefined) {
    scanner.fail(`a tensor of ${dataTypeName(dataType)} cannot have external data`, at);
  }
  return Tensor.of(dataType, dims, resolve ? resolve(entries, byteLength) : unresolved(entries, byteLength));
}

/** `["key": "value", …]`; @throws SO3003 on a key given twice. */
export function parseStringMap(scanner: Scanner, what: string): Map<string, string> {
  const entries = new Map<string, string>();
  scanner.expect('[', `to begin the ${what}`);
  if (scanner.matches(']')) return entries;
  do {
    const at = scanner.position;
    const key = scanner.string('a key');
    if (entries.has(key)) scanner.fail(`the key ${JSON.stringify(key)} appears twice`, at);
    scanner.expect(':', 'after the key');
    entries.set(key, scanner.string('a value'));
  } while (scanner.matches(','));
  scanner.expect(']', `after the ${what}`);
  return entries;
}

/** A text lives in no folder, so the file it names is read only through a resolver. */
function unresolved(entries: ReadonlyMap<string, string>, byteLength: number): TensorBytes {
  const refuse = (): never => {
    throw new ServeOptError(
      'SO2102',
      `External data ${JSON.stringify(entries.get('location') ?? '')} of a text is not read`,
      {
        why: 'text has no folder for data files',
      },
    );
  };
  return { byteLength, read: refuse, chunks: refuse };
}
