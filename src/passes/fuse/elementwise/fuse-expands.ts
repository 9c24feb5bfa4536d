import type { Node } from '../../../ir/node.js';
import { tensorType } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { inferNodeTypes } from '../../../ops/infer/infer-node.js';
import { DataType } from '../../../tensor/dtype.js';
import { Tensor } from '../../../tensor/tensor.js';
import { addConstant } from '../../constants.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { hasReference, readList } from '../../engine/operands.js';
import type { Match, Rewrite, RewriteContext } from '../../engine/rewrite.js';
import { dataTypeOf, sameShape, shapeOf } from '../../types.js';

/**
 * An operator that broadcasts its inputs needs no Expand before it where they broadcast to the same shape without:
 * Add(Expand(x; s), y) = Add(x, y). The same for a Tile of axes of size 1, and for ConstantOfShape, of which one
 * element is enough.
 *
 * Fires where the shape of the output is known and the same without; the Expand stays while something else needs it.
 * Refuses unknown shapes. Numerics: exact.
 */
export const fuseExpands = defineRewrite<object>({
  name: 'fuse-expands',
  summary: 'Removes Expand, Tile and ConstantOfShape before operators that broadcast.',
  group: 'fuse',
  numerics: 'exact',
  scope: 'all-graphs',
  opset: [7, null],
  options: {},
  roots: [
    ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Mod', 'And', 'Or', 'Xor', 'Equal', 'Greater', 'Less', 'GreaterOrEqual'],
    ...['LessOrEqual', 'BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'Max', 'Min', 'Sum', 'Mean', 'Where'],
    ...['PRelu', 'Expand'],
  ],
  rules: () => ({ match: matchBroadcast }),
});

/** Operators that broadcast since a later version than the others. */
const SINCE: ReadonlyMap<string, number> = new Map([
  ['Max', 8],
  ['Min', 8],
  ['Sum', 8],
  ['Mean', 8],
]);

function matchBroadcast(node: Node, context: RewriteContext): Match {
  if (context.opset(node) < (SINCE.get(node.opType) ?? 7)) return undefined;
  let reason: string | undefined;
  for (const value of new Set(node.inputs.slice(firstSlot(node), lastSlot(node)))) {
    const expanded = value && smallerInput(value, context);
    if (!value || !expanded) continue;
    if (broadcastsAlike(node, value, expanded.dims, context)) return bypass(node, value, expanded);
    reason ??= `without the ${expanded.by.opType} the shape may differ`;
  }
  return reason;
}

/** PRelu gives the shape of its first input; the shape that Expand is given is no operand to broadcast. */
function firstSlot(node: Node): number {
  return node.is('PRelu') ? 1 : 0;
}

function lastSlot(node: Node): number {
  return node.is('Expand') ? 1 : node.inputs.length;
}

interface Smaller {
  /** The node that makes it larger. */
  readonly by: Node;
  readonly dims: readonly (number | string | undefined)[];
  /** The value it is made of; undefined for ConstantOfShape. */
  readonly value: Value | undefined;
}

/** What a value is broadcast from, where it is made by repeating. */
function smallerInput(value: Value, context: RewriteContext): Smaller | undefined {
  const by = value.producer;
  if (by?.domain !== '' || hasReference(by)) return undefined;
  if (by.is('ConstantOfShape')) return { by, dims: [], value: undefined };
  const source = by.input(0);
  const dims = shapeOf(source);
  if (!source || !dims) return undefined;
  if (by.is('Expand')) return { by, dims, value: source };
  if (!by.is('Tile')) return undefined;
  const repeats = readList(context, by, 'repeats', 1);
  if (typeof repeats === 'string' || repeats.length !== dims.length) return undefined;
  const repeatsOnes = dims.every((dim, axis) => dim === 1 || repeats[axis] === 1);
  return repeatsOnes ? { by, dims, value: source } : undefined;
}

function broadcastsAlike(node: Node, value: Value, dims: Smaller['dims'], context: RewriteContext): boolean {
  const dataType = dataTypeOf(value);
  if (dataType === undefined) return false;
  const shapeWith = (other: boolean) => {
    const [type] = inferNodeTypes(node, context.opset(node), {
      typeOf: (input) => (other && input === value ? tensorType(dataType, dims) : input.type),
      elementsOf: (input) => (input === value ? undefined : context.elements(input)),
    });
    return type?.kind === 'tensor' ? type.shape : undefined;
  };
  return sameShape(shapeWith(true), shapeWith(false));
}

function bypass(node: Node, value: Value, smaller: Smaller): Rewrite {
  return {
    nodes: [node, smaller.by],
    apply() {
      const replacement = smaller.value ?? filling(smaller.by, node);
      for (const slot of node.inputs.keys()) if (node.input(slot) === value) node.setInput(slot, replacement);
      return node;
    },
  };
}

/** The element of a ConstantOfShape as a scalar; it is a float 0 where none is given. */
function filling(node: Node, before: Node): Value {
  const tensor = node.tensor('value')?.reshaped([]) ?? Tensor.of(DataType.FLOAT, [], new Uint8Array(4));
  return addConstant(before.graph, `${node.output().name}_element`, tensor, before);
}
