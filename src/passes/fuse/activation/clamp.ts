/** Clip, Relu, Min and Max with a constant: all of them are min(max(x, low), high). */
import { floatAttribute } from '../../../ir/attribute.js';
import type { NodeSpec } from '../../../ir/graph.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { BFLOAT16_MAX } from '../../../tensor/bfloat16.js';
import { DataType, type DataTypeCode, isFloat } from '../../../tensor/dtype.js';
import { FLOAT16_MAX } from '../../../tensor/float16.js';
import { addConstant } from '../../constants.js';
import { findPattern } from '../../engine/find-pattern.js';
import { op, type Pattern, scalar } from '../../engine/pattern.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { filledTensor, scalarOf } from '../../scalar.js';
import { dataTypeOf } from '../../types.js';

/** min(max(x, low), high). An end that is not there is infinite; one that Clip leaves out is the last finite number of a float type. */
export interface Clamp {
  readonly x: Value;
  readonly low: number;
  readonly high: number;
}

const BOUNDED: ReadonlyMap<string, Pattern> = new Map([
  ['Min', op('Min', ['x', scalar(undefined, 'bound')])],
  ['Max', op('Max', ['x', scalar(undefined, 'bound')])],
]);

/** The largest finite number of each float type: what Clip cuts infinities to when it has no bound. */
const LARGEST: ReadonlyMap<DataTypeCode, number> = new Map([
  [DataType.FLOAT, (2 - 2 ** -23) * 2 ** 127],
  [DataType.DOUBLE, Number.MAX_VALUE],
  [DataType.FLOAT16, FLOAT16_MAX],
  [DataType.BFLOAT16, BFLOAT16_MAX],
]);

/** A node as a clamp with known bounds; undefined for any other. */
export function clampOf(node: Node, context: RewriteContext): Clamp | undefined {
  const x = node.input(0);
  if (x && node.is('Relu')) return { x, low: 0, high: Number.POSITIVE_INFINITY };
  if (x && node.is('Clip')) return clipOf(node, x, context);
  const pattern = node.domain === '' && context.opset(node) >= 8 ? BOUNDED.get(node.opType) : undefined;
  const found = pattern && findPattern(pattern, node, context);
  if (typeof found !== 'object') return undefined;
  const bound = found.number('bound');
  const [low, high] = node.is('Max') ? [bound, Number.POSITIVE_INFINITY] : [Number.NEGATIVE_INFINITY, bound];
  return isExact(bound, dataTypeOf(found.value('x'))) ? { x: found.value('x'), low, high } : undefined;
}

function clipOf(node: Node, x: Value, context: RewriteContext): Clamp | undefined {
  const dataType = dataTypeOf(x);
  const largest = LARGEST.get(dataType ?? DataType.FLOAT) ?? Number.POSITIVE_INFINITY;
  const bound = (slot: number, name: string, missing: number): number => {
    if (context.opset(node) < 11) return node.float(name, missing);
    const value = node.input(slot);
    return value ? (scalarOf(context.constant(value)) ?? Number.NaN) : missing;
  };
  const low = bound(1, 'min', -largest);
  const high = bound(2, 'max', largest);
  // Where they are the wrong way round, the upper one wins.
  return isExact(low, dataType) && isExact(high, dataType) ? { x, low: Math.min(low, high), high } : undefined;
}

/** False for NaN, and for integers that a number cannot hold. */
function isExact(bound: number, dataType: DataTypeCode | undefined): boolean {
  if (Number.isNaN(bound)) return false;
  return (
    dataType === undefined ||
    isFloat(dataType) ||
    !(Math.abs(bound) > Number.MAX_SAFE_INTEGER && Number.isFinite(bound))
  );
}

/** `outer` after `inner`, which computes its input. */
export function composeClamps(inner: Clamp, outer: Clamp): Clamp {
  const cut = (value: number) => Math.min(Math.max(value, outer.low), outer.high);
  return { x: inner.x, low: cut(inner.low), high: cut(inner.high) };
}

/** The operator that computes a clamp of this type; undefined where it changes nothing. */
export function clampOperator(
  { low, high }: Clamp,
  dataType: DataTypeCode,
): 'Clip' | 'Relu' | 'Max' | 'Min' | undefined {
  if (low > Number.NEGATIVE_INFINITY && high < Number.POSITIVE_INFINITY) return 'Clip';
  if (low === 0 && isFloat(dataType)) return 'Relu';
  if (low > Number.NEGATIVE_INFINITY) return 'Max';
  return high < Number.POSITIVE_INFINITY ? 'Min' : undefined;
}

/** The node for a clamp at the place of `nodes[0]`; constants that `nodes` have already are used again. */
export function clampSpec(
  { x, low, high }: Clamp,
  opType: string,
  nodes: readonly [Node, ...Node[]],
  context: RewriteContext,
): Omit<NodeSpec, 'outputs'> {
  const [last] = nodes;
  const dataType = dataTypeOf(x) ?? DataType.FLOAT;
  const largest = LARGEST.get(dataType) ?? Number.POSITIVE_INFINITY;
  const bound = (value: number, name: string): Value | undefined => {
    if (Math.abs(value) >= largest) return undefined;
    const known = nodes.flatMap(({ inputs }) => inputs).find((input) => isScalar(input, value, dataType, context));
    const tensor = known ? undefined : filledTensor(value, dataType);
    return tensor ? addConstant(last.graph, `${x.name}_${name}`, tensor, last) : known;
  };
  if (opType === 'Relu') return { opType, inputs: [x] };
  if (opType === 'Clip' && context.opset(last) < 11) {
    const ends = [floatAttribute('min', low), floatAttribute('max', high)];
    return { opType, inputs: [x], attributes: ends.filter((_, end) => Math.abs(end === 0 ? low : high) < largest) };
  }
  const min = opType === 'Min' ? [] : [bound(low, 'min')];
  const max = opType === 'Max' ? undefined : bound(high, 'max');
  return { opType, inputs: [x, ...min, ...(max ? [max] : [])] };
}

function isScalar(value: Value | undefined, number: number, dataType: DataTypeCode, context: RewriteContext): boolean {
  const tensor = context.constant(value);
  return tensor?.rank === 0 && tensor.dataType === dataType && scalarOf(tensor) === number;
}
