/**
 * `serve-opt prune` on a network of the size of ResNet-50 beside onnxsim's structured pruning, in turns; the speed of half the
 * multiply-adds; and repairs of models with samples.
 *
 * Usage: node benchmarks/prune/run.js [--runs 3] [--peers-python PATH] [--skip-peers] [--models FOLDER]
 * FOLDER has cifar10-resnet and minilm-banking77, each with model.onnx, calib.npz and eval.npz; without it nothing is repaired.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled, ROOT } from '../../scripts/install.js';
import { measure } from '../measure.js';
import { peerPython } from '../peers.js';

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    'peers-python': { type: 'string' },
    'skip-peers': { type: 'boolean', default: false },
    models: { type: 'string' },
  },
});
ensureInstalled();
if (ensureBuilt() !== 0) process.exit(1);
const cache = join(ROOT, '.cache', 'bench');
mkdirSync(join(cache, 'models'), { recursive: true });
const { makeModels } = await import('../models/make-models.js');
const { residual } = await makeModels(join(cache, 'models'), { quick: false, onMake: () => {} });
const python = flags['skip-peers']
  ? undefined
  : peerPython({ folder: cache, given: flags['peers-python'], onMake: () => {} });
const folder = mkdtempSync(join(tmpdir(), 'prune-'));
const out = (name) => join(folder, name);
const program = join(ROOT, 'bin', 'serve-opt.js');
const serveOpt = (...args) => ({ command: process.execPath, args: [program, ...args, '-q'] });
const print = (line) => process.stdout.write(`${line}\n`);
const megabytes = (bytes) => (bytes === undefined ? '?' : `${(bytes / 1e6).toFixed(0)} MB`);
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function inTurns(sides, runs) {
  const seen = new Map(sides.map(({ name }) => [name, []]));
  for (let turn = 0; turn < runs; turn++)
    for (const { name, result, ...run } of sides) {
      rmSync(result, { force: true });
      seen.get(name).push(await measure(run));
    }
  for (const { name, result } of sides) {
    const all = seen.get(name);
    const of = (key) => median(all.map((each) => each[key]));
    const share = statSync(result).size / statSync(residual).size;
    print(
      `${name.padEnd(34)} ${of('wallSeconds').toFixed(2)} s wall, ${of('cpuSeconds')?.toFixed(2) ?? '?'} s CPU, ` +
        `${megabytes(of('togetherBytes'))} (largest process ${megabytes(of('largestBytes'))}), ${share.toFixed(3)} of the file`,
    );
  }
}

function reported(args, report) {
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [program, ...args, '--report', report, '-q'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`serve-opt ${args.join(' ')} ended with ${status}: ${stderr}`);
  return { seconds: (performance.now() - begun) / 1000, report: JSON.parse(readFileSync(report, 'utf8')) };
}

try {
  print(`load ${loadavg()[0]?.toFixed(1)}; medians of ${flags.runs}`);
  const cut = ['prune', residual, '--amount', '0.5'];
  await inTurns(
    [
      {
        name: 'serve-opt, without a run',
        result: out('a.onnx'),
        ...serveOpt(...cut, '-o', out('a.onnx'), '--no-verify'),
      },
      { name: 'serve-opt, verified and timed', result: out('b.onnx'), ...serveOpt(...cut, '-o', out('b.onnx')) },
      ...(python
        ? [
            {
              name: 'onnxsim, simplified and pruned',
              result: out('c.onnx'),
              command: python,
              args: [join(ROOT, 'benchmarks/prune/prune.py'), residual, out('c.onnx')],
            },
          ]
        : []),
    ],
    Number(flags.runs),
  );
  const half = ['prune', residual, '--target-macs', '0.5x', '-o', out('half.onnx'), '--force'];
  const { report, seconds } = reported(half, out('half.json'));
  const { latency, before, after } = report;
  const speed = (ratio) => (ratio === undefined ? '?' : (1 / ratio).toFixed(2));
  const faster = latency
    ? `${speed(latency.ratio)}x faster (${speed(latency.ratioHigh)} to ${speed(latency.ratioLow)})`
    : 'not timed';
  print(
    `${(before.macs / after.macs).toFixed(2)}x fewer multiply-adds: ${faster}; the command took ${seconds.toFixed(1)} s`,
  );
  for (const [name, amount] of [
    ['cifar10-resnet', '0.5'],
    ['minilm-banking77', '0.25'],
  ]) {
    const models = flags.models && join(flags.models, name);
    if (!models || !existsSync(join(models, 'model.onnx'))) continue;
    const model = join(models, 'model.onnx');
    const data = ['--data', join(models, 'calib.npz'), '--eval', join(models, 'eval.npz'), '--samples', '400'];
    const args = ['prune', model, '--amount', amount, ...data, '-o', out(`${name}.onnx`), '--force'];
    const repaired = reported(args, out(`${name}.json`));
    const [metric] = repaired.report.accuracy?.metrics ?? [];
    const fitted = repaired.report.repair.filter(({ left }) => left === undefined).length;
    print(
      `${name}, ${amount} of every group, 400 samples: ${repaired.seconds.toFixed(1)} s, ${fitted} layers fitted, ` +
        `${metric?.metric} ${metric?.a.value.toFixed(4)} to ${metric?.b.value.toFixed(4)}`,
    );
  }
  print(`load ${loadavg()[0]?.toFixed(1)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
