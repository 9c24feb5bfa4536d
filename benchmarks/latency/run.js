/**
 * `npm run bench:latency`: holds `serve-opt bench` against bare loops around ONNX Runtime, and its gates against models whose
 * difference is known. `node benchmarks/latency/run.js --help` tells the flags.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled, ROOT } from '../../scripts/install.js';

const HELP = `npm run bench:latency -- [flags]
  --only agreement|gates|omission   one part only (repeatable)
  --turns N      turns of ours, bare and Python (default 9)
  --same N       runs of a model against itself (default 20)
  --slower N     runs against models 10 % and 5 % cheaper (default 10 each)
  --python PATH  a Python with onnxruntime (default .cache/bench/venv; without one Python is left out)
  --write        write LATENCY.md of what each part gave when it was measured last
`;
const HERE = fileURLToPath(new URL('.', import.meta.url));
const CLI = join(ROOT, 'bin', 'serve-opt.js');
const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    turns: { type: 'string', default: '9' },
    same: { type: 'string', default: '20' },
    slower: { type: 'string', default: '10' },
    python: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (flags.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
ensureInstalled();
if (ensureBuilt() !== 0) process.exit(1);
const { median } = await import('../../dist/bench/quantiles.js');
const { multilayerPerceptron } = await import('./multilayer-perceptron.js');
const { writeModel } = await import('../../dist/ir/write-model.js');
const { stallingServer } = await import('./stalling-server.js');

const folder = join(ROOT, '.cache', 'bench', 'latency');
mkdirSync(folder, { recursive: true });
const tell = (text) => process.stderr.write(`${text}\n`);
const wants = (part) => !flags.only || flags.only.includes(part);
let lines = [];
const print = (line) => {
  lines.push(line);
  process.stdout.write(`${line}\n`);
};
const fileOf = (part) => join(folder, `${part}.md`);
/** Measures a part and keeps what it printed, with the state of the machine before. */
async function keep(part, measure) {
  const load = loadavg()[0]?.toFixed(2);
  lines = [];
  await measure();
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, load ${load} before`;
  writeFileSync(fileOf(part), `${lines.join('\n')}\n${machine}; Node ${process.versions.node}\n`);
}

/** Widths of the hidden layer: the others take 10 % and 5 % more multiply-adds. */
const WIDTHS = { base: 640, 'plus 5 %': 672, 'plus 10 %': 704 };
const models = {};
for (const [name, width] of Object.entries(WIDTHS)) {
  models[name] = join(folder, `perceptron-${width}.onnx`);
  if (!existsSync(models[name])) await writeModel(multilayerPerceptron(width), models[name]);
}

const PARTS = [
  ['agreement', 'p50 beside a loop written by hand', agreement],
  ['gates', 'Verdicts of --baseline where the truth is known', gates],
  ['omission', 'A server that stalls 100 ms every second', omission],
];
const names = PARTS.map(([part]) => part);
for (const name of flags.only ?? []) {
  if (names.includes(name)) continue;
  tell(`--only ${name}: there are ${names.join(', ')}`);
  process.exit(2);
}
for (const [part, , measure] of PARTS) if (wants(part)) await keep(part, measure);
if (flags.write) {
  const sections = PARTS.filter(([part]) => existsSync(fileOf(part))).map(
    ([part, title]) => `## ${title}\n\n${readFileSync(fileOf(part), 'utf8')}`,
  );
  const head = '# Latency\n\n<!-- Written by npm run bench:latency -- --write. -->\n';
  writeFileSync(join(ROOT, 'benchmarks', 'LATENCY.md'), `${[head, ...sections].join('\n')}`);
}

