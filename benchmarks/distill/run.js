/**
 * `serve-opt distill` on files of logits against numpy and scipy doing the same sums (logits.py), one after the other.
 *
 * Usage: node benchmarks/distill/run.js [--rows 200000] [--classes 1000] [--python python3] [--folder DIR]
 * The folder keeps teacher.npy, student.npy and labels.npy, which are made where they are missing. Needs numpy and scipy.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '200000' },
    classes: { type: 'string', default: '1000' },
    python: { type: 'string', default: 'python3' },
    folder: { type: 'string' },
  },
});
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'distill-'));

function run(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`);
  return stdout;
}

/** Wall time and peak memory of a command, by GNU time. */
function timed(command, args) {
  const begun = performance.now();
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', 'PEAK %M', command, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
  const peakBytes = Number(/PEAK (\d+)/.exec(stderr)?.[1] ?? Number.NaN) * 1024;
  return { seconds: (performance.now() - begun) / 1000, peakBytes };
}

try {
  if (!existsSync(join(folder, 'labels.npy')))
    run(values.python, [join(HERE, 'make_logits.py'), folder, values.rows, values.classes]);
  const path = (name) => join(folder, `${name}.npy`);
  const report = join(folder, 'report.json');
  rmSync(report, { force: true });
  const ours = timed(process.execPath, [
    join(HERE, '../../bin/serve-opt.js'),
    'distill',
    ...['--teacher-logits', path('teacher'), '--student-logits', path('student'), '--labels', path('labels')],
    ...['--temperature', '1,4', '--resamples', '0', '--report', report, '-q'],
  ]);
  const theirs = JSON.parse(run(values.python, [join(HERE, 'logits.py'), folder, '4']));
  const { evaluation } = JSON.parse(readFileSync(report, 'utf8')).students[0];
  const { fidelity, labelled } = evaluation;
  const [one, four] = fidelity.temperatures;
  const pairs = [
    ['agreement', fidelity.agreement.top1.value, theirs.figures.agreement],
    ['KL, T = 1', one.kl, theirs.figures['kl1.0']],
    ['KL, T = 4', four.kl, theirs.figures['kl4.0']],
    ['Jensen-Shannon', fidelity.jensenShannon, theirs.figures.jensenShannon],
    ['rank correlation', fidelity.rankCorrelation, theirs.figures.rankCorrelation],
    ['DIST within a class', one.distIntra, 1 - theirs.figures['intra1.0']],
    ['NLL of the student', labelled.student.nll, theirs.figures.nllS],
    ['ECE of the student', labelled.student.equalWidth.ece, theirs.figures.eceS],
    ['class-wise ECE', labelled.student.classwiseEce, theirs.figures.classwiseS],
    ['fitted temperature', labelled.student.fitted.temperature, theirs.figures.temperatureS],
  ];
  const worst = Math.max(...pairs.map(([, a, b]) => Math.abs(a - b)));
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  const lines = [
    ...pairs.map(([name, a, b]) => `${name.padEnd(22)} ${a.toPrecision(12)}  ${b.toPrecision(12)}`),
    `largest difference ${worst.toExponential(1)}`,
    `serve-opt ${ours.seconds.toFixed(1)} s, ${megabytes(ours.peakBytes)}`,
    `numpy, scipy ${theirs.seconds.toFixed(1)} s, ${megabytes(theirs.peakBytes)}`,
    `${(theirs.seconds / ours.seconds).toFixed(2)}× as fast (load ${loadavg()[0].toFixed(1)})`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
} finally {
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
}
