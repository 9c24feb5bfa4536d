/** `serve-opt bench` as a process: exit codes, report files, what GitHub Actions gets, and signals. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Model } from '../../../src/ir/model.js';
import { parseModel } from '../../../src/ir/text/parse-model.js';
import { tensorType } from '../../../src/ir/type.js';
import { modelBytes } from '../../../src/ir/write-model.js';
import type { BenchReport } from '../../../src/report/bench-types.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { HOSTILE_NAMES } from '../../report/bench-reports.js';
import {
  listing,
  makeParent,
  makePlace,
  type Outcome,
  outcomeOf,
  type Place,
  run,
  start,
  startToldWhenReady,
} from '../program.js';
import { chainText, DIGITS, DIGITS_DATA, ENDLESS } from './models.js';

const SHORT = ['--duration', '50ms', '--processes', '1'];
/** One of another system. */
const FOREIGN_PROVIDER = process.platform === 'darwin' ? 'directml' : 'coreml';
/** The developer's CI variables must not show. */
const BARE: NodeJS.ProcessEnv = { PATH: process.env.PATH };

let parent = '';
beforeAll(() => {
  parent = makeParent();
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

async function textPlace(text: string): Promise<Place> {
  const file = join(parent, 'text.onnx');
  writeFileSync(file, await modelBytes(parseModel(`<ir_version: 10, opset_import: ["" : 21]> ${text}`)));
  return makePlace(parent, file);
}

function bench(place: Place, words: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return run(place, ['bench', ...words], { ...BARE, ...environment });
}

/** The only document on stdout. */
function documentOf({ stdout }: Outcome): { ok: boolean; result: BenchReport; error?: { code: string } } {
  return JSON.parse(stdout);
}

const read = (place: Place, name: string): string => readFileSync(join(place.folder, name), 'utf8');

describe('exit codes', () => {
  let place: Place;
  beforeAll(() => {
    place = makePlace(parent, DIGITS);
  });

  it.each([
    [0, [], undefined],
    [0, ['--budget', 'size=1GB'], 'pass'],
    [4, ['--budget', 'size=1B'], 'fail'],
    [5, ['--budget', 'cold-start=1000s', '--max-time', '1ms'], 'inconclusive'],
    [0, ['--budget', 'cold-start=1000s', '--max-time', '1ms', '--allow-inconclusive'], 'inconclusive'],
  ] as const)('%d for %j', async (code, words, verdict) => {
    const outcome = await bench(place, ['model.onnx', ...SHORT, '--json', ...words]);
    expect(outcome.code, outcome.stderr).toBe(code);
    const { ok, result } = documentOf(outcome);
    expect(ok).toBe(code === 0);
    expect(result.verdict).toBe(verdict);
  });

  it.each([
    [2, 'SO1006', ['--budget', 'p99=fast']],
    [2, 'SO1006', ['--report', 'report.pdf']],
    [2, 'SO1006', ['--dim', 'nothing=3']],
    [2, 'SO1004', ['--junit', 'model.onnx']],
    [2, 'SO1004', ['--markdown', 'linked.onnx']],
    [2, 'SO1002', ['--report', 'a.json', '--bencher', './a.json']],
    [2, 'SO1002', ['--report', 'a.bigger.json', '--github-benchmark', 'a.json']],
    [6, 'SO5005', ['--ep', FOREIGN_PROVIDER]],
    [1, 'SO6001', ['--report', 'absent/report.json']],
    [1, 'SO6001', ['--report', 'folder.json']],
    [3, 'SO2001', ['--data', 'absent.npz']],
    [3, 'SO2001', ['--baseline', 'absent.json']],
    [3, 'SO4007', ['--baseline', 'other.json']],
  ] as const)('%d with %s for %j', async (code, name, words) => {
    const { symlinkSync } = await import('node:fs');
    if (!existsSync(join(place.folder, 'linked.onnx'))) {
      symlinkSync('model.onnx', join(place.folder, 'linked.onnx'));
      mkdirSync(join(place.folder, 'folder.json'));
      writeFileSync(join(place.folder, 'other.json'), '{"command": "compare"}');
    }
    const before = readFileSync(place.model);
    const outcome = await bench(place, ['model.onnx', ...SHORT, '--json', ...words]);
    expect(outcome.code, outcome.stderr).toBe(code);
    expect(documentOf(outcome)).toMatchObject({ ok: false, error: { code: name } });
    expect(readFileSync(place.model).equals(before)).toBe(true);
  });

  it('1 for one of several models that cannot be measured, after the others', async () => {
    const bad = await textPlace('g (float[4] x) => (int4[4] y) { y = Cast <to = 22> (x) }');
    writeFileSync(join(bad.folder, 'good.onnx'), readFileSync(DIGITS));
    const { code, stdout, stderr } = await bench(bad, ['model.onnx', 'good.onnx', ...SHORT]);
    expect(code, stderr).toBe(1);
    expect(stdout).toContain('good.onnx');
    expect(stdout + stderr).toContain('SO5006');
  });
});

describe('reports', () => {
  it('never replace the weights of a model', async () => {
    const place = makePlace(parent, DIGITS);
    const { writeModel } = await import('../../../src/ir/write-model.js');
    const { readModel } = await import('../../../src/ir/read-model.js');
    const model = await readModel(DIGITS);
    await writeModel(model, join(place.folder, 'apart.onnx'), { externalData: 'always' });
    model.source?.close();
    const [weights = ''] = listing(place.folder).filter((name) => !name.endsWith('.onnx'));
    const before = readFileSync(join(place.folder, weights));
    for (const words of [['apart.onnx'], ['model.onnx', '--baseline', 'apart.onnx']]) {
      const outcome = await bench(place, [...words, ...SHORT, '--json', '--junit', weights]);
      expect(outcome.code, outcome.stderr).toBe(2);
      expect(documentOf(outcome)).toMatchObject({ error: { code: 'SO1004' } });
    }
    expect(readFileSync(join(place.folder, weights)).equals(before)).toBe(true);
  });

  it('are written whole in every format, and replace old ones', async () => {
    const place = makePlace(parent, DIGITS);
    writeFileSync(join(place.folder, 'r.html'), 'old');
    const names = ['r.html', 'r.json', 'j.xml', 'm.md', 'g.json', 'b.json', 'o.txt'] as const;
    const [html, json, junit, markdown, github, bencher, metrics] = names;
    const words = ['--report', html, '--report', json, '--junit', junit, '--markdown', markdown];
    words.push('--github-benchmark', github, '--bencher', bencher, '--openmetrics', metrics);
    const data = ['--data', DIGITS_DATA, '--batch', '1,2', '--budget', 'size=1GB'];
    const outcome = await bench(place, ['model.onnx', ...SHORT, ...data, ...words]);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(listing(place.folder)).toEqual([...names, 'g.bigger.json', 'model.onnx'].sort());
    expect(listing(place.temporary)).toEqual([]);
    const report: BenchReport = JSON.parse(read(place, json));
    expect(report).toMatchObject({ command: 'bench', source: 'calib.npz', verdict: 'pass' });
    expect(read(place, html)).toMatch(/^<!doctype html>[\s\S]*<\/html>\s*$/i);
    expect(read(place, junit)).toMatch(/^<\?xml[\s\S]*<\/testsuites>\s*$/);
    expect(read(place, markdown)).toContain('batch=2');
    for (const name of [github, 'g.bigger.json', bencher]) expect(JSON.parse(read(place, name))).toBeTruthy();
    expect(read(place, metrics)).toMatch(/# EOF\n$/);
    // Nobody's folder, machine or time of day.
    for (const name of names) expect(read(place, name)).not.toContain(place.folder);
    for (const { label } of report.configurations) expect(outcome.stdout).toContain(label);
  });

  it('serve as a baseline', async () => {
    const place = makePlace(parent, DIGITS);
    const first = await bench(place, ['model.onnx', ...SHORT, '--report', 'base.json']);
    expect(first.code, first.stderr).toBe(0);
    const words = ['model.onnx', ...SHORT, '--baseline', 'base.json', '--json'];
    const again = await bench(place, words);
    expect([0, 4, 5], again.stderr).toContain(again.code);
    expect(documentOf(again).result.regressions).toMatchObject([{ kind: 'report', baseline: 'base.json' }]);
    const other = JSON.parse(read(place, 'base.json'));
    other.environment.cpuModel = 'Z80';
    writeFileSync(join(place.folder, 'base.json'), JSON.stringify(other));
    const elsewhere = await bench(place, words);
    expect(elsewhere.code, elsewhere.stderr).toBe(0);
    expect(documentOf(elsewhere).result.regressions).toMatchObject([{ verdict: 'not-comparable' }]);
    const over = await bench(place, [...words, '--report', 'base.json']);
    expect(documentOf(over)).toMatchObject({ ok: false, error: { code: 'SO1004' } });
  });
});

describe('GitHub Actions', () => {
  /** Every name of a stranger in a model: inputs, their dimensions, nodes. */
  async function hostilePlace(): Promise<Place> {
    const model = new Model();
    model.setOpset('', 17);
    const { graph } = model;
    // ONNX Runtime ends names at the first zero.
    for (const [index, name] of HOSTILE_NAMES.filter((each) => !each.includes('\0')).entries()) {
      const input = graph.newValue(name, tensorType(DataType.FLOAT, [name, 4]));
      graph.addInput(input);
      const output = { name: `out${index}`, type: tensorType(DataType.FLOAT, [name, 4]) };
      graph.addOutput(graph.addNode({ opType: 'Erf', name, inputs: [input], outputs: [output] }).output());
    }
    const file = join(parent, 'names.onnx');
    writeFileSync(file, await modelBytes(model));
    return makePlace(parent, file);
  }

  /** What a stranger may call a file. */
  const HOSTILE_FILES = [
    '::error title=pwned::x',
    '##[command]rm',
    '<script>|`x` @everyone',
    '%0A::set-output name=x::y',
  ];

  /** Commands that the runner would act on, by line. */
  const commands = (text: string): string[] => text.split(/\r\n|\r|\n/).filter((line) => /^\s*::|##\[/.test(line));

  it('gets summary, outputs and annotations, and nothing that a name asks for', async () => {
    const place = await hostilePlace();
    const [summary, output] = [join(place.folder, 'summary.md'), join(place.folder, 'output.txt')];
    writeFileSync(summary, 'before\n');
    writeFileSync(output, 'before=1\n');
    const environment = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: output };
    const gates = ['--budget', 'size=1B', '--budget', 'p99=1000s', '--profile', '--max-time', '1ms'];
    const models = ['model.onnx', ...HOSTILE_FILES];
    for (const name of HOSTILE_FILES) writeFileSync(join(place.folder, name), readFileSync(DIGITS));
    const outcome = await bench(place, [...models, ...SHORT, ...gates, '-v'], environment);
    expect(outcome.code, outcome.stderr).toBe(4);
    expect(commands(outcome.stdout)).toEqual([]);
    const annotations = commands(outcome.stderr);
    expect(annotations.filter((line) => line.startsWith('::error'))).toHaveLength(models.length);
    expect(new Set(annotations).size).toBe(annotations.length);
    expect(annotations.every((line) => /^::(error|warning|notice) title=/.test(line))).toBe(true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal would act on these.
    expect(outcome.stdout + outcome.stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f\u202e]/);
    const page = readFileSync(summary, 'utf8');
    expect(page).toMatch(/^before\n/);
    expect(page.length).toBeGreaterThan(200);
    expect(page).not.toMatch(/<script|<!--(?! serve-opt bench -->)|[^`]::error/);
    const outputs = readFileSync(output, 'utf8');
    expect(outputs).toMatch(/^before=1\n/);
    expect(outputs).toMatch(/verdict/);
    expect(outputs).toContain('fail');
  });

  it('is told nothing when it should not be', async () => {
    const place = makePlace(parent, DIGITS);
    const summary = join(place.folder, 'summary.md');
    const environment = { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary };
    const words = ['model.onnx', ...SHORT, '--no-github', '--budget', 'size=1B'];
    const { code, stderr } = await bench(place, words, environment);
    expect(code, stderr).toBe(4);
    expect(existsSync(summary)).toBe(false);
    expect(commands(stderr)).toEqual([]);
  });

  it('that cannot be told costs nothing but a warning', async () => {
    const place = makePlace(parent, DIGITS);
    const environment = {
      GITHUB_ACTIONS: 'true',
      GITHUB_STEP_SUMMARY: join(place.folder, 'absent', 'summary.md'),
      GITHUB_OUTPUT: place.folder,
    };
    const outcome = await bench(place, ['model.onnx', ...SHORT, '--json'], environment);
    expect(outcome.code, outcome.stderr).toBe(0);
    expect(documentOf(outcome).ok).toBe(true);
    expect(outcome.stderr).toContain('GITHUB_STEP_SUMMARY could not be written');
    expect(outcome.stderr).toContain('GITHUB_OUTPUT could not be written');
  });
});

describe('a signal', () => {
  /** Sends it some time after a stage has ended. */
  async function stop(place: Place, words: readonly string[], signal: NodeJS.Signals, stage: string, afterMs: number) {
    const child = start(place, ['bench', 'model.onnx', ...words], BARE);
    const ended = outcomeOf(child);
    let seen = '';
    const reached = new Promise<void>((resolve) => {
      child.stderr?.on('data', (chunk) => {
        seen += String(chunk);
        if (seen.includes(`✓ ${stage}`)) resolve();
      });
    });
    await Promise.race([reached, ended]);
    await Promise.race([sleep(afterMs), ended]);
    child.kill(signal);
    const outcome = await ended;
    expect(outcome.stderr).not.toMatch(/\n {4}at /);
    return outcome;
  }

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends it with %d, what was measured, and the reports asked for', async (signal, code) => {
    const place = makePlace(parent, DIGITS);
    const words = ['--duration', '100s', '--processes', '1000', '--report', 'r.json', '--report', 'r.html'];
    const outcome = await stop(place, [...words, '--junit', 'j.xml'], signal, 'prepare', 3000);
    expect(outcome.code, outcome.stderr).toBe(code);
    const report: BenchReport = JSON.parse(read(place, 'r.json'));
    expect(report.interrupted).toBe(true);
    const [each] = report.configurations;
    expect(each?.error).toBeUndefined();
    // A machine that measured nothing in all that time has nothing to show.
    if (each?.latency) expect(outcome.stdout).toContain('model.onnx');
    expect(outcome.stdout + outcome.stderr).toContain('interrupted');
    expect(read(place, 'r.html')).toMatch(/<\/html>\s*$/);
    expect(read(place, 'j.xml')).toMatch(/<\/testsuites>\s*$/);
    expect(listing(place.folder)).toEqual(['j.xml', 'model.onnx', 'r.html', 'r.json']);
    expect(listing(place.temporary)).toEqual([]);
  });

  it('ends a run of the model that never ends', async () => {
    const place = await textPlace(ENDLESS);
    const outcome = await stop(place, ['--report', 'r.json'], 'SIGINT', 'read', 2000);
    expect(outcome.code, outcome.stderr).toBe(130);
    expect(JSON.parse(read(place, 'r.json'))).toMatchObject({ interrupted: true, configurations: [] });
  });

  it('leaves one document on stdout', async () => {
    const place = makePlace(parent, DIGITS);
    const { child, listens } = startToldWhenReady(place, ['bench', 'model.onnx', '--duration', '100s', '--json'], BARE);
    const ended = outcomeOf(child);
    await Promise.race([listens, ended]);
    await Promise.race([sleep(1000), ended]);
    child.kill('SIGTERM');
    const outcome = await ended;
    expect(outcome.code, outcome.stderr).toBe(143);
    expect(documentOf(outcome).ok).toBe(false);
  });

  it('while the baseline is measured keeps what came before', async () => {
    const place = await textPlace(chainText(1));
    writeFileSync(join(place.folder, 'base.onnx'), readFileSync(place.model));
    const words = [
      ...SHORT,
      '--baseline',
      'base.onnx',
      '--max-time',
      '1000s',
      '--min-effect',
      '0',
      '--report',
      'r.json',
    ];
    const outcome = await stop(place, words, 'SIGINT', 'measure', 500);
    expect(outcome.code, outcome.stderr).toBe(130);
    const report: BenchReport = JSON.parse(read(place, 'r.json'));
    expect(report.configurations[0]?.latency?.runs).toBeGreaterThan(0);
    expect(report.regressions).toEqual([]);
  });
});
