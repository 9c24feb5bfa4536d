/**
 * The samples of output in the README: what the program prints for the fixtures, as a terminal of 92 columns shows it.
 * `node scripts/readme-samples.js` runs every command that the README shows with output and writes the blocks anew;
 * test/readme.test.ts runs them again and compares, with what a machine measures masked.
 */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ROOT } from './install.js';

const SELF = fileURLToPath(import.meta.url);
const COLUMNS = 92;
const README = join(ROOT, 'README.md');
const BLOCK = /^```text\n\$ npx serve-opt ([^\n]+)\n([\s\S]*?)^```$/gm;
/** The model that the samples show, and what it is called there. */
const FIXTURE = join(ROOT, 'fixtures', 'silero-vad');
const MODEL = 'vad.onnx';

const load = (path) => import(pathToFileURL(join(ROOT, 'dist', path)).href);

/** The commands that the README shows, with the output that follows. */
export function readmeSamples() {
  return [...readFileSync(README, 'utf8').matchAll(BLOCK)].map(([, command = '', text = '']) => ({ command, text }));
}

/** A folder with the files that the commands name. */
export function sampleFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'serve-opt-readme-'));
  for (const name of readdirSync(FIXTURE))
    copyFileSync(join(FIXTURE, name), join(folder, name === 'model.onnx' ? MODEL : name));
  return folder;
}

/** A sample without what differs from run to run and from machine to machine: times, what follows from them, and shares. */
export function maskSample(text) {
  return text
    .replace(/\n▲ (slower here|left out|it had)[\s\S]*?(?=\n\S)/g, '')
    .replace(/\n▲ (slower here|left out|it had)[^\n]*/g, '')
    .replace(/\d[\d.,]* (µs|ms|s|min)\b/g, '<time>')
    .replace(/^(p50 latency +<time> +<time>).*$/gm, '$1')
    .replace(/[+−±]?\d+(\.\d+)? (pt|dB)/g, '<$2>')
    .replace(/^((?:.*accuracy|.*AUC|agreement).*)$/gm, (line) => line.replace(/\d+(\.\d+)? %/g, '<share>'))
    .replace(/\d(\.\d+)?e−\d+/g, '<error>')
    .replace(/ +/g, ' ');
}

/** Runs a command in the current folder and prints what a terminal would show, both streams together. */
async function runAsTerminal(words) {
  const { main } = await load('cli/main.js');
  const { packageVersion } = await load('version.js');
  const terminal = new Writable({ write: (chunk, _encoding, done) => process.stdout.write(chunk, done) });
  Object.assign(terminal, { isTTY: true, columns: COLUMNS });
  // No moving line and no colour.
  const env = { ...process.env, CI: '1', NO_COLOR: '1', GITHUB_ACTIONS: undefined };
  const versions = { serveOpt: packageVersion(), node: process.versions.node, platform: process.platform };
  const signal = new AbortController().signal;
  return main(words, { stdout: terminal, stderr: terminal, env, cwd: process.cwd(), signal, versions });
}

/** What a command prints in a folder. */
export function runSample(command, folder) {
  const words = ['--run', ...command.split(' ')];
  const { stdout, stderr, status } = spawnSync(process.execPath, [SELF, ...words], { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`serve-opt ${command} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** The report that the sample of `bench` was made of: nothing of it is the same on another day, so it is kept. */
export const BENCH_REPORT = join(ROOT, 'test', 'fixtures', 'readme-bench.generated.json');

/** What `bench` prints of a report, after its progress. */
export async function benchText(report) {
  const { benchSummary, renderBench } = await load('cli/render/bench-text.js');
  const { createStyle } = await load('cli/render/style.js');
  const { wrapLine } = await load('cli/render/wrap.js');
  const text = await renderBench(report, { columns: COLUMNS, style: createStyle(false), verbosity: 0 });
  return `${text}\n${wrapLine(benchSummary(report), COLUMNS)}\n`;
}

/** Requests whose latency is kept in the report: enough for the line that shows how they are spread. */
const KEPT_REQUESTS = 1500;

async function benchSample(command, folder) {
  const printed = runSample(`${command} --report bench.json`, folder);
  const report = JSON.parse(readFileSync(join(folder, 'bench.json'), 'utf8'));
  for (const configuration of report.configurations) {
    const requests = configuration.segments.reduce((sum, { latencyMs }) => sum + latencyMs.length, 0);
    const step = Math.ceil(requests / KEPT_REQUESTS);
    for (const segment of configuration.segments) {
      segment.latencyMs = segment.latencyMs.filter((_, i) => i % step === 0).map((ms) => Number(ms.toPrecision(4)));
      segment.startMs = [];
      segment.every *= step;
    }
  }
  mkdirSync(dirname(BENCH_REPORT), { recursive: true });
  writeFileSync(BENCH_REPORT, `${JSON.stringify(report, undefined, 1)}\n`);
  const progress = /^(✓ [^\n]*\n)+/.exec(printed)?.[0] ?? '';
  return progress + (await benchText(report));
}

async function writeSamples() {
  const folder = sampleFolder();
  try {
    let text = readFileSync(README, 'utf8');
    for (const { command, text: before } of readmeSamples()) {
      const isBench = command.startsWith('bench ');
      const after = isBench ? await benchSample(command, folder) : runSample(command, folder);
      text = text.replace(`$ npx serve-opt ${command}\n${before}`, () => `$ npx serve-opt ${command}\n${after}`);
    }
    writeFileSync(README, text);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === SELF) {
  const [flag, ...words] = process.argv.slice(2);
  if (flag === '--run') process.exitCode = await runAsTerminal(words);
  else await writeSamples();
}
