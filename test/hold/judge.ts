/** What holds for every end of the program. */
import { EXIT } from '../../src/errors.js';
import type { Suite } from '../conformance/suite.js';
import type { Outcome } from './run.js';

/** Every exit code that docs promise, without that of a bug. */
const DOCUMENTED: readonly number[] = Object.values(EXIT).filter((code) => code !== EXIT.bug);

export interface Expected {
  /** Exit codes that are right here; every documented one by default. */
  readonly codes?: readonly number[];
  /** Where stderr is closed nobody can hear a word. */
  readonly mayBeSilent?: boolean;
  /** Temporary files of the program are no business of this case. */
  readonly ignoresTemporaries?: boolean;
}

const MIB = 1024 * 1024;

/** What is wrong with an end, in words; nothing for a good one. */
export function complaints(outcome: Outcome, expected: Expected = {}): string[] {
  const { code, signal, stdout, stderr, stopped } = outcome;
  const wrong: string[] = [];
  if (stopped === 'time') wrong.push(`had not ended after ${Math.round(outcome.wallMs / 1000)} s`);
  else if (stopped === 'memory') wrong.push(`took ${Math.round(outcome.peakBytes / MIB)} MiB and was stopped`);
  else if (signal !== null) wrong.push(`died of ${signal}`);
  else if (code !== null && !(expected.codes ?? DOCUMENTED).includes(code)) wrong.push(`exit code ${code}`);
  if (/\n {4}at |^node:internal|\bNode\.js v\d/m.test(stderr)) wrong.push('prints a raw stack');
  if (/SO9001/.test(stdout + stderr)) wrong.push('calls it a bug of its own');
  const isSilent = stdout === '' && stderr === '';
  if (code !== 0 && stopped === undefined && isSilent && expected.mayBeSilent !== true)
    wrong.push('ends without a word');
  if (outcome.survivors.length > 0) wrong.push(`leaves processes: ${outcome.survivors.join('; ')}`);
  if (outcome.temporaries.length > 0 && expected.ignoresTemporaries !== true)
    wrong.push(`leaves temporary files: ${outcome.temporaries.join(' ')}`);
  return wrong;
}

/** The one JSON document on stdout, or what is wrong with it. */
export function documentOf(stdout: string): { readonly document?: unknown; readonly wrong?: string } {
  if (stdout === '') return { wrong: 'prints no document' };
  try {
    return { document: JSON.parse(stdout) };
  } catch (error) {
    return { wrong: `prints what is not one JSON document (${error instanceof Error ? error.message : error})` };
  }
}

/** Counts the end as passed, or prints what was wrong with what it said. */
export function settle(suite: Suite, item: string, outcome: Outcome, wrong: readonly string[]): void {
  if (wrong.length === 0) {
    suite.pass();
    return;
  }
  const said = (outcome.stderr.trim() || outcome.stdout.trim()).split('\n').slice(0, 3).join(' | ').slice(0, 300);
  suite.fail(item, `${wrong.join('; ')}${said === '' ? '' : ` — it said: ${said}`}`);
}
