import type { Dim } from '../ir/type.js';
import { symbolsOf } from '../ops/dim.js';
import { batchNames } from '../samples/batch-names.js';
import { totalGuesses } from '../samples/decoder-inputs.js';
import { sizedInputs } from '../samples/sized-inputs.js';
import type { ValueSpec } from '../samples/types.js';
import { DataType, type DataTypeCode } from '../tensor/dtype.js';

/** An input of an example request: one element again and again. */
export interface ExampleTensor {
  readonly name: string;
  readonly dataType: DataTypeCode;
  /** As the model takes it; one row where the batch is open. */
  readonly shape: readonly number[];
  readonly element: ExampleElement;
}

/** An element that JSON and Python can spell. */
export type ExampleElement = number | boolean | string;

/** Open sizes other than the batch, where an example has to have one. */
export const EXAMPLE_SIZE = 4;

/**
 * The plainest tensors for the inputs of a model: ones, in sizes of which equal names are equal, sums of names fit, and masks of decoders
 * cover what is past and what is new. Whether the model takes them is another question.
 * @returns undefined where an input is no tensor or of unknown rank
 */
export function plainExample(inputs: readonly ValueSpec[]): readonly ExampleTensor[] | undefined {
  const sizes = new Map(batchNames(inputs).map((name) => [name, 1]));
  const [totals = []] = totalGuesses(inputs);
  for (const { input, axis } of totals) sizes.set(`${input}:${axis}`, 2 * EXAMPLE_SIZE);
  for (const { shape = [] } of inputs) {
    for (const [axis, dim] of shape.entries()) {
      if (typeof dim === 'string' && symbolsOf(dim)[0] === dim && !sizes.has(dim)) sizes.set(dim, openSize(axis));
    }
  }
  const tensors: ExampleTensor[] = [];
  for (const { name, dataType, shape } of sizedInputs(inputs, sizes)) {
    if (dataType === undefined || shape === undefined) return undefined;
    tensors.push({ name, dataType, shape: shape.map(closed), element: elementOf(dataType) });
  }
  return tensors;
}

function closed(dim: Dim, axis: number): number {
  return typeof dim === 'number' && dim >= 0 ? dim : openSize(axis);
}

/** What an open size is in an example: one row. */
export function openSize(axis: number): number {
  return axis === 0 ? 1 : EXAMPLE_SIZE;
}

/** An element that most models take: a word, a set flag, 1. */
export function elementOf(dataType: DataTypeCode | undefined): ExampleElement {
  if (dataType === DataType.STRING) return 'text';
  return dataType === DataType.BOOL ? true : 1;
}
