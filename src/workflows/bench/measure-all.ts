import type { BudgetGates } from '../../gates/budget-gates.js';
import { BENCH_DEFAULTS, type BenchOptions } from '../options.js';
import type { Stages } from '../stages.js';
import type { ConfigurationRun } from './configuration-run.js';
import { roundMs } from './time-share.js';

/**
 * Measures every configuration in fresh processes. They take turns, round by round, so that what else the machine does hits
 * all alike. Then those go on whose budgets are not decided, until they are or time is up.
 */
export async function measureAll(
  runs: readonly ConfigurationRun[],
  gates: BudgetGates,
  options: BenchOptions,
  stages: Stages,
): Promise<void> {
  const durationMs = options.durationMs ?? BENCH_DEFAULTS.durationMs;
  const processes = options.processes ?? BENCH_DEFAULTS.processes;
  const total = processes * runs.length;
  const begun = performance.now();
  const maxTimeMs = (options.maxTimeMs ?? BENCH_DEFAULTS.maxTimeMs) * runs.length;
  const leftMs = (): number => maxTimeMs - (performance.now() - begun);
  // Without gates nothing has to be decided by a certain time.
  const isLate = (round: number): boolean => gates.size > 0 && round > 0 && leftMs() <= 0;
  let done = 0;
  stages.start('measure', total);
  for (let round = 0; round < processes && !isLate(round); round++) {
    for (const run of runs) {
      const from = done++;
      if (run.error) continue;
      const measureMs = roundMs(round, durationMs, processes, run.startMs);
      await run.round(measureMs, (passedMs) => stages.fraction((from + Math.min(1, passedMs / measureMs)) / total));
      gates.judge(run, false);
      stages.advance(done, total);
      stages.fraction(done / total);
    }
  }
  stages.end(runs.length === 1 ? undefined : `${runs.length} configurations`);

  const isOpen = (run: ConfigurationRun): boolean => !run.error && gates.isOpen(run.label);
  if (runs.some(isOpen) && leftMs() > 0) {
    stages.start('decide budgets');
    for (let round = processes; runs.some(isOpen) && leftMs() > 0; round++) {
      for (const run of runs) {
        if (!isOpen(run) || leftMs() <= 0) continue;
        const measureMs = Math.min(leftMs(), roundMs(round, durationMs, processes, run.startMs));
        await run.round(measureMs, () => stages.fraction(1 - Math.max(0, leftMs()) / maxTimeMs));
        gates.judge(run, false);
      }
    }
    stages.end();
  }
  for (const run of runs) gates.judge(run, true);
}
