/** What JUnit is told of a model that was made or compared. */
import { sourcePhrase } from '../comparison-words.js';
import { formatBytes, formatChange } from '../format.js';
import { latencyChange, latencyPhrase } from '../latency-words.js';
import type { ModelReport } from '../model-report.js';
import { modelSizeBytes } from '../model-size.js';
import { budgetCase, PASSED, type Suite, type SuiteProperties, type TestCase } from './junit-suites.js';
import { checksOf, comparisonOf, modelsOf } from './model-facts.js';

/** One suite named for the resulting model: what was checked of it, and its budgets. */
export function modelSuite(report: ModelReport): Suite {
  const [, after] = modelsOf(report);
  return { name: after.name, cases: [checkedCase(report), ...(report.budgets ?? []).map(budgetCase)] };
}

/** Versions, and what the models were run on. */
export function modelProperties(report: ModelReport): SuiteProperties {
  const { version, onnxRuntimeVersion } = report;
  const [before] = modelsOf(report);
  const comparison = comparisonOf(report);
  return [
    ['serve-opt', version],
    ...(onnxRuntimeVersion === undefined ? [] : [['onnxruntime', onnxRuntimeVersion] as const]),
    ['original', before.name],
    ...(comparison === undefined ? [] : [['inputs', sourcePhrase(comparison)] as const]),
  ];
}

/** What was done to see that the result is right; what was not run is skipped. */
function checkedCase(report: ModelReport): TestCase {
  const checks = checksOf(report);
  const outcome = checks.done ? PASSED : ({ kind: 'skipped', type: 'not-run', message: checks.text } as const);
  const seconds = (report.latency?.p50MsB ?? 0) / 1000;
  return {
    name: report.command === 'compare' ? 'compared' : 'verified',
    seconds,
    outcome,
    output: [checks.text, ...figuresOf(report)],
  };
}

/** Size and latency before and after. */
function figuresOf(report: ModelReport): readonly string[] {
  const [before, after] = modelsOf(report).map(modelSizeBytes) as [number, number];
  const { latency } = report;
  return [
    `${formatBytes(before)} → ${formatBytes(after)} (${formatChange(before, after)})`,
    ...(latency === undefined ? [] : [`${latencyChange(latency)}, ${latencyPhrase(latency)}`]),
  ];
}
