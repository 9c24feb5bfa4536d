import type { RegressionReport } from '../../bench/results.js';
import { formatLatency } from '../bench-format.js';
import type { BenchReport, BudgetReport, ConfigurationReport } from '../bench-types.js';
import {
  budgetPhrase,
  budgetStory,
  noiseFindings,
  quantileOf,
  quantileRange,
  regressionPhrase,
  regressionStory,
  throughputUnit,
} from '../bench-words.js';
import { formatBytes, formatInteger, formatRate } from '../format.js';
import { percentileName } from '../percentile-name.js';
import { xmlElement, xmlTextElement } from './xml.js';

/** A test case before it is XML. */
interface TestCase {
  readonly name: string;
  /** What CI draws as duration: the latency that was measured, in seconds; 0 where the case is about something else. */
  readonly seconds: number;
  readonly outcome: Outcome;
  readonly output: readonly string[];
}

type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failure' | 'error' | 'skipped'; readonly type: string; readonly message: string };

const PASSED: Outcome = { kind: 'passed' };

/**
 * JUnit XML as Jenkins' schema (junit-10.xsd) wants it: a suite for each configuration, with a case `measured` and one
 * for each budget and regression. A broken gate is a failure, a configuration that could not be measured an error; what
 * could not be decided is skipped.
 */
export function junitXml(report: BenchReport): string {
  const suites = suitesOf(report).map(({ name, cases }) => ({
    xml: suiteXml(name, cases, report),
    cases,
  }));
  const cases = suites.flatMap((suite) => suite.cases);
  const root = xmlElement(
    'testsuites',
    {
      name: 'serve-opt bench',
      time: wholeSeconds(total(cases)),
      tests: cases.length,
      failures: countOf(cases, 'failure'),
      errors: countOf(cases, 'error'),
    },
    suites.map(({ xml }) => xml),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;
}

interface Suite {
  readonly name: string;
  readonly cases: readonly TestCase[];
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

function suiteXml(name: string, cases: readonly TestCase[], report: BenchReport): string {
  const properties = propertiesOf(report).map(([key, value]) => xmlElement('property', { name: key, value }));
  // Jenkins splits classes at dots into packages.
  const classname = `bench.${name.replaceAll('.', '_')}`;
  return xmlElement(
    'testsuite',
    {
      name,
      tests: cases.length,
      failures: countOf(cases, 'failure'),
      errors: countOf(cases, 'error'),
      skipped: countOf(cases, 'skipped'),
      time: wholeSeconds(total(cases)),
    },
    [xmlElement('properties', {}, properties), ...cases.map((each) => caseXml(each, classname))],
  );
}

function caseXml({ name, seconds: took, outcome, output }: TestCase, classname: string): string {
  const children: string[] = [];
  if (outcome.kind !== 'passed') {
    children.push(xmlElement(outcome.kind, { type: outcome.type, message: outcome.message }));
  }
  if (output.length > 0) children.push(xmlTextElement('system-out', {}, output.join(' · ')));
  return xmlElement('testcase', { name, classname, time: seconds(took) }, children);
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

function budgetCase(budget: BudgetReport): TestCase {
  const { verdict, unit, measured } = budget;
  const story = budgetStory(budget);
  return {
    name: budgetPhrase(budget),
    seconds: unit === 'ms' && measured !== undefined ? measured / 1000 : 0,
    outcome: outcomeOf(verdict, `${budgetPhrase(budget)}: ${story}`),
    output: [story],
  };
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

function outcomeOf(verdict: RegressionReport['verdict'], message: string): Outcome {
  if (verdict === 'pass') return PASSED;
  return { kind: verdict === 'fail' ? 'failure' : 'skipped', type: verdict, message };
}

function propertiesOf(report: BenchReport): readonly (readonly [string, string])[] {
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

function countOf(cases: readonly TestCase[], kind: Outcome['kind']): number {
  return cases.filter(({ outcome }) => outcome.kind === kind).length;
}

function total(cases: readonly TestCase[]): number {
  return cases.reduce((sum, each) => sum + each.seconds, 0);
}

/** To the microsecond; never with an exponent. */
function seconds(value: number): string {
  return (Number.isFinite(value) ? Math.max(0, value) : 0).toFixed(6);
}

/** Jenkins' schema allows a suite three decimals. */
function wholeSeconds(value: number): string {
  return (Math.ceil((Number.isFinite(value) ? Math.max(0, value) : 0) * 1000) / 1000).toFixed(3);
}
