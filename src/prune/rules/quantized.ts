import { ONE } from '../axis-table.js';
import type { RuleContext } from '../rule-context.js';
import { convolution, vector } from './convolution.js';
import { broadcast } from './elementwise.js';
import { product } from './matmul.js';
import { type AxisRules, fromStart, rulesFor } from './rule.js';

/** Scales and zero points may be one for all, or one a channel. */
function quantizedConvolution(context: RuleContext): void {
  convolution(context, { data: 0, weight: 3, bias: 8 });
  const outputs = context.input(3)?.[0];
  if (outputs !== undefined) for (const slot of [4, 5]) vector(context, slot, outputs);
}

function integerConvolution(context: RuleContext): void {
  convolution(context, { data: 0, weight: 1, bias: undefined });
  const outputs = context.input(1)?.[0];
  if (outputs !== undefined) vector(context, 3, outputs);
}

/** A parameter for all, or one a row or column (`at`: -2 or -1) of the result; shapes that say more keep the axis. */
function parameter(context: RuleContext, slot: number, at: -1 | -2): void {
  const axes = context.input(slot);
  const target = context.output()?.at(at);
  if (!context.has(slot) || axes?.every((axis) => axis === ONE)) return;
  const [only, ...others] = axes?.filter((axis) => axis !== ONE) ?? [];
  if (only !== undefined && others.length === 0) context.same(only, target);
  else context.stay(target, 'its scales are not one for each index of it');
}

/** A, B, zero points of both. */
function integerMatMul(context: RuleContext): void {
  product(context);
  parameter(context, 2, -2);
  parameter(context, 3, -1);
}

/** A with scale and zero point, then B, then Y. */
function quantizedMatMul(context: RuleContext): void {
  product(context, false, false, [0, 3]);
  for (const slot of [1, 2]) parameter(context, slot, -2);
  for (const slot of [4, 5]) parameter(context, slot, -1);
}

/** com.microsoft.QGemm: A with scale and zero point, B, C, Y. */
function quantizedGemm(context: RuleContext): void {
  product(context, context.node.int('transA', 0) === 1, context.node.int('transB', 0) === 1, [0, 3]);
  for (const slot of [4, 5]) parameter(context, slot, -1);
  if (context.has(6)) broadcast(context, [6]);
}

/** com.microsoft.MatMulIntegerToFloat: A, B, scales of both, zero points of both, bias. */
function integerMatMulToFloat(context: RuleContext): void {
  product(context);
  for (const slot of [2, 4]) parameter(context, slot, -2);
  for (const slot of [3, 5, 6]) parameter(context, slot, -1);
}

/** com.microsoft.DynamicQuantizeMatMul: A, B, scale and zero point of B, bias. One scale is computed over all of A. */
function dynamicMatMul(context: RuleContext): void {
  product(context);
  for (const axis of context.input(0) ?? [])
    if (axis !== ONE) context.stay(axis, 'one scale is computed over all of it');
  for (const slot of [2, 3, 4]) parameter(context, slot, -1);
}

/** com.microsoft.QLinearAdd and its kin: A and B, each with scale and zero point. */
function quantizedBinary(context: RuleContext): void {
  broadcast(context, [0, 3]);
}

function quantizedUnary(context: RuleContext): void {
  context.sameAll(context.input(0), context.output());
}

/** com.microsoft pooling of quantized images, channels second or last. */
function quantizedPooling(context: RuleContext): void {
  const x = context.input(0);
  const y = context.output();
  if (x === undefined || y === undefined) return;
  context.same(x[0], y[0]);
  const at = context.node.int('channels_last', 0) === 1 ? x.length - 1 : 1;
  context.same(x[at], y[at]);
}

/** com.microsoft.QLinearConcat: scale and zero point of the result, then triples. */
function quantizedConcat(context: RuleContext): void {
  const y = context.output();
  if (y === undefined) return;
  const axis = fromStart(context.node.int('axis', 0), y.length);
  for (let slot = 2; slot < context.node.inputs.length; slot += 3) {
    for (const [at, each] of context.input(slot)?.entries() ?? []) if (at !== axis) context.same(each, y[at]);
  }
}

/** Scale and zero point along one axis, for the whole tensor, or for blocks. */
function quantized(context: RuleContext): void {
  const input = context.input(0);
  context.sameAll(input, context.output());
  if (input === undefined) return;
  const axis = fromStart(context.node.int('axis', 1), input.length);
  for (const slot of [1, 2]) {
    const parameters = context.input(slot);
    if (parameters === undefined) continue;
    if (parameters.length === 1 && parameters[0] !== ONE) context.same(parameters[0], input[axis]);
    else if (parameters.length > 1) {
      for (const [at, each] of parameters.entries())
        if (context.table.size(each) === context.table.size(input[at] ?? ONE)) context.same(each, input[at]);
        else {
          context.stay(each, 'it has one scale for each block');
          context.stay(input[at], 'it has one scale for each block');
        }
    }
  }
}

export const QUANTIZED_RULES: AxisRules = new Map([
  ...rulesFor('QuantizeLinear DequantizeLinear com.microsoft:QuantizeLinear com.microsoft:DequantizeLinear', quantized),
  ...rulesFor('QLinearConv', quantizedConvolution),
  ...rulesFor('ConvInteger', integerConvolution),
  ...rulesFor('MatMulInteger', integerMatMul),
  ...rulesFor('QLinearMatMul', quantizedMatMul),
  ...rulesFor('com.microsoft:QGemm', quantizedGemm),
  ...rulesFor('com.microsoft:MatMulIntegerToFloat', integerMatMulToFloat),
  ...rulesFor('com.microsoft:DynamicQuantizeMatMul', dynamicMatMul),
  ...rulesFor('com.microsoft:QLinearAdd com.microsoft:QLinearMul', quantizedBinary),
  ...rulesFor('com.microsoft:QLinearLeakyRelu com.microsoft:QLinearSigmoid', quantizedUnary),
  ...rulesFor('com.microsoft:QLinearAveragePool com.microsoft:QLinearGlobalAveragePool', quantizedPooling),
  ...rulesFor('com.microsoft:QLinearConcat', quantizedConcat),
]);
