/** Operators of one input, element by element. */

import { DataType, isFloat } from '../../tensor/dtype.js';
import { roundHalfEven } from '../../tensor/round-half-even.js';
import type { Tensor } from '../../tensor/tensor.js';
import { elementwise, type LaneOperator } from './elementwise.js';
import { erf } from './erf.js';
import { type Kernel, type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { bigintsOf, numbersOf } from './lane.js';
import { refuseNaN } from './refuse-nan.js';

/** A loop around a function of one element. */
export function each(number: (x: number) => number, bigint?: (x: bigint) => bigint): LaneOperator {
  return {
    number([a], out) {
      if (a) for (let i = 0; i < out.length; i++) out[i] = number(a[i] as number);
    },
    ...(bigint && {
      bigint([a], out) {
        if (a) for (let i = 0; i < out.length; i++) out[i] = bigint(a[i] as bigint);
      },
    }),
  };
}

function unary(number: (x: number) => number, bigint?: (x: bigint) => bigint): Kernel {
  const operator = each(number, bigint);
  return (context) => elementwise(context, [context.input(0)], context.outputType(), operator);
}

const SIGN = each(
  (x) => (x > 0 ? 1 : x < 0 ? -1 : 0),
  (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
);

function sign(context: KernelContext): Tensor {
  refuseNaN(context.input(0));
  return elementwise(context, [context.input(0)], context.outputType(), SIGN);
}

/** A function that depends on attributes. */
function parametric(make: (context: KernelContext) => (x: number) => number): Kernel {
  return (context) => elementwise(context, [context.input(0)], context.outputType(), each(make(context)));
}

/** `Round`, which keeps the sign of zero. */
function round(x: number): number {
  const rounded = roundHalfEven(x);
  return rounded === 0 && x < 0 ? -0 : rounded;
}

const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
/** ln(1 + e^x) without overflow. */
const softplus = (x: number): number => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));
/** A NaN stays one. */
const relu = (x: number): number => Math.max(x, 0);

function clip(context: KernelContext): Tensor {
  const data = context.input(0);
  const type = context.outputType();
  if (type === DataType.INT64 || type === DataType.UINT64) {
    const low = bigBound(context, 1);
    const high = bigBound(context, 2);
    return elementwise(
      context,
      [data],
      type,
      each(
        (x) => x,
        (x) => {
          const raised = low !== undefined && x < low ? low : x;
          return high !== undefined && raised > high ? high : raised;
        },
      ),
    );
  }
  const low = bound(context, 'min', 1);
  const high = bound(context, 'max', 2);
  if (Number.isNaN(low) || Number.isNaN(high)) refuse('a bound is NaN');
  return elementwise(
    context,
    [data],
    type,
    each((x) => {
      const raised = low !== undefined && x < low ? low : x;
      return high !== undefined && raised > high ? high : raised;
    }),
  );
}

function bound(context: KernelContext, name: string, slot: number): number | undefined {
  if (context.schema.attributes.has(name)) return context.float(name);
  const tensor = context.optional(slot);
  if (!tensor) return undefined;
  return tensor.size === 1 ? numbersOf(tensor)[0] : refuse(`input ${slot} must have one element`);
}

function bigBound(context: KernelContext, slot: number): bigint | undefined {
  const tensor = context.optional(slot);
  if (!tensor) return undefined;
  return tensor.size === 1 ? bigintsOf(tensor)[0] : refuse(`input ${slot} must have one element`);
}

function test(make: (context: KernelContext) => (x: number) => boolean): Kernel {
  return (context) => {
    const input = context.input(0);
    if (!isFloat(input.dataType)) refuse('only the plain floating-point types are supported');
    const matches = make(context);
    return elementwise(
      context,
      [input],
      DataType.BOOL,
      each((x) => (matches(x) ? 1 : 0)),
    );
  };
}

function isInfinite(context: KernelContext): (x: number) => boolean {
  const positive = context.flag('detect_positive');
  const negative = context.flag('detect_negative');
  return (x) => (x === Infinity && positive) || (x === -Infinity && negative);
}

