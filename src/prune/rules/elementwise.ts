import { ONE } from '../axis-table.js';
import type { RuleContext } from '../rule-context.js';
import { type AxisRules, fromStart, rulesFor } from './rule.js';

/** Every axis of the result is that of each input, aligned from the right; what has size 1 is repeated and depends on nothing. */
export function broadcast(context: RuleContext, slots: readonly number[] = [...context.node.inputs.keys()]): void {
  const output = context.output();
  if (output === undefined) return;
  for (const slot of slots) {
    if (!context.has(slot)) continue;
    const input = context.input(slot);
    if (input === undefined) {
      for (const axis of output) context.stay(axis, 'the rank of an operand is not known');
      continue;
    }
    const offset = output.length - input.length;
    for (const [at, axis] of input.entries()) {
      if (axis !== ONE) context.same(axis, output[at + offset]);
    }
  }
}

/** One input whose axes are those of the result. */
export function unary(context: RuleContext): void {
  context.sameAll(context.input(0), context.output());
  for (let index = 1; index < context.node.outputs.length; index++) {
    if (context.node.outputs[index]) context.sameAll(context.input(0), context.output(index));
  }
}

/** The second input tells the type alone. */
function alike(context: RuleContext): void {
  unary(context);
  context.touch(...(context.input(1) ?? []));
}

/** As `unary`, but each result along one axis depends on all of it. */
const alongAxis =
  (text: string, fallback: number, flattensBefore?: number) =>
  (context: RuleContext): void => {
    const input = context.input(0);
    unary(context);
    if (input === undefined) return;
    const flattens = flattensBefore !== undefined && context.opset < flattensBefore;
    const axis = fromStart(context.node.int('axis', flattens ? 1 : fallback), input.length);
    const read = flattens ? input.slice(axis) : [input[axis]];
    for (const each of read) if (each !== ONE) context.stay(each, text);
  };

const UNARY = `
  Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Cast Ceil Celu Clip Cos Cosh Dropout Elu Erf Exp Floor Gelu HardSigmoid
  HardSwish Identity IsInf IsNaN LeakyRelu Log Mish Neg Not Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus
  Softsign Sqrt Swish Tan Tanh ThresholdedRelu
  com.microsoft:Gelu com.microsoft:QuickGelu`;

const BROADCAST = `
  Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Or Pow
  PRelu Sub Sum Where Xor com.microsoft:BiasGelu com.microsoft:FastGelu`;

export const ELEMENTWISE_RULES: AxisRules = new Map([
  ...rulesFor(UNARY, unary),
  ...rulesFor('CastLike', alike),
  ...rulesFor(BROADCAST, (context) => broadcast(context)),
  ...rulesFor('Softmax LogSoftmax Hardmax', alongAxis('each element is divided by the sum over it', -1, 13)),
]);
