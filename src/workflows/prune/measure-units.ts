import type { InContext, PruneOptions } from '../options.js';
import { activationScores } from './activation-scores.js';
import type { PruneWork } from './before-work.js';
import type { MeasuringTools } from './choose-allocator.js';
import type { Measure } from './cut-plan.js';
import { obsScores } from './obs-scores.js';

/** How units are scored on samples; undefined where weights alone say it. */
export async function measureFor(
  options: InContext<PruneOptions>,
  { split }: PruneWork,
  tools: MeasuringTools | undefined,
): Promise<Measure | undefined> {
  const { calibration } = split;
  const { score = 'activation' } = options;
  if (!tools || !calibration || (score !== 'activation' && score !== 'obs')) return undefined;
  const samples = { kind: 'data', ...calibration } as const;
  const { host, stages } = tools;
  if (score === 'obs')
    return (base, dependencies, groups) => obsScores(base, dependencies, groups, samples, host, options, stages);
  return (base, dependencies, groups) => activationScores(base, dependencies, groups, samples, host, options);
}