function gelu(context: KernelContext): (x: number) => number {
  if (context.string('approximate') === 'tanh') {
    const factor = Math.sqrt(2 / Math.PI);
    return (x) => 0.5 * x * (1 + Math.tanh(factor * (x + 0.044715 * x * x * x)));
  }
  return (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2));
}

export const unaryKernels: KernelTable = [
  [
    'Neg',
    unary(
      (x) => -x,
      (x) => -x,
    ),
  ],
  ['Abs', unary(Math.abs, (x) => (x < 0n ? -x : x))],
  ['Sign', sign],
  ['Floor', unary(Math.floor)],
  ['Ceil', unary(Math.ceil)],
  ['Round', unary(round)],
  ['Sqrt', unary(Math.sqrt)],
  ['Reciprocal', unary((x) => 1 / x)],
  ['Exp', unary(Math.exp)],
  ['Log', unary(Math.log)],
  ['Sin', unary(Math.sin)],
  ['Cos', unary(Math.cos)],
  ['Tan', unary(Math.tan)],
  ['Asin', unary(Math.asin)],
  ['Acos', unary(Math.acos)],
  ['Atan', unary(Math.atan)],
  ['Sinh', unary(Math.sinh)],
  ['Cosh', unary(Math.cosh)],
  ['Tanh', unary(Math.tanh)],
  ['Asinh', unary(Math.asinh)],
  ['Acosh', unary(Math.acosh)],
  ['Atanh', unary(Math.atanh)],
  ['Erf', unary(erf)],
  ['Not', unary((x) => 1 - x)],
  [
    'BitwiseNot',
    unary(
      (x) => ~x,
      (x) => ~x,
    ),
  ],
  ['IsNaN', test(() => Number.isNaN)],
  ['IsInf', test(isInfinite)],
  ['Clip', clip],
  ['Relu', unary(relu, (x) => (x < 0n ? 0n : x))],
  ['Sigmoid', unary(sigmoid)],
  ['Softplus', unary(softplus)],
  ['Softsign', unary((x) => x / (1 + Math.abs(x)))],
  ['Mish', unary((x) => x * Math.tanh(softplus(x)))],
  ['HardSwish', unary((x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)))],
  ['Gelu', parametric(gelu)],
  ['LeakyRelu', parametric((context) => slope(context.requiredFloat('alpha')))],
  ['Elu', parametric((context) => elu(context.requiredFloat('alpha')))],
  ['Celu', parametric((context) => celu(context.requiredFloat('alpha')))],
  ['Selu', parametric((context) => selu(context.requiredFloat('alpha'), context.requiredFloat('gamma')))],
  ['Swish', parametric((context) => swish(context.requiredFloat('alpha')))],
  ['ThresholdedRelu', parametric((context) => threshold(context.requiredFloat('alpha')))],
  ['HardSigmoid', parametric((context) => hardSigmoid(context.requiredFloat('alpha'), context.requiredFloat('beta')))],
  ['Shrink', parametric(shrink)],
];

function slope(alpha: number): (x: number) => number {
  return (x) => (x < 0 ? alpha * x : x);
}
function elu(alpha: number): (x: number) => number {
  return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
}
function celu(alpha: number): (x: number) => number {
  return (x) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha));
}
function selu(alpha: number, gamma: number): (x: number) => number {
  return (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x));
}
function swish(alpha: number): (x: number) => number {
  return (x) => x * sigmoid(alpha * x);
}
function threshold(alpha: number): (x: number) => number {
  return (x) => (x > alpha ? x : 0);
}
function hardSigmoid(alpha: number, beta: number): (x: number) => number {
  return (x) => Math.max(0, Math.min(1, alpha * x + beta));
}
function shrink(context: KernelContext): (x: number) => number {
  if (!isFloat(context.outputType())) refuse('integers moved by a float are not specified');
  const lambd = context.requiredFloat('lambd');
  const bias = context.requiredFloat('bias');
  return (x) => (x < -lambd ? x + bias : x > lambd ? x - bias : 0);
}
