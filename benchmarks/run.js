/**
 * `npm run bench`: makes big random models and measures serve-opt beside its Python peers, in turns.
 * `node benchmarks/run.js --help` tells the flags.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled, ROOT } from '../scripts/install.js';
import { measure } from './measure.js';
import { PEER_PACKAGES, peerPython } from './peers.js';
import { environment, judge, resultsPage, summarize, table } from './report.js';
import { benchmarkRows } from './rows.js';

const HELP = `npm run bench -- [flags]
  --only NAME          this row only (repeatable)
  --runs N             turns a side (default 3, with --quick 1)
  --quick              small models, to try the benchmark itself
  --skip-peers         serve-opt alone
  --peers-python PATH  a Python that has the peers, instead of a virtual environment made for them
                       (the variable PYTHON names the interpreter that makes it)
  --write              write RESULTS.md though not everything was measured
`;

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    runs: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'skip-peers': { type: 'boolean', default: false },
    'peers-python': { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const tell = (text) => process.stderr.write(`${text}\n`);

if (flags.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
const turns = Number(flags.runs ?? (flags.quick ? 1 : 3));
if (!Number.isInteger(turns) || turns < 1) fail(`--runs ${flags.runs} is not a number of runs`);

const loadBefore = loadavg()[0] ?? 0;
ensureInstalled();
if (ensureBuilt() !== 0) process.exit(1);
const folder = join(ROOT, '.cache', 'bench');
mkdirSync(join(folder, 'models'), { recursive: true });
mkdirSync(join(folder, 'out'), { recursive: true });

// The generator is made of the library itself, so it can be loaded only now.
const { makeModels } = await import('./models/make-models.js');
const files = await makeModels(join(folder, 'models'), {
  quick: flags.quick,
  onMake: (name) => tell(`making ${name} …`),
});
const python = flags['skip-peers']
  ? undefined
  : peerPython({ folder, given: flags['peers-python'], onMake: () => tell('installing the peers …') });

/** All that is beside shares one output file. */
const OUTPUT_SIDES = ['ours', 'peer', 'beside'];
const sideOfFile = (side) => (OUTPUT_SIDES.includes(side) ? side : 'beside');
const output = (side) => join(folder, 'out', `${side}.onnx`);
const rows = benchmarkRows({ files, python, output });
const names = rows.map((row) => row.name);
for (const name of flags.only ?? []) if (!names.includes(name)) fail(`--only ${name}: there are ${names.join(', ')}`);

const results = [];
for (const row of rows) if (!flags.only || flags.only.includes(row.name)) results.push(await measureRow(row));

const environmentLines = environment(PEER_PACKAGES, loadBefore);
writeFileSync(
  join(folder, 'latest.json'),
  `${JSON.stringify({ environment: environmentLines, turns, results }, null, 2)}\n`,
);
process.stdout.write(`\n${environmentLines.join('\n')}\n\n${table(results)}\n`);
const complete = !flags.quick && !flags.only && python !== undefined;
if (complete || flags.write) {
  writeFileSync(join(ROOT, 'benchmarks', 'RESULTS.md'), resultsPage(results, environmentLines, turns));
}

/** Runs the sides of a row in turns: A B C, A B C, … */
async function measureRow(row) {
  const others = Object.entries(row.beside ?? {});
  const sides = { ours: row.ours, peer: row.peer, ...row.beside };
  const seen = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  const outputBytes = {};
  for (let turn = 0; turn < (row.runs ?? turns); turn++) {
    for (const [side, program] of Object.entries(sides)) {
      if (!program) continue;
      settle(row.input);
      const measurement = await measure(program);
      seen[side].push(measurement);
      outputBytes[side] ??= statSync(output(sideOfFile(side)), { throwIfNoEntry: false })?.size;
      if (row.runs === undefined) tell(`${row.name} ${side} ${measurement.wallSeconds.toFixed(2)} s`);
    }
  }
  for (const side of OUTPUT_SIDES) rmSync(output(side), { force: true });
  const beside = others.map(([label]) => ({ label, ...summarize(seen[label]) })).filter((each) => each.wallSeconds);
  const medians = { ours: summarize(seen.ours), peer: summarize(seen.peer), beside };
  const bars = judge(row.goal, medians);
  return { name: row.name, label: row.label, ...medians, bars, outputBytes, measurements: seen };
}

/** The same start for each: no output yet, the input in the page cache, nothing of others left to be written. */
function settle(input) {
  for (const side of OUTPUT_SIDES) rmSync(output(side), { force: true });
  if (input) readFileSync(input);
  if (process.platform !== 'win32') spawnSync('sync');
}

function fail(text) {
  tell(text);
  process.exit(2);
}
