/**
 * `node benchmarks/compare/run.js A.onnx B.onnx SAMPLES.npz [--count 2000] [--turns 3]`: what `compare` takes to run two models on
 * the same samples, over a bare loop without spinning threads. Both take turns, so that what else a machine does hits both;
 * what counts is the ratio.
 */
import { execFileSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled } from '../../scripts/install.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string', default: '2000' }, turns: { type: 'string', default: '3' } },
});
const [a, b, data] = positionals;
if (data === undefined) {
  process.stderr.write('node benchmarks/compare/run.js A.onnx B.onnx SAMPLES.npz [--count 2000] [--turns 3]\n');
  process.exit(2);
}
ensureInstalled();
if (ensureBuilt() !== 0) process.exit(1);
const { compare } = await import('../../dist/workflows/compare.js');
const { median } = await import('../../dist/bench/quantiles.js');

const BARE = fileURLToPath(new URL('bare-loop.js', import.meta.url));
const bareMs = () => Number(execFileSync(process.execPath, [BARE, a, b, data, flags.count], { encoding: 'utf8' }));

/** From the start of the stage `compare` to its end. */
async function compareMs() {
  let begun = 0;
  let ms = 0;
  const onProgress = ({ kind, stage }) => {
    if (stage !== 'compare') return;
    if (kind === 'start') begun = performance.now();
    else if (kind === 'end') ms = performance.now() - begun;
  };
  const { comparison } = await compare(
    a,
    b,
    { kind: 'data', path: data, count: Number(flags.count) },
    { latency: false },
    { onProgress },
  );
  return { ms, samples: comparison.samples, batchSize: comparison.batchSize };
}

const bare = [];
const ours = [];
let last;
for (let turn = 0; turn < Number(flags.turns); turn++) {
  bare.push(bareMs());
  last = await compareMs();
  ours.push(last.ms);
}
const ratio = median(ours.map((ms, i) => ms / bare[i]));
const each = (times) => times.map((ms) => Math.round(ms)).join(', ');
process.stdout.write(
  `${last.samples} samples, ${last.batchSize} a run: bare ${each(bare)} ms; compare ${each(ours)} ms; ratio ${ratio.toFixed(2)} (load ${loadavg()[0].toFixed(1)})\n`,
);
