import { ServeOptError } from '../../errors.js';
import { checkAmount, parsePattern } from '../../prune/amounts.js';
import type { PruneOptions } from '../options.js';

/** Amounts and targets that mean something. @throws SO1006 */
export function checkPruneOptions({
  amount,
  targetMacs,
  targetParams,
  targetLatency,
  steps,
  align,
  pattern,
}: PruneOptions): void {
  if (amount !== undefined) checkAmount(amount);
  for (const [flag, share] of [
    ['--target-macs', targetMacs],
    ['--target-params', targetParams],
  ] as const) {
    if (share === undefined || (share > 0 && share < 1)) continue;
    throw new ServeOptError('SO1006', `The value "${share}" of ${flag} is not allowed`, {
      why: 'it must be a share of the original above 0 and below 1',
      hint: `write ${flag} 0.5x`,
    });
  }
  if (targetLatency && !('ms' in targetLatency ? targetLatency.ms > 0 : targetLatency.speedUp > 1)) {
    const text = 'ms' in targetLatency ? `${targetLatency.ms}ms` : `${targetLatency.speedUp}x`;
    throw new ServeOptError('SO1006', `The value "${text}" of --target-latency is not allowed`, {
      why: 'it must be a speed-up above 1, or a time above 0',
      hint: 'write --target-latency 1.5x',
    });
  }
  if (steps !== undefined && !(Number.isInteger(steps) && steps >= 1 && steps <= 20)) {
    throw new ServeOptError('SO1006', `The value "${steps}" of --steps is not allowed`, {
      why: 'it must be a whole number from 1 to 20',
      hint: 'write --steps 3',
    });
  }
  if (align !== undefined && !(Number.isInteger(align) && align >= 1 && align <= 1024)) {
    throw new ServeOptError('SO1006', `The value "${align}" of --align is not allowed`, {
      why: 'it must be a whole number from 1 to 1024',
      hint: 'write --align 8',
    });
  }
  if (pattern !== undefined) parsePattern(pattern);
}
