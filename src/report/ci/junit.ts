import type { RegressionReport } from '../../bench/results.js';
import { formatLatency } from '../bench-format.js';
import type { BenchReport, ConfigurationReport } from '../bench-types.js';
import {
  noiseFindings,
  quantileOf,
  quantileRange,
  regressionPhrase,
  regressionStory,
  throughputUnit,
} from '../bench-words.js';
import type { DistillReport } from '../distill-types.js';
import { formatBytes, formatInteger, formatRate } from '../format.js';
import type { ModelReport } from '../model-report.js';
import { percentileName } from '../percentile-name.js';
import { distillProperties, distillSuites } from './junit-distill.js';
import { modelProperties, modelSuite } from './junit-model.js';
import {
  budgetCase,
  junitDocument,
  type Outcome,
  outcomeOf,
  PASSED,
  type Suite,
  type SuiteProperties,
  type TestCase,
} from './junit-suites.js';

/**
 * JUnit XML for CI. Of `bench` a suite for each configuration, with a case `measured` and one for each budget and regression; of
 * the commands that make or compare models one suite, with a case for what was checked and one for each budget. A broken gate
 * is a failure, a configuration that could not be measured an error; what could not be decided is skipped.
 */
export function junitXml(report: BenchReport | ModelReport | DistillReport): string {
  if (report.command === 'distill') return junitDocument('distill', distillSuites(report), distillProperties(report));
  if (report.command !== 'bench') return junitDocument(report.command, [modelSuite(report)], modelProperties(report));
  return junitDocument('bench', suitesOf(report), propertiesOf(report));
}

function suitesOf({ configurations, budgets, regressions, interrupted }: BenchReport): readonly Suite[] {
  const gatesOf = (label: string): readonly TestCase[] => [
    ...budgets.filter(({ configuration }) => configuration === label).map(budgetCase),
    ...regressions.filter(({ configuration }) => configuration === label).map(regressionCase),
  ];
  const suites = configurations.map((configuration) => ({
    name: configuration.label,
    cases: [measuredCase(configuration, interrupted === true), ...gatesOf(configuration.label)],
  }));
  const known = new Set(configurations.map(({ label }) => label));
  // A gate is never lost, even if it is about something that was not measured.
  const others = new Set([...budgets, ...regressions].map(({ configuration }) => configuration));
  for (const label of others) if (!known.has(label)) suites.push({ name: label, cases: [...gatesOf(label)] });
  if (suites.length > 0) return suites;
  const outcome: Outcome = { kind: 'skipped', type: 'nothing', message: 'nothing was measured' };
  return [{ name: 'serve-opt bench', cases: [{ name: 'measured', seconds: 0, outcome, output: [] }] }];
}

function measuredCase(configuration: ConfigurationReport, interrupted: boolean): TestCase {
  const { error, latency } = configuration;
  const p50 = quantileOf(latency?.quantiles, 0.5)?.ms;
  const outcome: Outcome =
    error !== undefined
      ? { kind: 'error', type: error.code, message: error.message }
      : latency === undefined
        ? {
            kind: 'skipped',
            type: 'nothing',
            message: interrupted ? 'interrupted before it was measured' : 'not measured',
          }
        : PASSED;
  return { name: 'measured', seconds: (p50 ?? 0) / 1000, outcome, output: figuresOf(configuration) };
}

function figuresOf(configuration: ConfigurationReport): readonly string[] {
  const { latency, throughput, memory, coldStart } = configuration;
  const figures = (latency?.quantiles ?? []).map((quantile) => {
    const name = percentileName(quantile.probability);
    if (quantile.ms === undefined) return `${name}: ${quantile.why ?? 'unknown'}`;
    const range = quantileRange(quantile);
    return `${name} ${formatLatency(quantile.ms)}${range === '' ? '' : ` (95 %: ${range})`}`;
  });
  if (latency !== undefined) figures.push(`${formatInteger(latency.runs)} runs`);
  if (throughput !== undefined) figures.push(formatRate(throughput.value, throughputUnit(configuration)));
  if (memory !== undefined) figures.push(`${formatBytes(memory.modelBytes)} over the bare runtime`);
  if (coldStart !== undefined) figures.push(`cold start ${formatLatency(coldStart.median.totalMs)}`);
  return [...figures, ...noiseFindings(configuration)];
}

function regressionCase(regression: RegressionReport): TestCase {
  const story = regressionStory(regression);
  return {
    name: `no regression against ${regression.baseline}`,
    seconds: 0,
    outcome: outcomeOf(regression.verdict, `${regressionPhrase(regression)}: ${story}`),
    output: [story],
  };
}

function propertiesOf(report: BenchReport): SuiteProperties {
  const { environment, scenario, seed, source, version, onnxRuntimeVersion } = report;
  const { logicalCores, availableParallelism, cpuQuota, governor, gpus = [] } = environment;
  return [
    ['serve-opt', version],
    ...(onnxRuntimeVersion === undefined ? [] : [['onnxruntime', onnxRuntimeVersion] as const]),
    ['node', environment.nodeVersion],
    ['os', environment.os],
    ['architecture', environment.architecture],
    ['cpu', environment.cpuModel],
    ['cores', `${availableParallelism} of ${logicalCores}`],
    ...(cpuQuota === undefined ? [] : [['cpu-quota', String(cpuQuota)] as const]),
    ...(governor === undefined ? [] : [['governor', governor] as const]),
    ...gpus.map(({ name, driver }) => ['gpu', `${name}, driver ${driver}`] as const),
    ['scenario', scenario.kind],
    ['inputs', source],
    ['seed', String(seed)],
  ];
}
