import { attribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import { DataType } from '../../../tensor/dtype.js';
import { defineRewrite } from '../../engine/define-rewrite.js';
import { writeList } from '../../engine/operands.js';
import type { Match, RewriteContext } from '../../engine/rewrite.js';
import { onlyConsumer, takeOver } from '../../nodes.js';
import { dataTypeOf, sameDim, shapeOf } from '../../types.js';
import { isIdentityPerm, type Perm, permOf } from '../views/perms.js';
import { type Equation, equationText, pairProduct, readEquation } from './einsum-equation.js';

/**
 * An Einsum that is one MatMul, Mul, Transpose or ReduceSum is written as such: `bik,bkj->bij` = MatMul, `ij->ji` =
 * Transpose, `ij->i` = ReduceSum. A Transpose before or after an Einsum is merged into its equation.
 *
 * Fires when no axis has to be moved for it, and the sizes that are summed over are known to be the same. Skips Einsum
 * with an ellipsis, a diagonal, more than two operands, and where it would take two nodes. Numerics: reassociates.
 */
export const fuseEinsum = defineRewrite<object>({
  name: 'fuse-einsum',
  summary: 'Replaces Einsum with MatMul, Mul, Transpose or ReduceSum, and merges Transposes into its equation.',
  group: 'fuse',
  numerics: 'reassociates',
  scope: 'all-graphs',
  opset: [12, null],
  options: {},
  roots: ['Einsum', 'Transpose'],
  rules: () => ({ match: matchEinsum }),
});

function matchEinsum(node: Node, context: RewriteContext): Match {
  if (node.is('Transpose')) return matchAfter(node);
  const equation = readEquation(node);
  if (!equation) return undefined;
  const written = matchOne(node, equation, context) ?? matchPair(node, equation, context);
  return typeof written === 'object' ? written : (matchBefore(node, equation) ?? written);
}

/** Letters of a term before axes were moved by `perm`. */
function unmoved(term: string, perm: Perm): string | undefined {
  if (perm.length !== term.length) return undefined;
  const letters = [...term];
  perm.forEach((axis, at) => {
    letters[axis] = term[at] as string;
  });
  return letters.join('');
}

/** Operands that a Transpose made for this node alone. */
function matchBefore(node: Node, equation: Equation): Match {
  const transposes: Node[] = [];
  const operands = equation.operands.map((term, slot) => {
    const value = node.input(slot);
    const producer = value && onlyConsumer(value) === node ? value.producer : undefined;
    const perm = producer?.input(0) && permOf(producer, term.length);
    const before = perm && unmoved(term, perm);
    if (before === undefined || !producer) return term;
    transposes.push(producer);
    return before;
  });
  if (transposes.length === 0) return undefined;
  const inputs = node.inputs.map((value) =>
    value?.producer && transposes.includes(value.producer) ? value.producer.input(0) : value,
  );
  const text = equationText({ operands, output: equation.output });
  return {
    nodes: [node, ...transposes],
    apply: () => takeOver(node, { opType: 'Einsum', inputs, attributes: [attribute('equation', text)] }),
  };
}

function matchAfter(node: Node): Match {
  const value = node.input(0);
  const einsum = value?.producer;
  const equation = einsum && readEquation(einsum);
  const perm = equation && permOf(node, equation.output.length);
  if (!value || !einsum || !perm || onlyConsumer(value) !== node) return undefined;
  const output = perm.map((axis) => equation.output[axis]).join('');
  const text = equationText({ operands: equation.operands, output });
  const inputs = [...einsum.inputs];
  return {
    nodes: [node, einsum],
    apply: () =>
      takeOver(node, { opType: 'Einsum', name: einsum.name, inputs, attributes: [attribute('equation', text)] }),
  };
}

/** Types that all operators which are written have kernels for. */
const TYPES: ReadonlySet<number> = new Set([
  DataType.FLOAT,
  DataType.DOUBLE,
  DataType.FLOAT16,
  DataType.INT32,
  DataType.INT64,
]);

function matchOne(node: Node, { operands, output }: Equation, context: RewriteContext): Match {
  const [term = ''] = operands;
  const source = node.input(0);
  if (operands.length !== 1 || !source || !TYPES.has(dataTypeOf(source) ?? DataType.UNDEFINED)) return undefined;
  if (output.length === term.length) {
    const perm = [...output].map((letter) => term.indexOf(letter));
    if (isIdentityPerm(perm))
      return { nodes: [node], apply: () => takeOver(node, { opType: 'Identity', inputs: [source] }) };
    return {
      nodes: [node],
      apply: () => takeOver(node, { opType: 'Transpose', inputs: [source], attributes: [attribute('perm', perm)] }),
    };
  }
  const kept = [...term].filter((letter) => output.includes(letter)).join('');
  if (kept !== output) return undefined;
  const axes = [...term].flatMap((letter, axis) => (output.includes(letter) ? [] : [axis]));
  return {
    nodes: [node],
    apply() {
      const { inputs, attributes } = writeList(context, node, 'ReduceSum', 'axes', axes);
      return takeOver(node, {
        opType: 'ReduceSum',
        inputs: [source, ...inputs],
        attributes: [...attributes, attribute('keepdims', 0)],
      });
    },
  };
}

function matchPair(node: Node, equation: Equation, context: RewriteContext): Match {
  const product = pairProduct(equation);
  const [a, b] = node.inputs;
  const dataType = dataTypeOf(a) ?? dataTypeOf(b) ?? DataType.UNDEFINED;
  if (!product || !a || !b || !TYPES.has(dataType) || context.opset(node) < 12) return undefined;
  const size = (slot: number) => shapeOf(node.input(slot))?.[equation.operands[slot]?.indexOf(product.summed) ?? -1];
  if (product.summed !== '' && !sameDim(size(0), size(1))) return `the sizes of "${product.summed}" may differ`;
  const inputs = product.swapped ? [b, a] : [a, b];
  return { nodes: [node], apply: () => takeOver(node, { opType: product.opType, inputs }) };
}
