import { elementCount } from '../tensor/tensor.js';
import type { ExampleElement } from './example-tensors.js';
import { shellWord } from './shell-word.js';

/** Elements that are written out; more are produced by Python. */
const MOST_WRITTEN = 32;

/** A tensor of a request, as the server takes it. */
export interface NestedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly element: ExampleElement;
}

/** One of the Open Inference Protocol, which names types. */
export interface RequestTensor extends NestedTensor {
  /** `FP32`, `BYTES`. */
  readonly datatype: string;
}

/** A tensor that JSON cannot carry in the Open Inference Protocol, which wants it as bytes. */
export function binaryOnly(tensors: readonly RequestTensor[]): RequestTensor | undefined {
  return tensors.find(({ datatype }) => datatype === 'FP16' || datatype === 'BF16');
}

/** Whether a request has more elements than one would write out. */
export function isLargeRequest(tensors: readonly NestedTensor[]): boolean {
  return tensors.some(({ shape }) => elementCount(shape) > MOST_WRITTEN);
}

/** A command of a shell that prints the body of a request: the body itself, or Python that makes it where it is large. */
export function printedRequest<T extends NestedTensor>(tensors: readonly T[], body: RequestBody<T>): string {
  return isLargeRequest(tensors)
    ? `python3 -c ${shellWord(`import json; print(json.dumps(${body(tensors, true)}))`)}`
    : `printf '%s' ${shellWord(body(tensors))}`;
}

/** A body in JSON with every element, or as Python, which reads names in JSON too. */
type RequestBody<T extends NestedTensor> = (tensors: readonly T[], asPython?: boolean) => string;

/** As the Open Inference Protocol has it. */
export function v2Body(tensors: readonly RequestTensor[], asPython = false): string {
  const inputs = tensors.map(({ name, datatype, shape, element }) => {
    const data = repeated(elementText(element, asPython), elementCount(shape), asPython);
    return `{"name":${JSON.stringify(name)},"shape":${JSON.stringify(shape)},"datatype":"${datatype}","data":${data}}`;
  });
  return `{"inputs":[${inputs.join(',')}]}`;
}

/** As nested lists by name. */
export function nestedBody(tensors: readonly NestedTensor[], asPython = false): string {
  const fields = tensors.map(({ name, shape, element }) => {
    const lists = shape.reduceRight((item, size) => repeated(item, size, asPython), elementText(element, asPython));
    return `${JSON.stringify(name)}:${lists}`;
  });
  return `{${fields.join(',')}}`;
}

function repeated(item: string, size: number, asPython: boolean): string {
  return asPython ? `[${item}]*${size}` : `[${Array.from({ length: size }, () => item).join(',')}]`;
}

function elementText(element: ExampleElement, asPython: boolean): string {
  if (asPython && typeof element === 'boolean') return element ? 'True' : 'False';
  return JSON.stringify(element);
}
