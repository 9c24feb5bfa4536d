/**
 * `node benchmarks/compare/same-model.js [--runs 20] MODEL.onnx:SAMPLES.npz …`: times a model against itself in the ways of
 * `compare`, `quantize` and `bench --baseline`. A correct method gives ratios near 1 and claims no difference.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBuilt, ensureInstalled } from '../../scripts/install.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '20' } },
});
if (positionals.length === 0) {
  process.stderr.write('node benchmarks/compare/same-model.js [--runs 20] MODEL.onnx:SAMPLES.npz …\n');
  process.exit(2);
}
ensureInstalled();
if (ensureBuilt() !== 0) process.exit(1);
const { readModel } = await import('../../dist/index.js');
const { startRuntime } = await import('../../dist/runtime/host.js');
const { loadPair } = await import('../../dist/workflows/workbench/loaded-pair.js');
const { latencyVerdict } = await import('../../dist/report/latency-words.js');

const PROGRAM = fileURLToPath(new URL('../../bin/serve-opt.js', import.meta.url));
/** A ratio within this of 1 counts as right. */
const BAND = 0.03;

const folder = mkdtempSync(join(tmpdir(), 'same-model-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

function compareRatio({ model, copy, data }) {
  const printed = execFileSync(process.execPath, [PROGRAM, 'compare', model, copy, '--data', data, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(printed).result.latency;
}

async function quantizeRatio({ model, copy, data }) {
  const runtime = await startRuntime();
  try {
    const pair = await loadPair(runtime, await readModel(model), { a: model, b: copy }, {});
    return await pair.latency({ kind: 'data', path: data });
  } finally {
    await runtime.close();
  }
}

function baselineVerdict({ model, copy }) {
  const { status, stdout } = spawnSync(process.execPath, [PROGRAM, 'bench', model, '--baseline', copy, '--json'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (stdout === '') throw new Error(`bench ended with ${status} and printed nothing`);
  return status;
}

const round = (value) => value.toFixed(3);

for (const argument of positionals) {
  const [path, data] = argument.split(':');
  const name = `${basename(dirname(path))}.onnx`;
  const [model, copy] = [join(folder, `a-${name}`), join(folder, `b-${name}`)];
  copyFileSync(path, model);
  copyFileSync(path, copy);
  const rows = { compare: [], quantize: [], baseline: [] };
  for (let run = 0; run < Number(flags.runs); run++) {
    rows.compare.push(compareRatio({ model, copy, data }));
    rows.quantize.push(await quantizeRatio({ model, copy, data }));
    rows.baseline.push(baselineVerdict({ model, copy }));
  }
  for (const which of ['compare', 'quantize']) {
    const ratios = rows[which].map(({ ratio }) => ratio ?? Number.NaN);
    const near = ratios.filter((value) => Math.abs(value - 1) <= BAND).length;
    const claims = rows[which].filter((latency) => ['slower', 'faster'].includes(latencyVerdict(latency))).length;
    process.stdout.write(
      `${name} ${which}: ${near} of ${ratios.length} within ${BAND * 100} %, ${claims} claims of a difference; ${ratios.map(round).join(' ')}\n`,
    );
  }
  const passed = rows.baseline.filter((status) => status === 0).length;
  process.stdout.write(
    `${name} bench --baseline: ${passed} of ${rows.baseline.length} pass; exits ${rows.baseline.join(' ')} (load ${loadavg()[0].toFixed(1)})\n`,
  );
}
