import type { Node } from '../../ir/node.js';
import type { Value } from '../../ir/value.js';
import { DataType, type DataTypeCode } from '../../tensor/dtype.js';
import { bytesOf, Tensor } from '../../tensor/tensor.js';
import { addConstant, makeConstant } from '../constants.js';
import { defineRewrite } from '../engine/define-rewrite.js';
import type { Match, RewriteContext } from '../engine/rewrite.js';
import { dataTypeOf } from '../types.js';

/**
 * Integers that follow from shapes alone become constants: `Gather(Shape(x), 1)` where x is `[batch, 3, h, w]`, what is
 * computed from them, and comparisons of sizes that hold whatever the symbols are.
 *
 * Fires when shape inference knows every element of an integer or bool output as a number. An output of the graph
 * becomes a Constant node. Refuses: a constant that would make the file larger than its limit. Numerics: exact.
 */
export const foldKnownValues = defineRewrite<object>({
  name: 'fold-known-values',
  summary: 'Folds sizes and other integers that shape inference determines.',
  group: 'fold',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [1, null],
  options: {},
  roots: '*',
  rules: () => ({ match: matchKnown }),
});

/** What a constant may take without a look at the budget: about what the node that it replaces takes. */
const SMALL_BYTES = 64;

function matchKnown(node: Node, context: RewriteContext): Match {
  if (node.is('Constant')) return undefined;
  for (const output of node.outputs) {
    const tensor = output && (output.uses.size > 0 || output.isGraphOutput) ? knownTensor(output, context) : undefined;
    if (!output || !tensor) continue;
    if (output.pinned) return `"${output.name}" is named by parts of the model that are kept as they are`;
    if (output.isGraphOutput && node.outputs.length > 1) return `"${output.name}" is one of several outputs`;
    if (tensor.byteLength > SMALL_BYTES && !context.mayGrow(tensor.byteLength))
      return `a constant of ${tensor.byteLength} bytes would be larger than the nodes that compute it`;
    return {
      nodes: [node],
      apply() {
        if (node.outputs.length === 1) return makeConstant(output, tensor);
        output.replaceUsesWith(addConstant(node.graph, output.name, tensor, node));
        return undefined;
      },
    };
  }
  return undefined;
}

function knownTensor(value: Value, context: RewriteContext): Tensor | undefined {
  const elements = context.elements(value);
  const dataType = dataTypeOf(value);
  if (!elements || dataType === undefined) return undefined;
  const numbers: number[] = [];
  for (const item of elements.items) {
    if (typeof item !== 'number' || !Number.isSafeInteger(item)) return undefined;
    numbers.push(item);
  }
  return integerTensor(dataType, elements.dims, numbers);
}

/** A tensor of whole numbers that fit the type; undefined for other types. */
function integerTensor(
  dataType: DataTypeCode,
  dims: readonly number[],
  numbers: readonly number[],
): Tensor | undefined {
  if (dataType === DataType.INT64) return Tensor.int64(numbers, dims);
  const isBool = dataType === DataType.BOOL;
  const elements = ARRAYS.get(dataType)?.(isBool ? numbers.map((item) => Number(item !== 0)) : numbers);
  const fits = elements && (isBool || numbers.every((item, at) => item === elements[at]));
  return fits ? Tensor.of(dataType, dims, bytesOf(elements)) : undefined;
}

type MakeArray = (
  numbers: readonly number[],
) => Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array;

const ARRAYS: ReadonlyMap<DataTypeCode, MakeArray> = new Map<DataTypeCode, MakeArray>([
  [DataType.INT32, (numbers) => Int32Array.from(numbers)],
  [DataType.UINT32, (numbers) => Uint32Array.from(numbers)],
  [DataType.INT16, (numbers) => Int16Array.from(numbers)],
  [DataType.UINT16, (numbers) => Uint16Array.from(numbers)],
  [DataType.INT8, (numbers) => Int8Array.from(numbers)],
  [DataType.UINT8, (numbers) => Uint8Array.from(numbers)],
  [DataType.BOOL, (numbers) => Uint8Array.from(numbers)],
]);
