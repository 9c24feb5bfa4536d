/** Questions about Gemm and the MatMul of matrices that several fusions ask. */
import { type Attribute, attribute, floatAttribute } from '../../../ir/attribute.js';
import type { Node } from '../../../ir/node.js';
import type { Dim, Shape } from '../../../ir/type.js';
import type { Value } from '../../../ir/value.js';
import { DataType, isFloat } from '../../../tensor/dtype.js';
import { hasReference } from '../../engine/operands.js';
import type { RewriteContext } from '../../engine/rewrite.js';
import { dataTypeOf, sameDim, shapeOf } from '../../types.js';

/** Sizes of the matrix that a node gives out. */
export type MatrixDims = readonly [Dim, Dim];

/** Options of a Gemm; what is left out is the default of the operator. */
export interface GemmOptions {
  readonly alpha?: number;
  readonly beta?: number;
  readonly transA?: boolean;
  readonly transB?: boolean;
}

export const GEMM_DEFAULTS: Required<GemmOptions> = { alpha: 1, beta: 1, transA: false, transB: false };

/** The attributes of a Gemm, those alone that differ from the defaults. */
export function gemmAttributes({ alpha = 1, beta = 1, transA = false, transB = false }: GemmOptions): Attribute[] {
  const attributes: Attribute[] = [];
  if (alpha !== 1) attributes.push(floatAttribute('alpha', alpha));
  if (beta !== 1) attributes.push(floatAttribute('beta', beta));
  if (transA) attributes.push(attribute('transA', 1));
  if (transB) attributes.push(attribute('transB', 1));
  return attributes;
}

export function gemmOptions(node: Node): Required<GemmOptions> {
  return {
    alpha: node.float('alpha', 1),
    beta: node.float('beta', 1),
    transA: node.int('transA', 0) !== 0,
    transB: node.int('transB', 0) !== 0,
  };
}

/** The sizes that a MatMul of two matrices, or a Gemm, gives out; undefined where the inputs are not known to be float matrices. */
export function matrixProduct(node: Node, context: RewriteContext): MatrixDims | undefined {
  if (hasReference(node)) return undefined;
  const a = shapeOf(node.input(0));
  const b = shapeOf(node.input(1));
  const dataType = dataTypeOf(node.input(0)) ?? dataTypeOf(node.outputs[0]);
  if (a?.length !== 2 || b?.length !== 2 || dataType === undefined || !isFloat(dataType)) return undefined;
  // Gemm takes BFLOAT16 from 13 on. An empty sum is left to MatMul.
  if (dataType === DataType.BFLOAT16 && context.opset(node) < 13) return undefined;
  const { transA, transB } = gemmOptions(node);
  if (a[transA ? 0 : 1] === 0 || b[transB ? 1 : 0] === 0) return undefined;
  return [a[transA ? 1 : 0], b[transB ? 0 : 1]];
}

/** True when a value of this shape can be the C of a Gemm that gives out `dims`: it may be stretched, but stretches nothing. */
export function fitsAsBias(shape: Shape, dims: MatrixDims): boolean {
  if (!shape || shape.length > 2) return false;
  return shape.every((dim, axis) => dim === 1 || sameDim(dim, dims[axis + 2 - shape.length]));
}

/** The input of a Transpose that swaps the axes of a matrix. */
export function transposedMatrix(value: Value | undefined): Value | undefined {
  const node = value?.producer;
  const input = node?.input(0);
  if (!node?.is('Transpose') || !input || hasReference(node) || shapeOf(input)?.length !== 2) return undefined;
  const perm = node.ints('perm');
  return !perm || (perm[0] === 1 && perm[1] === 0) ? input : undefined;
}
