/**
 * `node benchmarks/package/run.js [--size 2] [--turns 5] [--link] [--folder DIR]`: what `package triton` takes for a model with so
 * many GB of external data, over `cp` of the same files, both as whole processes that take turns, and the memory of each. `cp`
 * does not wait for the disk and a package does, so `cp` with `sync` of what it wrote is timed too.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled, ROOT } from '../../scripts/install.js';
import { measure } from '../measure.js';

const { values: flags } = parseArgs({
  options: {
    size: { type: 'string', default: '2' },
    turns: { type: 'string', default: '5' },
    link: { type: 'boolean', default: false },
    folder: { type: 'string', default: tmpdir() },
  },
});
ensureInstalled();
if (ensureBuilt() !== 0) process.exit(1);
const { DataType, Model, Tensor, tensorType, writeModel } = await import('../../dist/index.js');
const { median } = await import('../../dist/bench/quantiles.js');

const WIDTH = 4096;
const BYTES_OF_LAYER = WIDTH * WIDTH * 4;

/** A chain of MatMuls whose weights are one array, written once for each layer. */
async function makeModel(path, sizeBytes) {
  const model = new Model();
  model.setOpset('', 17);
  const { graph } = model;
  const data = Float32Array.from({ length: WIDTH * WIDTH }, (_, index) => Math.sin(index));
  let value = graph.newValue('x', tensorType(DataType.FLOAT, ['N', WIDTH]));
  graph.addInput(value);
  const layers = Math.ceil(sizeBytes / BYTES_OF_LAYER);
  for (let layer = 0; layer < layers; layer++) {
    const weight = graph.addInitializer(`w${layer}`, Tensor.float32(data, [WIDTH, WIDTH]));
    const output = { name: layer === layers - 1 ? 'y' : `h${layer}`, type: tensorType(DataType.FLOAT, ['N', WIDTH]) };
    value = graph.addNode({ opType: 'MatMul', inputs: [value, weight], outputs: [output] }).output();
  }
  graph.addOutput(value);
  await writeModel(model, path, { externalData: 'always' });
}

const folder = mkdtempSync(join(flags.folder, 'serve-opt-package-bench-'));
try {
  const model = join(folder, 'model.onnx');
  await makeModel(model, Number(flags.size) * 1e9);
  const files = [model, `${model}.data`];
  const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
  process.stdout.write(`a model of ${(bytes / 1e9).toFixed(2)} GB\n`);
  const target = join(folder, 'out');
  const sides = [
    ['cp', ['cp', [...files, target]]],
    ['cp, sync', ['sh', ['-c', 'cp "$1" "$2" "$3" && sync "$3"/*', 'sh', ...files, target]]],
    [
      'package triton',
      [
        process.execPath,
        [
          join(ROOT, 'bin/serve-opt.js'),
          'package',
          'triton',
          model,
          '-o',
          join(target, 'models'),
          '-q',
          ...(flags.link ? ['--link'] : []),
        ],
      ],
    ],
  ];
  const runs = new Map(sides.map(([name]) => [name, []]));
  for (let turn = 0; turn < Number(flags.turns); turn++) {
    for (const [name, [program, words]] of sides) {
      rmSync(target, { recursive: true, force: true });
      mkdirSync(target);
      execFileSync('sync');
      for (const path of files) execFileSync('sh', ['-c', 'cat "$1" > /dev/null', 'sh', path]);
      runs.get(name).push(await measure({ command: program, args: words }));
    }
  }
  if (!existsSync(join(target, 'models/model/1/model.onnx.data'))) throw new Error('the package lacks its data');
  const time = (name) => median(runs.get(name).map(({ wallSeconds }) => wallSeconds));
  for (const [name, measured] of runs) {
    const most = Math.max(...measured.map(({ togetherBytes }) => togetherBytes ?? 0));
    const largest = Math.max(...measured.map(({ largestBytes }) => largestBytes ?? 0));
    process.stdout.write(
      `${name.padEnd(16)}${time(name).toFixed(2).padStart(6)} s  ${(time(name) / time('cp')).toFixed(2)}× cp  ${(time(name) / time('cp, sync')).toFixed(2)}× cp, sync  ` +
        `memory ${(most / 1e6).toFixed(0)} MB, largest process ${(largest / 1e6).toFixed(0)} MB  (n = ${measured.length})\n`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
