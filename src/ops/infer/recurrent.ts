import type { RuleContext, RuleTable } from './context.js';

/** LSTM, GRU, RNN: Y, Y_h and (LSTM) Y_c. With `layout` 1 the batch comes first. */
export function recurrent(context: RuleContext): void {
  const x = context.shape(0);
  const directions = context.string('direction') === 'bidirectional' ? 2 : 1;
  const hidden = context.int('hidden_size') ?? context.dim(2, 2);
  const batchFirst = context.int('layout') === 1;
  const sequence = x?.[batchFirst ? 1 : 0];
  const batch = x?.[batchFirst ? 0 : 1];
  const state = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  // In opset 1 the full sequence is only given on request, but the output has the same shape.
  context.setShape(0, batchFirst ? [batch, sequence, directions, hidden] : [sequence, directions, batch, hidden]);
  context.setShape(1, state);
  context.setShape(2, state);
}

export const recurrentRules: RuleTable = [['LSTM GRU RNN', recurrent]];
