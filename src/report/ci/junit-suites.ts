/** JUnit XML from suites of test cases, whatever they are about. */
import type { RegressionReport } from '../../bench/results.js';
import type { BudgetReport } from '../../gates/budget-report.js';
import { budgetPhrase, budgetStory } from '../budget-words.js';
import { xmlElement, xmlTextElement } from './xml.js';

/** A test case before it is XML. */
export interface TestCase {
  readonly name: string;
  /** What CI draws as duration: the latency that was measured, in seconds; 0 where the case is about something else. */
  readonly seconds: number;
  readonly outcome: Outcome;
  readonly output: readonly string[];
}

export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failure' | 'error' | 'skipped'; readonly type: string; readonly message: string };

export const PASSED: Outcome = { kind: 'passed' };

/** Cases that belong together. */
export interface Suite {
  readonly name: string;
  readonly cases: readonly TestCase[];
}

/** What all suites of a document share, as names and values. */
export type SuiteProperties = readonly (readonly [name: string, value: string])[];

/** A document as Jenkins' schema (junit-10.xsd) wants it. @param command that made the report */
export function junitDocument(command: string, suites: readonly Suite[], properties: SuiteProperties): string {
  const cases = suites.flatMap((suite) => suite.cases);
  const root = xmlElement(
    'testsuites',
    {
      name: `serve-opt ${command}`,
      time: wholeSeconds(total(cases)),
      tests: cases.length,
      failures: countOf(cases, 'failure'),
      errors: countOf(cases, 'error'),
    },
    suites.map((suite) => suiteXml(suite, command, properties)),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;
}

function suiteXml({ name, cases }: Suite, command: string, all: SuiteProperties): string {
  const properties = all.map(([key, value]) => xmlElement('property', { name: key, value }));
  // Jenkins splits classes at dots into packages.
  const classname = `${command}.${name.replaceAll('.', '_')}`;
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

/** A budget as a test case: broken is a failure, undecided is skipped. */
export function budgetCase(budget: BudgetReport): TestCase {
  const { verdict, unit, measured } = budget;
  const story = budgetStory(budget);
  return {
    name: budgetPhrase(budget),
    seconds: unit === 'ms' && measured !== undefined ? measured / 1000 : 0,
    outcome: outcomeOf(verdict, `${budgetPhrase(budget)}: ${story}`),
    output: [story],
  };
}

/** What a verdict makes of a test case. */
export function outcomeOf(verdict: RegressionReport['verdict'], message: string): Outcome {
  if (verdict === 'pass') return PASSED;
  return { kind: verdict === 'fail' ? 'failure' : 'skipped', type: verdict, message };
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
