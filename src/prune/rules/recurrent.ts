import { ONE } from '../axis-table.js';
import type { RuleContext } from '../rule-context.js';
import { type AxisRules, rulesFor } from './rule.js';

/** X, W [D, g·H, I], R [D, g·H, H], B [D, 2g·H], lengths, states [D, N, H], P [D, 3H]; Y [S, D, N, H]. Units are cut in all gates and both directions. */
const recurrent =
  (gates: number) =>
  (context: RuleContext): void => {
    const x = context.input(0);
    const w = context.input(1);
    const r = context.input(2);
    if (x === undefined || w === undefined || r === undefined) return;
    const hidden = r[2] ?? ONE;
    const batchFirst = context.node.int('layout', 0) === 1;
    const gated = (axis: number | undefined, count: number): void =>
      context.product(axis, [context.factor(count), hidden], 1);
    context.same(x[2], w[2]);
    context.mark(w[2], 'consumes');
    gated(w[1], gates);
    context.mark(w[1], 'produces');
    gated(r[1], gates);
    context.mark(hidden, 'consumes');
    const bias = context.input(3);
    if (bias) gated(bias[1], 2 * gates);
    const batch = x[batchFirst ? 0 : 1];
    if (context.has(4)) context.same(context.input(4)?.[0], batch);
    for (const slot of [5, 6]) {
      if (!context.has(slot)) continue;
      context.same(context.input(slot)?.[2], hidden);
      context.same(context.input(slot)?.[batchFirst ? 0 : 1], batch);
    }
    const peephole = context.input(7);
    if (peephole) gated(peephole[1], 3);
    const [y, ...last] = [context.output(0), context.output(1), context.output(2)];
    if (y) {
      context.same(y[3], hidden);
      context.same(y[batchFirst ? 1 : 0], x[batchFirst ? 1 : 0]);
      context.same(y[batchFirst ? 0 : 2], x[batchFirst ? 0 : 1]);
    }
    for (const state of last) {
      if (state === undefined) continue;
      context.same(state[2], hidden);
      context.same(state[batchFirst ? 0 : 1], x[batchFirst ? 0 : 1]);
    }
  };

export const RECURRENT_RULES: AxisRules = new Map([
  ...rulesFor('LSTM', recurrent(4)),
  ...rulesFor('GRU', recurrent(3)),
  ...rulesFor('RNN', recurrent(1)),
]);
