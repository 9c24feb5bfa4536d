import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import type { ModelFacts } from '../model-facts.js';

/** Elements that are written out; more are produced by Python. */
const MOST_WRITTEN = 32;
/** Open sizes other than the batch, where an example has to have one. */
const EXAMPLE_SIZE = 8;

/** Data types of the Open Inference Protocol, and how an element is written in JSON. */
const V2_TYPES: ReadonlyMap<DataTypeCode, { readonly name: string; readonly zero: string }> = new Map([
  [DataType.BOOL, { name: 'BOOL', zero: 'false' }],
  [DataType.UINT8, { name: 'UINT8', zero: '0' }],
  [DataType.UINT16, { name: 'UINT16', zero: '0' }],
  [DataType.UINT32, { name: 'UINT32', zero: '0' }],
  [DataType.UINT64, { name: 'UINT64', zero: '0' }],
  [DataType.INT8, { name: 'INT8', zero: '0' }],
  [DataType.INT16, { name: 'INT16', zero: '0' }],
  [DataType.INT32, { name: 'INT32', zero: '0' }],
  [DataType.INT64, { name: 'INT64', zero: '0' }],
  [DataType.FLOAT, { name: 'FP32', zero: '0.0' }],
  [DataType.DOUBLE, { name: 'FP64', zero: '0.0' }],
  [DataType.STRING, { name: 'BYTES', zero: '"text"' }],
]);

/** A tensor of an example. */
interface ExampleTensor {
  readonly name: string;
  readonly type: { readonly name: string; readonly zero: string };
  readonly shape: readonly number[];
}

/** A command that writes a request of zeros for this model to `request.json`; undefined where JSON cannot carry an input. */
export function exampleRequest(facts: ModelFacts, server: 'v2' | 'torchserve'): string | undefined {
  const tensors: ExampleTensor[] = [];
  const batched = isBatched(facts);
  for (const { name, dataType, shape } of facts.inputs) {
    const type = dataType === undefined ? undefined : V2_TYPES.get(dataType);
    if (type === undefined || shape === undefined) return undefined;
    const sizes = shape.map((dim, axis) => (typeof dim === 'number' && dim >= 0 ? dim : axis === 0 ? 1 : EXAMPLE_SIZE));
    tensors.push({
      name,
      type,
      shape: server === 'v2' ? tritonShape(sizes, batched) : batched ? sizes.slice(1) : sizes,
    });
  }
  const large = tensors.some(({ shape }) => count(shape) > MOST_WRITTEN);
  const render = server === 'v2' ? v2Text : torchServeText;
  const text = render(tensors, large);
  return large
    ? `python3 -c ${shellWord(`import json; print(json.dumps(${text}))`)} > request.json`
    : `printf '%s' ${shellWord(text)} > request.json`;
}

/** Triton adds the batch to what its configuration says; the same rule as that of `package triton`. */
function isBatched({ inputs, outputs }: ModelFacts): boolean {
  return [...inputs, ...outputs].every(({ shape }) => shape?.length && typeof shape[0] !== 'number');
}

/** Tensors without a dimension of their own are served with one of size 1. */
function tritonShape(sizes: readonly number[], batched: boolean): readonly number[] {
  return sizes.length === (batched ? 1 : 0) ? [...sizes, 1] : sizes;
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** As JSON; as Python where lists are long, which reads names in JSON too. */
function v2Text(tensors: readonly ExampleTensor[], large: boolean): string {
  const inputs = tensors.map(({ name, type, shape }) => {
    const zero = element(type.zero, large);
    const length = count(shape);
    const data = large ? `[${zero}]*${length}` : `[${Array.from({ length }, () => zero).join(',')}]`;
    return `{"name":${JSON.stringify(name)},"shape":${JSON.stringify(shape)},"datatype":"${type.name}","data":${data}}`;
  });
  return `{"inputs":[${inputs.join(',')}]}`;
}

/** One request is one row, as nested lists by the name of the input. */
function torchServeText(tensors: readonly ExampleTensor[], large: boolean): string {
  const fields = tensors.map(({ name, type, shape }) => {
    const zero = element(type.zero, large);
    const lists = large
      ? shape.reduceRight((inner, size) => `[${inner}]*${size}`, zero)
      : shape.reduceRight((inner, size) => `[${Array.from({ length: size }, () => inner).join(',')}]`, zero);
    return `${JSON.stringify(name)}:${lists}`;
  });
  return `{${fields.join(',')}}`;
}

function element(zero: string, python: boolean): string {
  return python && zero === 'false' ? 'False' : zero;
}

/** A word of a shell, in single quotes where it needs them. */
export function shellWord(text: string): string {
  return /^[\w./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
