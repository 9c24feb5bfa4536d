import type { Scenario } from '../bench/scenario.js';
import type { BenchReport } from './bench-types.js';
import type { TensorRtReport } from './tensorrt-types.js';

/** The measurement of an engine as a report of `bench`, for the formats that CI services read; undefined where nothing was measured. */
export function engineBench(report: TensorRtReport): BenchReport | undefined {
  const {
    schemaVersion,
    version,
    warnings,
    notes,
    environment,
    measurement,
    conditions,
    budgets,
    regressions,
    verdict,
  } = report;
  if (environment === undefined || conditions === undefined) return undefined;
  const scenario: Scenario =
    conditions.streams > 1 ? { kind: 'multi-stream', streams: conditions.streams } : { kind: 'single-stream' };
  return {
    schemaVersion,
    command: 'bench',
    version,
    subject: 'models',
    environment,
    scenario,
    seed: 0,
    source: 'random values of trtexec',
    configurations: measurement ? [measurement] : [],
    budgets,
    regressions,
    ...(verdict === undefined ? {} : { verdict }),
    warnings,
    notes,
  };
}
