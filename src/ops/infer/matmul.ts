import type { Dim, Shape } from '../../ir/type.js';
import type { RuleContext, RuleTable } from './context.js';
import { broadcast } from './elementwise.js';
import { unifyDims } from './merge.js';

/** numpy.matmul of two shapes. */
export function matmulShape(context: RuleContext, a: Shape, b: Shape): Shape {
  if (!a || !b) return undefined;
  if (a.length === 0 || b.length === 0) {
    context.problem('a scalar cannot be multiplied as a matrix');
    return undefined;
  }
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const inner = left.at(-1);
  const other = right.at(-2);
  unifyDims(inner, other, () => context.problem(`inner sizes differ: ${inner} and ${other}`));
  const batch = broadcast(context, [left.slice(0, -2), right.slice(0, -2)]);
  if (!batch) return undefined;
  return [...batch, ...(a.length === 1 ? [] : [left.at(-2)]), ...(b.length === 1 ? [] : [right.at(-1)])];
}

/** A product of the inputs at two positions. */
export function matmul(a: number, b: number): (context: RuleContext) => void {
  return (context) => context.setShape(0, matmulShape(context, context.shape(a), context.shape(b)));
}

/** Gemm and its quantized kin. */
export function gemm(a: number, b: number): (context: RuleContext) => void {
  return (context) => {
    const left = context.shape(a);
    const right = context.shape(b);
    const transA = context.int('transA') ? 1 : 0;
    const transB = context.int('transB') ? 1 : 0;
    const inner = left?.[1 - transA];
    const other = right?.[transB];
    unifyDims(inner, other, () => context.problem(`inner sizes differ: ${inner} and ${other}`));
    context.setShape(0, [left?.[transA], right?.[1 - transB]]);
  };
}

/** One term of an einsum equation: labels before and after the ellipsis. */
interface EinsumTerm {
  readonly before: string;
  readonly after: string;
  readonly ellipsis: boolean;
}

function einsumTerm(text: string): EinsumTerm {
  const [before = '', after] = text.split('...');
  return { before, after: after ?? '', ellipsis: after !== undefined };
}

/** Sizes of every label, and the broadcast shape the ellipsis stands for; undefined when a rank is unknown. */
export function einsum(context: RuleContext): void {
  const equation = context.string('equation')?.replaceAll(' ', '');
  if (equation === undefined) return;
  const [left = '', right] = equation.split('->');
  const terms = left.split(',').map(einsumTerm);
  const sizes = new Map<string, Dim>();
  const rests: (readonly Dim[])[] = [];
  for (const [slot, term] of terms.entries()) {
    const shape = context.shape(slot);
    const named = term.before.length + term.after.length;
    if (!shape) {
      if (term.ellipsis) return;
      continue;
    }
    if (term.ellipsis ? shape.length < named : shape.length !== named) {
      context.problem(`"${equation}" does not fit an input of rank ${shape.length}`);
      return;
    }
    if (term.ellipsis) rests.push(shape.slice(term.before.length, shape.length - term.after.length));
    const labelled = [...shape.slice(0, term.before.length), ...shape.slice(shape.length - term.after.length)];
    [...term.before, ...term.after].forEach((label, at) => {
      const dim = labelled[at];
      const known = sizes.get(label);
      sizes.set(
        label,
        known === 1
          ? dim
          : dim === 1
            ? (known ?? dim)
            : unifyDims(known, dim, () => context.problem(`label ${label} has sizes ${known} and ${dim}`)),
      );
    });
  }
  const rest = broadcast(context, rests);
  if (!rest) return;
  const output = einsumTerm(right ?? implicitOutput(left, rests.length > 0));
  const dimOf = (label: string): Dim => sizes.get(label);
  context.setShape(0, [
    ...[...output.before].map(dimOf),
    ...(output.ellipsis ? rest : []),
    ...[...output.after].map(dimOf),
  ]);
}

/** Without `->`: the ellipsis, then every label that occurs once, sorted. */
function implicitOutput(left: string, ellipsis: boolean): string {
  const labels = left.replace(/[.,]/g, '');
  const once = [...labels].filter((label) => labels.indexOf(label) === labels.lastIndexOf(label));
  return (ellipsis ? '...' : '') + once.sort().join('');
}

function det(context: RuleContext): void {
  context.setShape(0, context.shape(0)?.slice(0, -2));
}

export const matmulRules: RuleTable = [
  ['MatMul MatMulInteger', matmul(0, 1)],
  ['QLinearMatMul', matmul(0, 3)],
  ['Gemm', gemm(0, 1)],
  ['Einsum', einsum],
  ['Det', det],
];
