/** com.microsoft.FusedMatMul: a MatMul that transposes and scales on its way. */
import { type Attribute, attribute, floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import type { Value } from '../../../ir/value.js';
import { DataType } from '../../../tensor/dtype.js';
import { hasReference } from '../../engine/operands.js';
import { MICROSOFT, requireOpset, whyNotAvailable } from '../../engine/require-opset.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { nameOf, onlyConsumer, takeOver } from '../../nodes.js';
import { dataTypeOf, rankOf } from '../../types.js';
import { isFactor, scaleOf } from './scalar-factor.js';

/** How one input is read. */
interface Turn {
  /** Its last two axes are swapped. */
  readonly trans: boolean;
  /** Its first axis comes after the batch axes: [m, …batch, k]. */
  readonly batch: boolean;
}

interface Product {
  readonly node: Node;
  readonly inputs: readonly [Value, Value];
  readonly turns: readonly [Turn, Turn];
  readonly alpha: number;
}

/** Element types that the kernel for the CPU has. */
const TYPES: ReadonlySet<number> = new Set([DataType.FLOAT, DataType.DOUBLE, DataType.FLOAT16]);

/** A FusedMatMul or, unless `fusedOnly`, a MatMul as a product; undefined for other nodes. */
export function productOf(node: Node | undefined, fusedOnly: boolean): Product | undefined {
  const [a, b] = node?.inputs ?? [];
  if (!node || !a || !b) return undefined;
  if (hasReference(node)) return undefined;
  const fused = node.domain === MICROSOFT && node.opType === 'FusedMatMul';
  if (!fused && (fusedOnly || !node.is('MatMul'))) return undefined;
  const dataType = dataTypeOf(a) ?? dataTypeOf(b) ?? dataTypeOf(node.outputs[0]);
  if (dataType === undefined || !TYPES.has(dataType)) return undefined;
  const flag = (name: string): boolean => fused && node.int(name, 0) !== 0;
  return {
    node,
    inputs: [a, b],
    turns: [
      { trans: flag('transA'), batch: flag('transBatchA') },
      { trans: flag('transB'), batch: flag('transBatchB') },
    ],
    alpha: fused ? node.float('alpha', 1) : 1,
  };
}

/** Takes a Transpose before one of the inputs of a product into it. */
export function transposeBefore(product: Product, context: RewriteContext): Match {
  const { node, inputs, turns } = product;
  const ranks = inputs.map(rankOf);
  for (const slot of [0, 1] as const) {
    const value = inputs[slot];
    const transpose = value.producer;
    const source = transpose?.is('Transpose') ? transpose.input(0) : undefined;
    const rank = ranks[slot] ?? rankOf(source);
    if (
      !transpose ||
      hasReference(transpose) ||
      !source ||
      rank === undefined ||
      rank < 2 ||
      transpose.graph !== node.graph
    )
      continue;
    const perm = transpose.ints('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
    const order = orderOf(turns[slot], rank).map((axis) => perm[axis]);
    const turn = TURNS.find((each) => sameList(orderOf(each, rank), order));
    if (!turn || (turn.batch && (rank < 3 || ranks[0] !== ranks[1]))) continue;
    // A Transpose that stays for others makes a MatMul no better.
    if (node.is('MatMul') && onlyConsumer(value) !== node && !(inputs[0] === inputs[1] && value.uses.size === 2))
      continue;
    const newInputs: [Value, Value] = slot === 0 ? [source, inputs[1]] : [inputs[0], source];
    const newTurns: [Turn, Turn] = slot === 0 ? [turn, turns[1]] : [turns[0], turn];
    return fused([node, transpose], node, { ...product, inputs: newInputs, turns: newTurns }, context);
  }
  return undefined;
}

/** (A·B)ᵀ = Bᵀ·Aᵀ: takes a Transpose of the last two axes of a product into it. */
export function transposeAfter(transpose: Node, fusedOnly: boolean, context: RewriteContext): Match {
  const value = transpose.input(0);
  const product = productOf(value?.producer, fusedOnly);
  if (!value || !product || hasReference(transpose)) return undefined;
  const [a, b] = product.inputs.map(rankOf);
  if (a === undefined || a < 2 || a !== b) return undefined;
  const perm = transpose.ints('perm') ?? Array.from({ length: a }, (_, axis) => a - 1 - axis);
  if (!sameList(perm, orderOf({ trans: true, batch: false }, a))) return undefined;
  if (onlyConsumer(value) !== transpose) return `"${value.name}" is also used elsewhere`;
  const turned = ({ trans, batch }: Turn): Turn => ({ trans: !trans, batch });
  const { inputs, turns } = product;
  return fused(
    [transpose, product.node],
    transpose,
    { ...product, inputs: [inputs[1], inputs[0]], turns: [turned(turns[1]), turned(turns[0])] },
    context,
  );
}

/** Takes a multiplication of one of the inputs with a number into alpha. */
export function scaleBefore(product: Product, context: RewriteContext): Match {
  for (const [slot, value] of product.inputs.entries()) {
    const node = value.producer;
    const rank = rankOf(value);
    const scale = scaleOf(node, rank ?? 0);
    const source = scale?.input;
    // The number must not have given the value its rank.
    if (!node || !scale || !source || rank !== rankOf(source) || onlyConsumer(value) !== product.node) continue;
    const alpha = product.alpha * scale.factor;
    if (!isFactor(alpha, dataTypeOf(source))) continue;
    const inputs: [Value, Value] = slot === 0 ? [source, product.inputs[1]] : [product.inputs[0], source];
    return fused([node, product.node], product.node, { ...product, inputs, alpha }, context);
  }
  return undefined;
}

/** Takes a multiplication of the product with a number into alpha. */
export function scaleAfter(node: Node, fusedOnly: boolean, context: RewriteContext): Match {
  const scale = scaleOf(node, rankOf(node.input(0)) ?? rankOf(node.input(1)) ?? 0);
  const product = productOf(scale?.input.producer, fusedOnly);
  if (!scale || !product || (rankOf(scale.input) ?? -1) !== (rankOf(node.outputs[0]) ?? -1)) return undefined;
  if (onlyConsumer(scale.input) !== node) return `"${scale.input.name}" is also used elsewhere`;
  const alpha = product.alpha * scale.factor;
  if (!isFactor(alpha, dataTypeOf(scale.input))) return undefined;
  return fused([node, product.node], node, { ...product, alpha }, context);
}

const TURNS: readonly Turn[] = [
  { trans: false, batch: false },
  { trans: true, batch: false },
  { trans: false, batch: true },
  { trans: true, batch: true },
];

/** The axes of an input in the order in which the product sees them. */
function orderOf({ trans, batch }: Turn, rank: number): number[] {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  const [row, column] = [batch ? 0 : rank - 2, rank - 1];
  const rest = batch ? axes.slice(1, -1) : axes.slice(0, -2);
  return trans ? [...rest, column, row] : [...rest, row, column];
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, at) => item === b[at]);
}

function fused(nodes: readonly Node[], last: Node, product: Product, context: RewriteContext): Match {
  const reason = whyNotAvailable(context, last, 'FusedMatMul');
  if (reason !== undefined) return reason;
  const { node, inputs, turns, alpha } = product;
  const attributes: Attribute[] = alpha === 1 ? [] : [floatAttribute('alpha', alpha)];
  for (const [slot, letter] of ['A', 'B'].entries()) {
    if (turns[slot]?.trans) attributes.push(attribute(`trans${letter}`, 1));
    if (turns[slot]?.batch) attributes.push(attribute(`transBatch${letter}`, 1));
  }
  return {
    nodes,
    apply() {
      requireOpset(context, last);
      return takeOver(last, { opType: 'FusedMatMul', domain: MICROSOFT, ...nameOf(node), inputs, attributes });
    },
  };
}
