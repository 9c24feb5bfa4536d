/**
 * `npm test`: installs what is missing, then lint, types, build and all tests. Every step runs even if one before it
 * failed. Words after `--` go to vitest: `npm test -- test/cli`. Names what was skipped, and ends with `N passed, N failed`; a
 * step counts as one.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, ROOT, runProgram, toolPath } from './install.js';

ensureInstalled();
const cache = join(ROOT, '.cache');
const reportPath = join(cache, 'vitest.json');
mkdirSync(cache, { recursive: true });
rmSync(reportPath, { force: true });

const node = process.execPath;
const steps = [
  ['lint', [toolPath('@biomejs/biome', 'biome'), 'check', '--error-on-warnings']],
  ['types', [toolPath('typescript', 'tsc'), '-p', 'tsconfig.json']],
  ['build', [join(ROOT, 'scripts', 'build.js')]],
];
let passed = 0;
let failed = 0;
const failures = [];
for (const [name, args] of steps) {
  console.log(`\n── ${name}`);
  if (runProgram(node, args) === 0) passed++;
  else {
    failed++;
    failures.push(name);
  }
}

console.log('\n── tests');
const testCode = runProgram(node, [
  toolPath('vitest'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${reportPath}`,
  ...process.argv.slice(2),
]);
const tests = readReport();
passed += tests.passed;
failed += tests.failed;
if (testCode !== 0) failures.push('tests');
for (const [reason, count] of tests.skipped) console.log(`Skipped: ${count} (${reason})`);

if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`);
const line = `${passed} passed, ${failed} failed`;
writeFileSync(join(cache, 'test-summary.txt'), `${line}\n`);
console.log(line);
process.exit(failed === 0 && testCode === 0 ? 0 : 1);

/**
 * Counts of vitest's own report, and how many tests were skipped by reason. A file that could not even be loaded, a run that made
 * no report, and a test that is skipped without a word is a failure.
 */
function readReport() {
  let report;
  try {
    report = JSON.parse(readFileSync(reportPath, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const skipped = new Map();
  let unexplained = 0;
  for (const { fullName } of report.testResults.flatMap(skippedTests)) {
    // test/helpers/skip-where.ts puts it there.
    const reason = /\[skipped: ([^\]]+)\]/.exec(fullName)?.[1] ?? `no reason given: ${fullName}`;
    if (reason.startsWith('no reason given')) unexplained++;
    skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
  }
  const count = report.numFailedTests + brokenFiles + unexplained;
  return { passed: report.numPassedTests, failed: count === 0 && testCode !== 0 ? 1 : count, skipped: [...skipped] };
}

/** Tests of a file that were not run; none where words given to vitest chose among them. */
function skippedTests({ assertionResults }) {
  const chosen = process.argv.some((word) => word === '-t' || word.startsWith('--testNamePattern'));
  return chosen ? [] : assertionResults.filter(({ status }) => status === 'skipped' || status === 'pending');
}
