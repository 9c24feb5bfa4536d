import { DataType } from '../../tensor/dtype.js';
import type { RuleContext, RuleTable } from './context.js';

/** The type of the zero point, else of `output_dtype`, else UINT8. Also com.microsoft. */
export function quantizeLinear(context: RuleContext): void {
  const requested = context.int('output_dtype');
  if (!context.has(2)) context.setDataType(0, requested ? requested : DataType.UINT8);
  context.setShape(0, context.shape(0));
}

/** The type of the scale, or of `output_dtype`. Also com.microsoft. */
export function dequantizeLinear(context: RuleContext): void {
  const requested = context.int('output_dtype');
  const type = requested ? requested : context.schema.typeConstraints.size > 1 ? context.dataType(1) : undefined;
  context.setDataType(0, type);
  context.setShape(0, context.shape(0));
}

function dynamicQuantizeLinear(context: RuleContext): void {
  context.setShape(0, context.shape(0));
  context.setShape(1, []);
  context.setShape(2, []);
}

export const quantizedRules: RuleTable = [
  ['QuantizeLinear', quantizeLinear],
  ['DequantizeLinear', dequantizeLinear],
  ['DynamicQuantizeLinear', dynamicQuantizeLinear],
];