/** The p50 that `bench` reports beside that of a loop written by hand, in turns. */
function agreement() {
  const venv = join(ROOT, '.cache', 'bench', 'venv', 'bin', 'python');
  const python = flags.python ?? (existsSync(venv) ? venv : undefined);
  const subjects = [
    { name: 'digits-mlp', path: join(ROOT, 'fixtures/digits-mlp/model.onnx'), input: 'X', dims: [1, 64] },
    { name: 'kws-dscnn', path: join(ROOT, 'fixtures/kws-dscnn/model.onnx'), input: 'mel', dims: [1, 1, 32, 64] },
    { name: 'perceptron', path: models.base, input: 'x', dims: [64, 256] },
  ];
  print('| model | bare p50 | ours / bare | overhead | ours / Python |');
  print('| --- | --: | --: | --: | --: |');
  for (const { name, path, input, dims } of subjects) {
    const feeds = join(folder, `${name}.json`);
    const count = dims.reduce((a, b) => a * b, 1);
    const values = Array.from({ length: count }, (_, i) => Math.sin(i));
    writeFileSync(feeds, JSON.stringify([{ name: input, dims, values }]));
    const seen = { ours: [], bare: [], python: [] };
    for (let turn = 0; turn < Number(flags.turns); turn++) {
      const sides = [
        ['ours', () => ours(path)],
        ['bare', () => json(process.execPath, [join(HERE, 'bare-loop.js'), path, feeds, '1', '1']).p50Ms],
        ['python', () => python && json(python, [join(HERE, 'bare_loop.py'), path, feeds, '1', '1']).p50Ms],
      ];
      for (const [side, measure] of turn % 2 === 0 ? sides : sides.toReversed()) seen[side].push(measure());
    }
    const ratio = (a, b) => median(a.map((ms, i) => ms / b[i]));
    const bare = median(seen.bare);
    const overheadUs = median(seen.ours.map((ms, i) => (ms - seen.bare[i]) * 1000));
    const beside = python ? ratio(seen.ours, seen.python).toFixed(3) : '–';
    print(
      `| ${name} | ${(bare * 1000).toFixed(1)} µs | ${ratio(seen.ours, seen.bare).toFixed(3)} | ${overheadUs.toFixed(1)} µs | ${beside} |`,
    );
  }
  print('');
}

function ours(path) {
  const words = ['bench', path, '--json', '--threads', '1', '--processes', '1', '--duration', '1s'];
  const { latency } = json(process.execPath, [CLI, ...words]).result.configurations[0];
  return latency.quantiles.find(({ probability }) => probability === 0.5).ms;
}

/** Verdicts of `--baseline` where the truth is known. */
function gates() {
  print('| candidate | runs | fail | pass | inconclusive | median time |');
  print('| --- | --: | --: | --: | --: | --: |');
  const cases = [
    ['the same', models.base, '60s', Number(flags.same)],
    ['10 % more work', models['plus 10 %'], '60s', Number(flags.slower)],
    ['5 % more work', models['plus 5 %'], '180s', Number(flags.slower)],
  ];
  for (const [name, path, maxTime, runs] of cases) {
    const verdicts = { fail: 0, pass: 0, inconclusive: 0 };
    const seconds = [];
    const ratios = [];
    for (let run = 0; run < runs; run++) {
      const started = performance.now();
      const words = ['bench', path, '--baseline', models.base, '--max-time', maxTime, '--json'];
      const quick = ['--threads', '1', '--processes', '1', '--duration', '50ms'];
      const [regression] = json(process.execPath, [CLI, ...words, ...quick]).result.regressions;
      verdicts[regression.verdict]++;
      ratios.push(regression.ratio.value);
      seconds.push((performance.now() - started) / 1000);
      tell(`${name} ${run + 1}/${runs}: ${regression.verdict} (${regression.ratio.value.toFixed(4)})`);
    }
    const { fail, pass, inconclusive } = verdicts;
    print(
      `| ${name} (measured ${median(ratios).toFixed(3)}) | ${runs} | ${fail} | ${pass} | ${inconclusive} | ${median(seconds).toFixed(0)} s |`,
    );
  }
  print('');
}

/** A server that stalls 100 ms every second, at 100 requests a second: p99 has to be near 100 ms. */
async function omission() {
  const server = await stallingServer();
  try {
    print('| load | p50 | p99 |');
    print('| --- | --: | --: |');
    for (const load of [
      ['--rate', '100', '--arrivals', 'constant'],
      ['--rate', '100'],
      ['--concurrency', '1'],
    ]) {
      const words = ['bench', '--url', server.url, '--json', '--duration', '10s', ...load];
      const { latency } = (await server.json(CLI, words)).result.configurations[0];
      const at = (p) => latency.quantiles.find(({ probability }) => probability === p)?.ms;
      print(
        `| ${load.join(' ').replaceAll('--', '')} | ${at(0.5)?.toFixed(2)} ms | ${at(0.99)?.toFixed(1) ?? '–'} ms |`,
      );
    }
    print('');
  } finally {
    server.close();
  }
}

/** What a program prints as JSON; the exit code of a gate is no failure of it. */
function json(command, args) {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`${command} ${args.join(' ')} printed no JSON: ${stderr}`);
  }
}
