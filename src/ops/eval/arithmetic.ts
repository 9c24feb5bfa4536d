/** Operators of two or more inputs, element by element, with broadcasting. */
import { DataType, type DataTypeCode, integerRange, isFloat } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { broadcastDims } from './broadcast-dims.js';
import { alignedOperands, elementwise, type LaneOperator } from './elementwise.js';
import { type Kernel, type KernelContext, type KernelTable, refuse } from './kernel-context.js';
import { bigintsOf, bigintTensor, bigMax, bigMin, laneKind, numbersOf, numberTensor } from './lane.js';
import { equalTexts } from './text.js';

type Scalar2 = (a: number, b: number) => number;
type Big2 = (a: bigint, b: bigint) => bigint;
type Big2ToBool = (a: bigint, b: bigint) => boolean;

/** A loop around a function of two elements. */
function pairs(number: Scalar2, bigint?: Big2): LaneOperator {
  return {
    number([a, b], out) {
      if (a && b) for (let i = 0; i < out.length; i++) out[i] = number(a[i] as number, b[i] as number);
    },
    ...(bigint && {
      bigint([a, b], out) {
        if (a && b) for (let i = 0; i < out.length; i++) out[i] = bigint(a[i] as bigint, b[i] as bigint);
      },
    }),
  };
}

/** The operators that weights meet most have loops of their own, which the compiler makes straight code of. */
const ADD: LaneOperator = {
  ...pairs(
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  number: ([a, b], out) => {
    if (a && b) for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) + (b[i] as number);
  },
};
const SUBTRACT: LaneOperator = {
  ...pairs(
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  number: ([a, b], out) => {
    if (a && b) for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) - (b[i] as number);
  },
};
const MULTIPLY: LaneOperator = {
  ...pairs(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  number: ([a, b], out) => {
    if (a && b) for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) * (b[i] as number);
  },
};
const DIVIDE: LaneOperator = {
  ...pairs(
    (a, b) => a / b,
    (a, b) => a / b,
  ),
  number: ([a, b], out) => {
    if (a && b) for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) / (b[i] as number);
  },
};
/** Products of 32-bit integers do not fit a float64. */
const MULTIPLY_INTEGERS: LaneOperator = pairs(Math.imul);
const DIVIDE_INTEGERS: LaneOperator = pairs((a, b) => Math.trunc(a / b));

function add(context: KernelContext): Tensor {
  return elementwise(context, alignedOperands(context), context.outputType(), ADD);
}

function subtract(context: KernelContext): Tensor {
  return elementwise(context, alignedOperands(context), context.outputType(), SUBTRACT);
}

function multiply(context: KernelContext): Tensor {
  const type = context.outputType();
  return elementwise(context, alignedOperands(context), type, isSmallInteger(type) ? MULTIPLY_INTEGERS : MULTIPLY);
}

function divide(context: KernelContext): Tensor {
  const [a, b] = alignedOperands(context);
  const type = context.outputType();
  if (!isFloat(type)) refuseZero(b);
  return elementwise(context, [a, b], type, isSmallInteger(type) ? DIVIDE_INTEGERS : DIVIDE);
}

function isSmallInteger(type: DataTypeCode): boolean {
  return laneKind(type) === 'number' && !isFloat(type);
}

/** What dividing an integer by zero gives is not defined. */
function refuseZero(divisor: Tensor): void {
  const isZero =
    laneKind(divisor.dataType) === 'bigint' ? bigintsOf(divisor).includes(0n as never) : numbersOf(divisor).includes(0);
  if (isZero) refuse('an integer is divided by 0');
}

/** The sign of the divisor, as in Python. */
const FLOOR_MODULUS = pairs(
  (a, b) => a - b * Math.floor(a / b),
  (a, b) => {
    const rest = a % b;
    return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
  },
);
/** The sign of the dividend, as C's fmod. */
const TRUNCATED_MODULUS = pairs(
  (a, b) => a % b,
  (a, b) => a % b,
);

function hasInexact(tensor: Tensor): boolean {
  return numbersOf(tensor).some((value) => Math.abs(value) > Number.MAX_SAFE_INTEGER);
}

function modulus(context: KernelContext): Tensor {
  const [a, b] = alignedOperands(context);
  const type = context.outputType();
  if (isFloat(type)) {
    if (!context.flag('fmod')) refuse('fmod must be 1 for floating-point numbers');
    return elementwise(context, [a, b], type, TRUNCATED_MODULUS);
  }
  refuseZero(b);
  // ONNX Runtime computes fmod of 64-bit integers in float64.
  if (context.flag('fmod') && [a, b].some(hasInexact)) refuse('a 64-bit integer is not exact as a float64');
  return elementwise(context, [a, b], type, context.flag('fmod') ? TRUNCATED_MODULUS : FLOOR_MODULUS);
}

/** Largest or smallest; a NaN wins, as in NumPy and ONNX Runtime. */
const MAXIMUM = pairs(Math.max, bigMax);
const MINIMUM = pairs(Math.min, bigMin);

/** One input after the other. */
function folded(operator: LaneOperator): Kernel {
  return (context) => {
    const [first, ...rest] = context.allInputs();
    let result = first ?? refuse('it has no inputs');
    for (const next of rest) result = elementwise(context, [result, next], context.outputType(), operator);
    return result;
  };
}

function mean(context: KernelContext): Tensor {
  const inputs = context.allInputs();
  const sum = folded(ADD)(context) as Tensor;
  const scale: LaneOperator = {
    number: ([a], out) => {
      if (a) for (let i = 0; i < out.length; i++) out[i] = (a[i] as number) / inputs.length;
    },
  };
  return elementwise(context, [sum], context.outputType(), scale);
}

