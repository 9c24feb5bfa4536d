/** Budgets of an engine, and its comparison with an earlier one. */

import { basename } from 'node:path';
import { judgeAgainstReport } from '../../bench/against-report.js';
import { LEAST_EFFECT } from '../../bench/least-effect.js';
import type { RegressionReport } from '../../bench/results.js';
import { JsonRefusal, parseBoundedJson } from '../../codec/bounded-json.js';
import { readSmallFile } from '../../codec/small-file.js';
import { ServeOptError } from '../../errors.js';
import { BudgetGates } from '../../gates/budget-gates.js';
import type { BudgetReport } from '../../gates/budget-report.js';
import { isJsonObject } from '../../json-object.js';
import type { ConfigurationReport } from '../../report/bench-types.js';
import type { TensorRtConditions, TensorRtDevice } from '../../report/tensorrt-types.js';
import { REPORT_SCHEMA_VERSION } from '../../report/types.js';
import { engineScenario, engineSegments, type MeasuredEngine } from './measurement.js';
import type { EngineMeasureOptions } from './tensorrt-options.js';

/** An earlier report, as far as an engine is compared with it. */
export interface EarlierEngine {
  readonly name: string;
  readonly tensorRtVersion: string | undefined;
  readonly device: Partial<TensorRtDevice>;
  readonly conditions: Partial<TensorRtConditions>;
  readonly processes: readonly { readonly runs: number; readonly p50Ms: number }[];
}

const MOST_BYTES = 64 * 1024 * 1024;

/** Budgets on what was measured. */
export function judgeEngine(measured: MeasuredEngine, { budgets = [] }: EngineMeasureOptions): readonly BudgetReport[] {
  if (budgets.length === 0) return [];
  const gates = new BudgetGates(budgets, engineScenario(measured.streams), 1);
  gates.judge(
    {
      label: measured.engine.name,
      segments: engineSegments(measured.runs),
      rows: measured.batchSize,
      coldStartsMs: [],
      sizeBytes: measured.engine.sizeBytes,
    },
    true,
  );
  return gates.reports();
}

/** Reads what `tensorrt` wrote beside an engine. @throws SO2001, SO2002, SO4007 */
export function readEarlierEngine(path: string): EarlierEngine {
  const wrong = (why: string): ServeOptError =>
    new ServeOptError('SO4007', `The baseline "${path}" cannot be used`, {
      why,
      hint: 'give the report that serve-opt tensorrt wrote beside an engine: old.report.json',
      location: { file: path },
    });
  let value: unknown;
  try {
    value = parseBoundedJson(readSmallFile(path, MOST_BYTES));
  } catch (error) {
    if (error instanceof JsonRefusal) throw wrong(`it is not JSON: ${error.message}`);
    throw error;
  }
  const report = isJsonObject(value) && isJsonObject(value.result) ? value.result : value;
  if (!isJsonObject(report) || report.command !== 'tensorrt') throw wrong('it is not a report of `serve-opt tensorrt`');
  if (report.schemaVersion !== REPORT_SCHEMA_VERSION)
    throw wrong(`its schema is version ${String(report.schemaVersion)}; this version reads ${REPORT_SCHEMA_VERSION}`);
  const measurement = isJsonObject(report.measurement) ? report.measurement : {};
  const latency = isJsonObject(measurement.latency) ? measurement.latency : {};
  const processes = Array.isArray(latency.processes) ? latency.processes.filter(isJsonObject) : [];
  const medians = processes.flatMap(({ runs, p50Ms }) =>
    typeof runs === 'number' && typeof p50Ms === 'number' && p50Ms > 0 ? [{ runs, p50Ms }] : [],
  );
  if (medians.length === 0) throw wrong('it has no measurement');
  return {
    name: basename(path),
    tensorRtVersion: typeof report.tensorRtVersion === 'string' ? report.tensorRtVersion : undefined,
    device: isJsonObject(report.device) ? report.device : {},
    conditions: isJsonObject(report.conditions) ? report.conditions : {},
    processes: medians,
  };
}

/** What was measured now, and how. */
export interface EngineNow {
  readonly configuration: ConfigurationReport | undefined;
  readonly device: TensorRtDevice | undefined;
  readonly conditions: TensorRtConditions;
}

/** Whether an engine is slower than an earlier one; inconclusive where device, clocks or conditions differ. */
export function againstEarlier(
  earlier: EarlierEngine,
  now: EngineNow,
  { minEffect = LEAST_EFFECT }: EngineMeasureOptions,
): RegressionReport {
  const shared = {
    configuration: now.configuration?.label ?? 'engine',
    baseline: earlier.name,
    kind: 'report' as const,
    minEffect,
    rounds: [],
  };
  const difference = whyNotComparable(earlier, now);
  if (difference !== undefined) return { ...shared, verdict: 'inconclusive', why: difference };
  const processes = now.configuration?.latency?.processes ?? [];
  const {
    verdict = 'inconclusive',
    ratio,
    noise,
    why,
  } = judgeAgainstReport(earlier.processes, processes, {
    minEffect,
    final: true,
  });
  return { ...shared, ...(ratio ? { ratio } : {}), ...(noise === undefined ? {} : { noise }), verdict, why };
}

/** Facts of a device that have to be alike. */
const DEVICE_FACTS = [
  ['name', 'the GPU'],
  ['computeCapability', 'the compute capability'],
  ['computeClockGHz', 'the compute clock'],
  ['memoryClockGHz', 'the memory clock'],
] as const satisfies readonly (readonly [keyof TensorRtDevice, string])[];

const CONDITIONS = [
  ['transfers', 'whether copies are part of the latency'],
  ['cudaGraph', 'the use of CUDA graphs'],
  ['spinWait', 'how trtexec waits'],
  ['streams', 'the number of streams'],
] as const satisfies readonly (readonly [keyof TensorRtConditions, string])[];

function whyNotComparable(earlier: EarlierEngine, { device, conditions }: EngineNow): string | undefined {
  if (device === undefined || earlier.device.name === undefined) return 'one of the two does not name its GPU';
  for (const [key, words] of DEVICE_FACTS) {
    if (earlier.device[key] !== device[key])
      return `${words} differs: ${earlier.device[key] ?? 'unknown'} and ${device[key] ?? 'unknown'}`;
  }
  for (const [key, words] of CONDITIONS) {
    if (earlier.conditions[key] !== conditions[key])
      return `${words} differs: ${String(earlier.conditions[key])} and ${String(conditions[key])}`;
  }
  const shapes = (list: TensorRtConditions['shapes'] | undefined): string =>
    (list ?? [])
      .map(({ name, dims }) => `${name}:${dims.join('x')}`)
      .sort()
      .join(' ');
  return shapes(earlier.conditions.shapes) === shapes(conditions.shapes)
    ? undefined
    : `the shapes differ: ${shapes(earlier.conditions.shapes) || 'fixed'} and ${shapes(conditions.shapes) || 'fixed'}`;
}
