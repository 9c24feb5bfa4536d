import type { Dim } from '../../ir/type.js';
import { tensorType } from '../../ir/type.js';
import { constantNodeTensor } from '../../ir/walk.js';
import { DataType } from '../../tensor/dtype.js';
import { elementCount } from '../../tensor/tensor.js';
import { isNonNegative, productOfDims, subtractDims } from '../dim.js';
import type { RuleContext, RuleTable } from './context.js';
import { isCarriedCount, listElements, MAX_ELEMENTS, numericDims, scalarElements, tensorElements } from './elements.js';
import { unknownShape } from './layout.js';

function constant(context: RuleContext): void {
  const tensor = constantNodeTensor(context.node) ?? context.tensorAttribute('value');
  if (tensor) {
    context.setType(0, tensorType(tensor.dataType, tensor.dims));
    context.setElements(0, tensorElements(tensor));
    return;
  }
  // What is left: strings, sparse tensors (kept as bytes), and references inside local functions.
  for (const [name, dataType] of REFERENCED) {
    const value = context.attribute(name);
    if (value?.kind === 'int' || value?.kind === 'float' || value?.kind === 'string') {
      context.setType(0, tensorType(dataType, []));
      if (value.kind === 'int') context.setElements(0, scalarElements(Number(value.value)));
    } else if (value?.kind === 'ints' || value?.kind === 'floats' || value?.kind === 'strings') {
      context.setType(0, tensorType(dataType, [value.value.length]));
      if (value.kind === 'ints' && value.value.length <= MAX_ELEMENTS)
        context.setElements(0, listElements(value.value.map(Number)));
    }
  }
}

const REFERENCED: readonly (readonly [string, number])[] = [
  ['value_int', DataType.INT64],
  ['value_ints', DataType.INT64],
  ['value_float', DataType.FLOAT],
  ['value_floats', DataType.FLOAT],
  ['value_string', DataType.STRING],
  ['value_strings', DataType.STRING],
];

function constantOfShape(context: RuleContext): void {
  const value = context.tensorAttribute('value');
  context.setDataType(0, value?.dataType ?? DataType.FLOAT);
  const shape = context.elements(0)?.items;
  context.setShape(0, shape ?? unknownShape(context.dim(0, 0)));
  const dims = shape && numericDims(shape);
  const item = value ? tensorElements(value)?.items[0] : 0;
  if (
    !dims ||
    item === undefined ||
    !isCarriedCount(value?.dataType ?? DataType.FLOAT, elementCount(dims)) ||
    dims.some((dim) => dim < 0)
  )
    return;
  context.setElements(0, { dims, items: new Array<Dim>(elementCount(dims)).fill(item) });
}

function shapeOf(context: RuleContext): void {
  const shape = context.shape(0);
  const rank = shape?.length;
  if (!shape || rank === undefined) {
    context.setShape(0, [undefined]);
    return;
  }
  const start = clampAxis(context.int('start') ?? 0, rank);
  const end = clampAxis(context.int('end') ?? rank, rank);
  const part = shape.slice(start, Math.max(start, end));
  context.setShape(0, [part.length]);
  context.setElements(0, listElements(part));
}

function clampAxis(axis: number, rank: number): number {
  return Math.max(0, Math.min(rank, axis < 0 ? axis + rank : axis));
}

function size(context: RuleContext): void {
  context.setShape(0, []);
  const shape = context.shape(0);
  if (shape) context.setElements(0, scalarElements(productOfDims(shape)));
}

function range(context: RuleContext): void {
  context.setShape(0, [undefined]);
  const [start, limit, delta] = [context.single(0), context.single(1), context.has(2) ? context.single(2) : 1];
  if (typeof start === 'number' && typeof limit === 'number' && typeof delta === 'number') {
    if (delta === 0) return;
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    if (!Number.isSafeInteger(count)) return;
    context.setShape(0, [count]);
    const integer = context.dataType(0) === DataType.INT64 || context.dataType(0) === DataType.INT32;
    if (integer && count <= MAX_ELEMENTS)
      context.setElements(0, listElements(Array.from({ length: count }, (_, at) => start + at * delta)));
    return;
  }
  const length = delta === 1 ? subtractDims(limit, start) : undefined;
  if (length !== undefined && isNonNegative(length)) context.setShape(0, [length]);
}

/** RandomNormal and RandomUniform: everything is in the attributes. */
function randomOfShape(context: RuleContext): void {
  context.setDataType(0, context.int('dtype') ?? DataType.FLOAT);
  context.setShape(0, context.ints('shape'));
}

/** The type of the attribute, or else of the input. */
function likeInput(context: RuleContext): void {
  context.setDataType(0, context.int('dtype') ?? context.dataType(0));
  context.setShape(0, context.shape(0));
}

function multinomial(context: RuleContext): void {
  context.setDataType(0, context.int('dtype') ?? DataType.INT32);
  context.setShape(0, [context.dim(0, 0), context.int('sample_size') ?? 1]);
}

function window(context: RuleContext): void {
  context.setDataType(0, context.int('output_datatype') ?? DataType.FLOAT);
  context.setShape(0, [context.single(0)]);
}

export const generateRules: RuleTable = [
  ['Constant', constant],
  ['ConstantOfShape', constantOfShape],
  ['Shape', shapeOf],
  ['Size', size],
  ['Range', range],
  ['RandomNormal RandomUniform', randomOfShape],
  ['RandomNormalLike RandomUniformLike Bernoulli EyeLike', likeInput],
  ['Multinomial', multinomial],
  ['BlackmanWindow HammingWindow HannWindow', window],
];
