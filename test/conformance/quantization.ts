/** `inspect` and `quantize` in every mode, as a user runs them, on models that have samples beside them. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import type { QuantizeReport } from '../../src/report/types.js';
import { modelFiles, print, Suite } from './suite.js';

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, words: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk);
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/**
 * One row a model file and mode, models without samples included; undefined when no model of the folder has samples beside it,
 * since then it is no folder of real models.
 */
export async function quantizationSuite(root: string, folder: string): Promise<Suite | undefined> {
  const models = modelFiles(folder);
  if (!models.some((path) => samplesBeside(path, 'eval') ?? samplesBeside(path, 'calib'))) return undefined;
  const suite = new Suite(`inspect and quantize in ${folder}`);
  const program = join(root, 'bin', 'serve-opt.js');
  const scratch = mkdtempSync(join(tmpdir(), 'serve-opt-conformance-'));
  try {
    print(row(['model', 'run', 'mode', 'size', 'p50 ms', 'metric']));
    for (const path of models) {
      const name = relative(folder, path);
      const inspected = await run(program, ['inspect', path, '--json']);
      if (inspected.code === 0) suite.pass();
      else suite.fail(`inspect ${name}`, `exit ${inspected.code}: ${inspected.stderr}${inspected.stdout}`);
      const calibration = samplesBeside(path, 'calib');
      const evaluation = samplesBeside(path, 'eval');
      const evalWords = evaluation === undefined ? [] : ['--eval', evaluation];
      const runs: [string, string[]][] = [
        ['no data', []],
        ...(calibration === undefined ? [] : [['--data', ['--data', calibration]] as [string, string[]]]),
        ['fp16', ['--mode', 'fp16']],
      ];
      for (const [label, words] of runs) {
        const output = join(scratch, `${basename(path)}-${suite.passed + suite.failed}.onnx`);
        const outcome = await run(program, ['quantize', path, '-o', output, '--json', ...words, ...evalWords]);
        const reason = judge(outcome, output);
        if (reason === undefined) {
          suite.pass();
          print(row([name, label, ...cells(resultOf(outcome))]));
        } else suite.fail(`quantize ${name} ${label}`, reason);
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  suite.close();
  return suite;
}

/** The first sample file whose name begins with `kind`; of several (by width, as streams) the plain one, else the first. */
function samplesBeside(modelPath: string, kind: string): string | undefined {
  const folder = dirname(modelPath);
  const plain = join(folder, `${kind}.npz`);
  if (existsSync(plain)) return plain;
  const first = readdirSync(folder)
    .filter((name) => name.startsWith(kind) && name.endsWith('.npz'))
    .sort()[0];
  return first === undefined ? undefined : join(folder, first);
}

function resultOf(outcome: Outcome): QuantizeReport {
  return (JSON.parse(outcome.stdout) as { result: QuantizeReport }).result;
}

function judge(outcome: Outcome, output: string): string | undefined {
  if (outcome.code !== 0) return `exit ${outcome.code}: ${outcome.stdout}${outcome.stderr}`;
  if (!existsSync(output)) return 'there is no output';
  const { loads } = resultOf(outcome).verification;
  return loads === 'passed' ? undefined : `the result was not loaded: ${loads}`;
}

function cells({ mode, input, output, accuracy, latency }: QuantizeReport): string[] {
  const metric = accuracy?.metrics?.[0];
  return [
    mode,
    `${((100 * output.sizeBytes) / input.sizeBytes).toFixed(1)} %`,
    latency === undefined ? '' : `${latency.p50MsA.toFixed(2)} → ${latency.p50MsB.toFixed(2)}`,
    metric === undefined ? '' : `${metric.metric} ${metric.a.value.toFixed(4)} → ${metric.b.value.toFixed(4)}`,
  ];
}

const WIDTHS = [36, 8, 8, 8, 20];

function row(texts: readonly string[]): string {
  return texts
    .map((text, index) => text.padEnd(WIDTHS[index] ?? 0))
    .join(' ')
    .trimEnd();
}
