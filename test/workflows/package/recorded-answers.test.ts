/** `package check` against what a real tritonserver said to each repository of fixtures/triton (`npm run servers -- --record`). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PackageCheckReport } from '../../../src/report/package-check-types.js';
import { checkPackage } from '../../../src/workflows/package/check/check-package.js';
import { layOutRecorded, recordedAnswers } from '../../helpers/triton-cases.js';

/** Where the server refuses for what is not in the repository: each is a warning. */
const OF_THE_SERVER: ReadonlyMap<string, string> = new Map([
  ['repository-agent-unknown', 'another server may have the repository agent'],
  ['operators-absent', 'another server may have the library of operators'],
]);

/** What newer servers than the one that was recorded do. */
const NEWER: ReadonlyMap<string, 'loaded'> = new Map([['metrics', 'loaded']]);

describe('package check', () => {
  for (const answer of recordedAnswers()) {
    const { name, summary, outcome, later } = answer;
    const expected = OF_THE_SERVER.has(name) ? 'ignored' : (NEWER.get(name) ?? later ?? outcome);
    it(`agrees with the server on ${name}: ${summary}, ${expected}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'serve-opt-recorded-'));
      try {
        layOutRecorded(answer, folder);
        const report = await checkPackage(folder);
        const told = report.findings.map(({ severity, path, line, what }) => `${severity} ${path}:${line}: ${what}`);
        if (expected === 'unavailable') expect(report.errors, told.join('\n')).toBe(0);
        else expect(outcomeOf(report), told.join('\n')).toBe(expected);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }

  it('has been compared with as many repositories as were recorded', () => {
    expect(recordedAnswers().length).toBeGreaterThan(400);
  });

  it('has reasons for repositories that were recorded only', () => {
    const names = new Set(recordedAnswers().map(({ name }) => name));
    for (const name of [...OF_THE_SERVER.keys(), ...NEWER.keys()]) expect(names).toContain(name);
  });
});

function outcomeOf({ errors, warnings }: PackageCheckReport): string {
  return errors > 0 ? 'refused' : warnings > 0 ? 'ignored' : 'loaded';
}
