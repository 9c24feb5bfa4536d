import type { InContext, PruneOptions } from '../options.js';
import { activationScores } from './activation-scores.js';
import type { PruneWork } from './before-work.js';
import type { Measure } from './cut-plan.js';
import type { MeasuringTools } from './measuring-tools.js';
import { obsScores } from './obs-scores.js';

/** How units are scored on samples; undefined where weights alone say it. */
export function measureFor(
  options: InContext<PruneOptions>,
  { split }: PruneWork,
  tools: MeasuringTools | undefined,
): Measure | undefined {
  const { calibration } = split;
  const { score = 'activation' } = options;
  if (!tools || !calibration || (score !== 'activation' && score !== 'obs')) return undefined;
  const samples = { kind: 'data', ...calibration } as const;
  const { runtime, stages, memoryBytes } = tools;
  if (score === 'obs')
    return async (base, dependencies, groups) =>
      obsScores(
        base,
        dependencies,
        groups,
        { sources: [samples], runtime: await runtime.host(), memoryBytes, options },
        stages,
      );
  return async (base, dependencies, groups) =>
    activationScores(base, dependencies, groups, samples, await runtime.host(), options);
}
