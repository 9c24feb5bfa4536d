/**
 * Places where FLOAT16 is unsafe whatever the data, told by the structure of the graph. FLOAT16 ends at 65504 and has
 * 11 bits; its smallest number is 6e-8. The same classes of operators stay in FLOAT32 in the autocast lists of PyTorch
 * and TensorFlow; here only the places where they meet do, so that no more than needed stays wide.
 */
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { constantTensor } from '../../../ir/walk.js';
import { DataType } from '../../../tensor/dtype.js';
import { FLOAT16_SMALLEST } from '../../../tensor/float16.js';
import { elementTypeOf, isShapeOnly } from './classes.js';
import type { NarrowFloat } from './narrow-float.js';
import { nodesOnPaths, type PathRule } from './paths.js';

const standard = (...opTypes: readonly string[]): ((node: Node) => boolean) => {
  const set = new Set(opTypes);
  return (node) => node.domain === '' && set.has(node.opType);
};

const REDUCES = ['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'GlobalAveragePool', 'AveragePool'] as const;
const isScaling = standard('Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Clip', 'Abs', 'Relu', 'Neg', 'Cast', 'Where');
const isReduce = standard(...REDUCES);
const isPositional = standard('Add', 'Sub', 'Mul', 'Div', 'MatMul', 'Einsum', 'Cast', 'Neg');
const isOffset = standard('Add', 'Max', 'Min', 'Clip', 'Where');
const isSummed = standard('Add', 'Mul', 'Clip', 'Max');

interface NamedRule extends PathRule {
  readonly reason: string;
  /** It is about the shorter exponent of FLOAT16; otherwise about its few digits. */
  readonly isRange: boolean;
}

const RULES: readonly NamedRule[] = [
  {
    reason: 'squares under a square root exceed the float16 range from 256 on',
    isRange: true,
    start: isSquare,
    through: (node) => isScaling(node) || isReduce(node) || isShapeOnly(node),
    end: isSquareRoot,
  },
  {
    reason: 'a divisor or logarithm needs values that float16 rounds to zero',
    isRange: true,
    start: (node) => isSquareRoot(node) || standard('ReduceL2')(node) || addsTinyConstant(node),
    through: (node) => isOffset(node) || isShapeOnly(node),
    end: isSingular,
    enters: (node, slot) => !node.is('Div') || slot === 1,
  },
  {
    reason: 'the product with a reciprocal exceeds the float16 range',
    isRange: true,
    start: (node) => isReciprocal(node),
    through: isShapeOnly,
    end: standard('Mul'),
  },
  {
    reason: 'sums and exponentials before a division or logarithm exceed the float16 range',
    isRange: true,
    start: standard('Exp', 'ReduceSum', 'ReduceSumSquare', 'CumSum'),
    through: (node) => isSummed(node) || isReduce(node) || isShapeOnly(node),
    end: (node) => isSingular(node),
  },
  {
    reason: 'positions beyond 2048 are not exact in float16',
    isRange: false,
    start: (node) => standard('Range')(node) || castsInteger(node),
    through: (node) => isPositional(node) || isShapeOnly(node),
    end: standard('Sin', 'Cos'),
  },
];

/** Nodes that stay in FLOAT32, each with the reason. `order` holds the nodes topologically, outer graphs first. */
export function precisionRegions(order: readonly Node[], to: NarrowFloat): Map<Node, string> {
  const reasons = new Map<Node, string>();
  for (const rule of RULES) {
    if (rule.isRange && !to.isShortRanged) continue;
    for (const node of nodesOnPaths(order, rule)) if (!reasons.has(node)) reasons.set(node, worded(rule.reason, to));
  }
  for (const node of order) {
    if (to.isShortRanged && isSquareRoot(node) && !reasons.has(node))
      reasons.set(node, 'a square root of a small value is lost in float16');
  }
  for (const node of sizeArithmetic(order)) {
    if (!reasons.has(node)) reasons.set(node, 'it computes sizes or positions, which must be exact');
  }
  return reasons;
}

/** A reason that names FLOAT16 and its numbers, for the type at hand. */
function worded(reason: string, { name, wholeNumbers }: NarrowFloat): string {
  return reason.replace('float16', name).replace('2048', String(wholeNumbers));
}

/** x² as Mul(x, x), Pow(x, 2) or any other even power, or within a reduction. */
function isSquare(node: Node): boolean {
  if (node.is('ReduceSumSquare')) return true;
  if (node.is('Mul')) return node.input(0) !== undefined && node.input(0) === node.input(1);
  const exponent = node.is('Pow') ? scalarOf(node.input(1)) : undefined;
  return exponent !== undefined && exponent >= 2;
}

function isSquareRoot(node: Node): boolean {
  if (node.is('Sqrt')) return true;
  const exponent = node.is('Pow') ? scalarOf(node.input(1)) : undefined;
  return exponent === 0.5 || exponent === -0.5;
}

function isSingular(node: Node): boolean {
  return standard('Div', 'Log', 'Reciprocal')(node) || isReciprocal(node);
}

function isReciprocal(node: Node): boolean {
  if (node.is('Reciprocal')) return true;
  if (node.is('Div')) return scalarOf(node.input(0)) !== undefined;
  const exponent = node.is('Pow') ? scalarOf(node.input(1)) : undefined;
  return exponent !== undefined && exponent < 0;
}

/** A constant operand that FLOAT16 rounds to zero: the epsilon of a quotient. */
function addsTinyConstant(node: Node): boolean {
  if (!isOffset(node)) return false;
  return node.inputs.some((input) => {
    const scalar = Math.abs(scalarOf(input) ?? 0);
    return scalar > 0 && scalar < FLOAT16_SMALLEST;
  });
}

function castsInteger(node: Node): boolean {
  const from = node.is('Cast') ? elementTypeOf(node.input(0)) : undefined;
  return from === DataType.INT64 || from === DataType.INT32;
}

/** The number in a constant FLOAT or INT64 tensor of one element. */
function scalarOf(value: Value | undefined): number | undefined {
  const tensor = constantTensor(value);
  if (tensor?.size !== 1) return undefined;
  if (tensor.dataType === DataType.FLOAT) return tensor.float32Array()[0];
  return tensor.dataType === DataType.INT64 || tensor.dataType === DataType.INT32 ? tensor.integers()[0] : undefined;
}

const isSizeSource = standard('Shape', 'Size', 'Range');
const isSizeMath = standard(
  ...['Cast', 'Add', 'Sub', 'Mul', 'Div', 'Mod', 'Pow', 'Sqrt', 'Floor', 'Ceil', 'Round', 'Neg', 'Abs', 'Min', 'Max'],
  ...['Clip', 'Reciprocal', 'Concat', 'CumSum', 'Where', 'ReduceProd', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'Exp'],
);

/** Nodes all of whose data comes from Shape, Size and Range, over arithmetic and moves of elements. */
function sizeArithmetic(order: readonly Node[]): Set<Node> {
  const sizes = new Set<Value>();
  const nodes = new Set<Node>();
  for (const node of order) {
    const derived = isSizeSource(node) || ((isSizeMath(node) || isShapeOnly(node)) && takesOnlySizes(node, sizes));
    if (!derived) continue;
    nodes.add(node);
    for (const output of node.outputs) if (output) sizes.add(output);
  }
  return nodes;
}

function takesOnlySizes(node: Node, sizes: ReadonlySet<Value>): boolean {
  let found = false;
  for (const [slot, input] of node.inputs.entries()) {
    if (!input || !isDataSlot(node, slot) || constantTensor(input)) continue;
    if (!sizes.has(input)) return false;
    found = true;
  }
  return found;
}

/** Slots that hold data, not a condition, a shape or indices. */
function isDataSlot(node: Node, slot: number): boolean {
  if (node.is('Where')) return slot > 0;
  return slot === 0 || !isShapeOnly(node) || node.is('Concat');
}
