import type { Budget } from '../../bench/budgets.js';
import { ServeOptError } from '../../errors.js';

/** Metrics that only one of the two ways of measuring knows, and why. */
const ONLY_OF = {
  model: {
    metrics: new Set(['size', 'memory', 'cold-start']),
    message: 'A server has no budget of',
    details: { why: 'it cannot be seen from outside' },
  },
  server: {
    metrics: new Set(['first-token', 'tokens']),
    message: 'A model alone has no budget of',
    details: { why: 'tokens are counted in the answers of a server', hint: 'measure a running server with --url' },
  },
} as const;

/** Each budget has to be of something that is measured. @throws SO1006 for one of a metric that only the other way measures */
export function checkBudgets(budgets: readonly Budget[] | undefined, measured: 'model' | 'server'): void {
  const { metrics, message, details } = ONLY_OF[measured === 'model' ? 'server' : 'model'];
  const wrong = budgets?.find(({ metric }) => (metrics as ReadonlySet<string>).has(metric));
  if (wrong) throw new ServeOptError('SO1006', `${message} ${wrong.metric}`, details);
}