function comparison(number: (a: number, b: number) => boolean, bigint: Big2ToBool): Kernel {
  const operator: LaneOperator = {
    number([a, b], out) {
      if (a && b) for (let i = 0; i < out.length; i++) out[i] = number(a[i] as number, b[i] as number) ? 1 : 0;
    },
    bigintToNumber([a, b], out) {
      if (a && b) for (let i = 0; i < out.length; i++) out[i] = bigint(a[i] as bigint, b[i] as bigint) ? 1 : 0;
    },
  };
  return (context) => {
    const [a, b] = alignedOperands(context);
    if (a.dataType === DataType.STRING) return equalTexts(context, a, b);
    return elementwise(context, [a, b], DataType.BOOL, operator);
  };
}

/** 16-bit and shorter integers are exact in any bit operation of JavaScript, and so are the low 32 bits of the others. */
function bits(number: Scalar2, bigint: Big2): Kernel {
  const operator = pairs(number, bigint);
  return (context) => elementwise(context, alignedOperands(context), context.outputType(), operator);
}

function bitShift(context: KernelContext): Tensor {
  const [a, b] = alignedOperands(context);
  const left = context.string('direction') === 'LEFT';
  const width = 8 * (a.byteLength / Math.max(a.size, 1));
  // C leaves shifts by the width and more undefined.
  const shifts = laneKind(b.dataType) === 'bigint' ? bigintsOf(b) : numbersOf(b);
  for (const shift of shifts) if (shift >= width) refuse(`a shift of ${shift} does not fit ${width} bits`);
  const operator = left
    ? pairs(
        (x, y) => x << y,
        (x, y) => x << y,
      )
    : pairs(
        (x, y) => x >>> y,
        (x, y) => x >> y,
      );
  return elementwise(context, [a, b], context.outputType(), operator);
}

/** C's pow: 1 to any power is 1, and so is -1 to an infinite one, where JavaScript has NaN. */
function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  return a ** b;
}

function pow(context: KernelContext): Tensor {
  const [a, b] = alignedOperands(context);
  const type = context.outputType();
  if (isFloat(type)) return elementwise(context, [a, b], type, pairs(power));
  // Integers are raised as float64 by some and exactly by others: only what is the same for both is computed.
  const powers = numbersOf(elementwise(context, [asDouble(a), asDouble(b)], DataType.DOUBLE, pairs(power)));
  const { min, max } = integerRange(type) ?? refuse('this type is not supported');
  for (const value of powers)
    if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER && value >= min && value <= max))
      refuse(`the power ${value} is not exact`);
  const dims = broadcastDims([a.dims, b.dims]);
  return bigintTensor(
    type,
    dims,
    BigInt64Array.from(powers, (value) => BigInt(Math.trunc(value))),
  );
}

function asDouble(tensor: Tensor): Tensor {
  return numberTensor(DataType.DOUBLE, tensor.dims, numbersOf(tensor));
}

const SLOPED = pairs(
  (x, slope) => (x < 0 ? x * slope : x),
  (x, slope) => (x < 0n ? x * slope : x),
);

/** The slopes are broadcast to the data; before version 7 they were one, or one a channel. */
function pRelu(context: KernelContext): Tensor {
  const data = context.input(0);
  const slope = context.input(1);
  const isPerChannel = context.since < 7 && slope.size !== 1;
  if (isPerChannel && (slope.rank !== 1 || slope.size !== data.dims[1])) refuse('there must be one slope per channel');
  const aligned = isPerChannel ? slope.reshaped([slope.size, ...data.dims.slice(2).map(() => 1)]) : slope;
  const dims = broadcastDims([data.dims, aligned.dims]);
  if (dims.length !== data.rank || dims.some((dim, axis) => dim !== data.dims[axis]))
    refuse('the slopes do not fit the data');
  return elementwise(context, [data, aligned], context.outputType(), SLOPED);
}

export const arithmeticKernels: KernelTable = [
  ['Add', add],
  ['Sub', subtract],
  ['Mul', multiply],
  ['Div', divide],
  ['Mod', modulus],
  ['Pow', pow],
  ['PRelu', pRelu],
  ['Max', folded(MAXIMUM)],
  ['Min', folded(MINIMUM)],
  ['Sum', folded(ADD)],
  ['Mean', mean],
  [
    'Equal',
    comparison(
      (a, b) => a === b,
      (a, b) => a === b,
    ),
  ],
  [
    'Greater',
    comparison(
      (a, b) => a > b,
      (a, b) => a > b,
    ),
  ],
  [
    'GreaterOrEqual',
    comparison(
      (a, b) => a >= b,
      (a, b) => a >= b,
    ),
  ],
  [
    'Less',
    comparison(
      (a, b) => a < b,
      (a, b) => a < b,
    ),
  ],
  [
    'LessOrEqual',
    comparison(
      (a, b) => a <= b,
      (a, b) => a <= b,
    ),
  ],
  [
    'And BitwiseAnd',
    bits(
      (a, b) => a & b,
      (a, b) => a & b,
    ),
  ],
  [
    'Or BitwiseOr',
    bits(
      (a, b) => a | b,
      (a, b) => a | b,
    ),
  ],
  [
    'Xor BitwiseXor',
    bits(
      (a, b) => a ^ b,
      (a, b) => a ^ b,
    ),
  ],
  ['BitShift', bitShift],
];
