import type { Dim, Shape, TensorType, ValueType } from '../../ir/type.js';
import { tensorType } from '../../ir/type.js';
import { DataType } from '../../tensor/dtype.js';
import type { RuleContext, RuleTable } from './context.js';
import { joinTypes } from './merge.js';

function elementOf(type: ValueType | undefined): ValueType | undefined {
  return type?.kind === 'sequence' || type?.kind === 'optional' ? type.element : undefined;
}

function tensorElement(type: ValueType | undefined): TensorType | undefined {
  const element = elementOf(type);
  return element?.kind === 'tensor' ? element : undefined;
}

function sequenceConstruct(context: RuleContext): void {
  const types = context.node.inputs.map((_, slot) => context.type(slot));
  const [first, ...rest] = types;
  let element = first;
  for (const type of rest) element = joinTypes(element, type);
  if (element) context.setType(0, { kind: 'sequence', element });
}

function sequenceEmpty(context: RuleContext): void {
  context.setType(0, { kind: 'sequence', element: tensorType(context.int('dtype') ?? DataType.FLOAT) });
}

function sequenceAt(context: RuleContext): void {
  context.setType(0, elementOf(context.type(0)));
}

function sequenceInsert(context: RuleContext): void {
  const element = joinTypes(elementOf(context.type(0)), context.type(1));
  // An empty sequence says nothing of shapes, so the join may lose what the inserted tensor has: that is right.
  if (element) context.setType(0, { kind: 'sequence', element });
}

function sequenceErase(context: RuleContext): void {
  context.setType(0, context.type(0));
}

function sequenceLength(context: RuleContext): void {
  context.setShape(0, []);
}

function splitToSequence(context: RuleContext): void {
  const input = context.tensor(0);
  if (!input || input.dataType === DataType.UNDEFINED) return;
  const { shape } = input;
  const axis = shape && context.axis(context.int('axis'), shape.length);
  let element: Shape;
  if (shape && axis !== undefined) {
    if (!context.has(1)) {
      const keep = context.int('keepdims') !== 0;
      element = shape.flatMap((dim, at): Dim[] => (at !== axis ? [dim] : keep ? [1] : []));
    } else {
      const size = context.rank(1) === 0 ? context.single(1) : undefined;
      const whole = shape[axis];
      const even = typeof size === 'number' && typeof whole === 'number' && whole % size === 0;
      element = shape.map((dim, at) => (at === axis ? (even ? size : undefined) : dim));
    }
  }
  context.setType(0, { kind: 'sequence', element: tensorType(input.dataType, element) });
}

function concatFromSequence(context: RuleContext): void {
  const element = tensorElement(context.type(0));
  if (!element) return;
  context.setDataType(0, element.dataType === DataType.UNDEFINED ? undefined : element.dataType);
  const { shape } = element;
  if (!shape) return;
  const stacked = context.int('new_axis') === 1;
  const axis = context.axis(context.int('axis'), shape.length + (stacked ? 1 : 0));
  if (axis === undefined) return;
  context.setShape(
    0,
    stacked
      ? [...shape.slice(0, axis), undefined, ...shape.slice(axis)]
      : shape.map((dim, at) => (at === axis ? undefined : dim)),
  );
}

/** The body is called with one element of the first sequence, and of the others that are sequences. */
function sequenceMap(context: RuleContext): void {
  const body = context.graph('body');
  if (!body) return;
  const inputs = context.node.inputs.map((_, slot) => {
    const type = context.type(slot);
    return type?.kind === 'sequence' ? type.element : type;
  });
  const result = context.host.inferSubgraph(body, inputs);
  result.types.forEach((type, index) => {
    if (type) context.setType(index, { kind: 'sequence', element: type });
  });
}

function optional(context: RuleContext): void {
  const attribute = context.attribute('type');
  const element = context.type(0) ?? (attribute?.kind === 'type' ? attribute.value : undefined);
  if (element) context.setType(0, { kind: 'optional', element });
}

/** From opset 18 on a plain tensor or sequence passes through. */
function optionalGetElement(context: RuleContext): void {
  const type = context.type(0);
  context.setType(0, type?.kind === 'optional' ? type.element : type);
}

function optionalHasElement(context: RuleContext): void {
  context.setShape(0, []);
}

export const sequenceRules: RuleTable = [
  ['SequenceConstruct', sequenceConstruct],
  ['SequenceEmpty', sequenceEmpty],
  ['SequenceAt', sequenceAt],
  ['SequenceInsert', sequenceInsert],
  ['SequenceErase', sequenceErase],
  ['SequenceLength', sequenceLength],
  ['SequenceMap', sequenceMap],
  ['SplitToSequence', splitToSequence],
  ['ConcatFromSequence', concatFromSequence],
  ['Optional', optional],
  ['OptionalGetElement', optionalGetElement],
  ['OptionalHasElement', optionalHasElement],
];
