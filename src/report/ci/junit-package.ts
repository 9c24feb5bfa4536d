import type { PackageCheckReport, PackageFinding } from '../package-check-types.js';
import { findingPlace } from '../package-check-words.js';
import { junitDocument, PASSED, type Suite, type TestCase } from './junit-suites.js';

/** JUnit XML of `package check`: a suite for each model, with a case for each finding; one without errors has a case that passed. */
export function packageJunit(report: PackageCheckReport): string {
  const suites: Suite[] = report.models.map((name) => ({ name, cases: casesOf(report, name) }));
  return junitDocument('package check', suites, [
    ['serve-opt', report.version],
    ['kind', report.kind],
  ]);
}

function casesOf(report: PackageCheckReport, model: string): readonly TestCase[] {
  const own = report.findings.filter(({ path }) => report.models.length === 1 || path.split('/')[0] === model);
  const cases = own.filter(({ severity }) => severity !== 'note').map((finding) => findingCase(report, finding));
  const hasErrors = own.some(({ severity }) => severity === 'error');
  return hasErrors ? cases : [{ name: 'loads', seconds: 0, outcome: PASSED, output: [] }, ...cases];
}

/** Errors are failures; warnings are skipped, with their message. */
function findingCase({ checked }: PackageCheckReport, finding: PackageFinding): TestCase {
  const { severity, rule, what, why, fix } = finding;
  const place = findingPlace(checked, finding);
  const message = `${place}: ${what}. ${why}. Fix: ${fix}`;
  const outcome = { kind: severity === 'error' ? 'failure' : 'skipped', type: rule, message } as const;
  return { name: `${rule} ${place}`, seconds: 0, outcome, output: [] };
}
