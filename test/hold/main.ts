/**
 * The suite of hard ends: `npm run hold -- [--part NAME] [--count N] [--only TEXT] [FOLDER…]`.
 *
 * Runs the program as real processes, where they are many, interrupted, short of memory, disk, files or streams, and
 * fed with models and servers that mean harm. Needs fixtures/ and what it makes itself; folders widen it: models in a
 * folder `bombs` go through the bombs part, `minilm-banking77` through the signals part.
 * `--only` takes the bombs, and the variants of trivial runs, whose name holds the text.
 * Ends with `N passed, N failed`; exit code 1 when something failed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { print, type Suite } from '../conformance/suite.js';
import { measureMachine } from '../helpers/machine.js';
import type { Hold } from './context.js';
import { PARTS } from './parts.js';
import { ProcessWatch } from './watch.js';

const [root = '.', startFolder = '.', ...words] = process.argv.slice(2);
const { values, positionals } = parseArgs({
  args: words,
  allowPositionals: true,
  options: { part: { type: 'string', multiple: true }, count: { type: 'string' }, only: { type: 'string' } },
});
const chosen = values.part ?? Object.keys(PARTS);
const unknown = chosen.filter((name) => PARTS[name] === undefined);
const count = values.count === undefined ? undefined : Number(values.count);
if (unknown.length > 0 || (count !== undefined && !(count >= 1))) {
  print(
    `usage: npm run hold -- [--part NAME]… [--count N] [--only TEXT] [FOLDER…]; parts: ${Object.keys(PARTS).join(', ')}`,
  );
  process.exit(2);
}

const MOST_FACTOR = 10;
const scratch = mkdtempSync(join(tmpdir(), 'serve-opt-hold-'));
const watch = new ProcessWatch();
const cleaners: (() => void)[] = [];
const cleanUp = (): void => {
  watch.killAll();
  for (const clean of cleaners.splice(0).reverse()) clean();
  rmSync(scratch, { recursive: true, force: true });
};
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    cleanUp();
    process.exit(code);
  });
}

const { spinMs, startMs, ...measured } = measureMachine();
// A bomb that gets half an hour tells nobody anything.
const factor = Math.min(MOST_FACTOR, measured.factor);
print(
  `time limits × ${factor.toFixed(1)} (a loop takes ${spinMs.toFixed(0)} ms, a Node process ${startMs.toFixed(0)} ms)`,
);
const folders = positionals.map((folder) => resolve(startFolder, folder));
const hold: Hold = {
  root,
  program: join(root, 'bin', 'serve-opt.js'),
  scratch,
  folders,
  count,
  only: values.only ?? '',
  factor,
  watch,
  atEnd: (clean) => cleaners.push(clean),
};
const suites: Suite[] = [];
try {
  for (const name of chosen) suites.push(...((await PARTS[name]?.(hold)) ?? []));
} finally {
  cleanUp();
}
const total = (pick: (suite: Suite) => number): number => suites.reduce((sum, suite) => sum + pick(suite), 0);
const skipped = total((suite) => suite.skipped);
print('');
if (skipped > 0) print(`${skipped} skipped, see above`);
print(`${total((suite) => suite.passed)} passed, ${total((suite) => suite.failed)} failed`);
process.exitCode = total((suite) => suite.failed) === 0 ? 0 : 1;
