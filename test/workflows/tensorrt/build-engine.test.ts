/** Engines built by a program that stands in for trtexec. Where a real one and a GPU are there, it is run too. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseBudgets } from '../../../src/gates/parse-budget.js';
import { junitXml } from '../../../src/report/ci/junit.js';
import { engineBench } from '../../../src/report/tensorrt-bench.js';
import type { TensorRtReport } from '../../../src/report/tensorrt-types.js';
import { findTrtexec } from '../../../src/targets/tensorrt/find-trtexec.js';
import { benchEngine } from '../../../src/workflows/tensorrt/bench-engine.js';
import { buildEngine } from '../../../src/workflows/tensorrt/build-engine.js';
import { planEngine } from '../../../src/workflows/tensorrt/plan-engine.js';
import type { TensorRtOptions } from '../../../src/workflows/tensorrt/tensorrt-options.js';
import { A100, type FakeTrtexec, fakeTrtexec, trtexecFixture, trtexecPayload } from '../../helpers/fake-trtexec.js';
import { skipWhere } from '../../helpers/skip-where.js';

const FIXTURES = join(import.meta.dirname, '..', '..', '..', 'fixtures');
const BATCH = new Map([['batch', { min: 1, opt: 8, max: 32 }]]);
const SUMMARY = trtexecFixture('trt8.4-pass-mnist.log')
  .split('\n')
  .filter((line) => line.includes('] [I] '))
  .map((line) => line.replace(/^\S+ \[I\] ?/, ''));
const EXPORTS = {
  profile: trtexecPayload('exportProfile.trt8-resnet18-a100-fp16.json', 'profile'),
  layers: trtexecPayload('exportLayerInfo.trt8-resnet18-a100-fp16.json', 'layerInfo'),
  summary: SUMMARY,
};

let folder = '';
let bin = '';
let model = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-engine-'));
  bin = mkdtempSync(join(tmpdir(), 'serve-opt-bin-'));
  model = join(folder, 'model.onnx');
  copyFileSync(join(FIXTURES, 'kws-dscnn', 'model.onnx'), model);
});
afterEach(() => {
  for (const each of [folder, bin]) rmSync(each, { recursive: true, force: true });
});

function build(fake: FakeTrtexec = {}, options: TensorRtOptions = {}): Promise<TensorRtReport> {
  const trtexecPath = fakeTrtexec(bin, { ...EXPORTS, ...fake });
  return buildEngine(model, { trtexecPath, dims: BATCH, processes: 2, ...options });
}

const files = (): string[] => readdirSync(folder).sort();

describe('building an engine', () => {
  it('delivers the engine with its report and its log', async () => {
    const report = await build();
    expect(files()).toEqual(['model.onnx', 'model.plan', 'model.report.json', 'model.trtexec.log']);
    expect(JSON.parse(readFileSync(join(folder, 'model.report.json'), 'utf8'))).toEqual(
      JSON.parse(JSON.stringify(report)),
    );
    expect(report).toMatchObject({
      command: 'tensorrt',
      tensorRtVersion: '10.16.0',
      engine: { name: 'model.plan', sizeBytes: 65_536 },
      device: { name: 'NVIDIA A100 80GB PCIe', computeCapability: '8.0', computeClockGHz: 1.41 },
      inputs: [{ name: 'mel', type: 'float', dims: [-1, 1, 32, 64], symbols: ['batch', null, null, null] }],
      profiles: [{ inputs: [{ name: 'mel', min: [1, 1, 32, 64], opt: [8, 1, 32, 64], max: [32, 1, 32, 64] }] }],
      build: { seconds: 12.5, parseSeconds: 0.0704936 },
      conditions: { transfers: false, cudaGraph: true, streams: 1, processes: 2 },
    });
    expect(report.measurement).toMatchObject({ batchSize: 8, dims: [{ name: 'batch', size: 8 }] });
    expect(report.measurement?.latency).toMatchObject({ runs: 800, processes: [{ runs: 400 }, { runs: 400 }] });
    expect(report.summaries[0]?.latency?.medianMs).toBe(0.401947);
    expect(report.layers[0]).toMatchObject({ name: 'Conv_0 + Relu_1', fused: ['Conv_0', 'Relu_1'], precision: 'FP16' });
  });

  it('holds no folders and no times of day', async () => {
    const text = JSON.stringify(await build());
    expect(text).not.toContain(folder);
    expect(text).not.toContain('12/09/2025');
  });

  it('gives the same report for the same log', async () => {
    const without = ({ environment: _, ...report }: TensorRtReport) => report;
    expect(without(await build())).toEqual(without(await build({}, { force: true })));
  });

  it('measures with fresh processes that load the engine', async () => {
    const callsPath = join(bin, 'calls');
    await build({ callsPath }, { processes: 3 });
    const calls = readFileSync(callsPath, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as string[]);
    expect(calls.map((argv) => argv[0]?.split('=')[0])).toEqual(['--help', '--onnx', '--loadEngine', '--loadEngine']);
    expect(calls[2]).toContain('--shapes=mel:8x1x32x64');
    expect(calls[2]?.some((word) => word.startsWith('--exportProfile'))).toBe(false);
  });

  it('builds without measuring', async () => {
    const trtexecPath = fakeTrtexec(bin, EXPORTS);
    const report = await buildEngine(model, { trtexecPath, dims: BATCH, measure: false });
    expect(report.measurement).toBeUndefined();
    expect(report.environment).toBeUndefined();
    expect(report.trtexec).toContain('--skipInference');
    expect(files()).toContain('model.plan');
  });

  it('reports what the summary says where no times are exported', async () => {
    const report = await build({ noExports: true });
    expect(report.measurement?.latency).toMatchObject({ runs: 400, meanMs: 0.402238, minMs: 0.387207 });
    expect(report.measurement?.throughput).toEqual({ value: 41087.7 * 8 });
    expect(report.warnings).toContain('trtexec wrote no profile of layers.');
  });

  it('converts to FP16 for TensorRT 11 and tells TensorRT 10 to do it', async () => {
    const typed = await build({ version: '110100' }, { precision: 'fp16' });
    expect(typed.converted).toMatchObject({ mode: 'fp16', model: { name: 'model.fp16.onnx' } });
    expect(typed.trtexec.some((word) => word.startsWith('--fp16'))).toBe(false);
    const weak = await build({ version: '101600' }, { precision: 'fp16', force: true });
    expect(weak.converted).toBeUndefined();
    expect(weak.trtexec).toContain('--fp16');
    expect(files()).toEqual(['model.fp16.plan', 'model.fp16.report.json', 'model.fp16.trtexec.log', 'model.onnx']);
  });

  it('converts to BF16 for TensorRT 11, and tells TensorRT 10 to do it', async () => {
    const typed = await build({ version: '110100' }, { precision: 'bf16' });
    expect(typed.converted).toMatchObject({ mode: 'bf16', model: { name: 'model.bf16.onnx' } });
    expect(typed.converted?.worstSqnrDb).toBeGreaterThan(15);
    expect(typed.trtexec.some((word) => /^--(?:bf16|fp16)/.test(word))).toBe(false);
    const weak = await build({ version: '101600' }, { precision: 'bf16', force: true });
    expect(weak.converted).toBeUndefined();
    expect(weak.trtexec).toContain('--bf16');
  });

  it.each(['101600', '110100'])('converts to FP8 with samples for %s', async (version) => {
    const dataPath = join(FIXTURES, 'kws-dscnn', 'calib.npz');
    const report = await build({ version }, { precision: 'fp8', dataPath });
    expect(report.converted).toMatchObject({ mode: 'fp8', layers: 10, calibration: { source: 'calib.npz' } });
    expect(report.converted?.worstSqnrDb).toBeGreaterThan(12);
    expect(report.trtexec.includes('--fp8')).toBe(version === '101600');
    expect(report.notes.some((note) => note.includes('compute in FP32'))).toBe(version === '110100');
  });

  it('refuses FP8 without samples, and before the parser has it', async () => {
    await expect(build({ version: '110100' }, { precision: 'fp8' })).rejects.toMatchObject({ code: 'SO1002' });
    await expect(build({ version: '8601' }, { precision: 'fp8' })).rejects.toMatchObject({ code: 'SO1002' });
  });

  it.each(['8601', '101600', '110100'])('converts to INT8 with samples for %s', async (version) => {
    const dataPath = join(FIXTURES, 'kws-dscnn', 'calib.npz');
    const report = await build({ version }, { precision: 'int8', dataPath });
    expect(report.converted).toMatchObject({ mode: 'int8', layers: 10, calibration: { source: 'calib.npz' } });
    expect(report.converted?.worstSqnrDb).toBeGreaterThan(15);
    expect(report.trtexec.includes('--int8')).toBe(version !== '110100');
  });
});

describe('what keeps an engine from being delivered', () => {
  const refused = async (fake: FakeTrtexec, expected: object, options: TensorRtOptions = {}) => {
    await expect(build(fake, options)).rejects.toMatchObject(expected);
    expect(files().filter((name) => /plan|report|tmp/.test(name))).toEqual([]);
  };

  it.each([
    ['trt8.0-fail-plugin-not-found', 'SO5203'],
    ['trt8.2-fail-parse-int8-weights', 'SO5203'],
    ['trt8.6-fail-parse-qdq-scale', 'SO5203'],
    ['trt10.0-fail-engine-version', 'SO5204'],
    ['trt10.3-fail-oom', 'SO5206'],
    ['trt10.3-fail-unknown-option', 'SO5202'],
  ])('%s is %s, with the log kept', async (name, code) => {
    await refused({ log: trtexecFixture(`${name}.log`), verdict: 'none', exitCode: 1 }, { code });
    expect(readFileSync(join(folder, 'model.trtexec.log'), 'utf8')).toContain('[E] ');
  });

  it('a full disk', async () => {
    const lines = ['[01/02/2026-03:04:05] [E] Saving engine to file failed.'];
    await refused({ lines, verdict: 'FAILED' }, { code: 'SO6001' });
  });

  it('a disk that is full, and a trtexec without its libraries', async () => {
    const full = 'Error: ENOSPC: no space left on device, write';
    await refused({ log: full, verdict: 'none', exitCode: 1 }, { code: 'SO6001', why: full });
    const missing = 'trtexec: error while loading shared libraries: libnvinfer.so.10: cannot open shared object file';
    const options: TensorRtOptions = { tensorRtVersion: '10.16' };
    await refused({ log: missing, noBanner: true, verdict: 'none', exitCode: 127 }, { code: 'SO5201' }, options);
  });

  it('half an engine, and none', async () => {
    await refused({ engine: 'half' }, { code: 'SO6003', message: 'trtexec wrote half an engine' });
    await refused({ engine: 'none' }, { code: 'SO6003', message: 'trtexec wrote no engine' });
  });

  it('a verdict that never comes, a failing exit code, a signal', async () => {
    await refused({ verdict: 'none' }, { code: 'SO5202', message: 'trtexec ended without saying PASSED' });
    await refused({ exitCode: 3 }, { code: 'SO5202', message: 'trtexec ended with exit code 3' });
    await refused({ killSelf: 'SIGKILL' }, { code: 'SO5202', message: 'trtexec was ended by SIGKILL' });
  });

  it('garbage for a log', async () => {
    await refused({ garbageBytes: 1_000_000, verdict: 'none', noBanner: true }, { code: 'SO5202' });
  });

  it('the time allowed', async () => {
    await refused({ hang: true }, { code: 'SO5207' }, { buildTimeoutMs: 500, tensorRtVersion: '10.16' });
  });

  it('a budget, and one that nothing decides', async () => {
    await refused({}, { code: 'SO7001' }, { budgets: parseBudgets(['p99=0.1ms'], 'tensorrt') });
    await refused({}, { code: 'SO7002' }, { budgets: parseBudgets(['p99.99=1ms'], 'tensorrt') });
    const report = await build({}, { budgets: parseBudgets(['p99=2ms', 'throughput=1000/s', 'size=1MB'], 'tensorrt') });
    expect(report.verdict).toBe('pass');
    expect(report.budgets.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'pass']);
  });

  it('an interruption, which leaves nothing', async () => {
    const controller = new AbortController();
    const trtexecPath = fakeTrtexec(bin, { hang: true });
    const building = buildEngine(
      model,
      { trtexecPath, dims: BATCH, tensorRtVersion: '10.16' },
      {
        signal: controller.signal,
        onProgress: (event) => {
          if (event.kind === 'start' && event.stage === 'build') controller.abort();
        },
      },
    );
    await expect(building).rejects.toMatchObject({ code: 'SO8130' });
    expect(files()).toEqual(['model.onnx']);
  });

  it('an engine that is there already', async () => {
    writeFileSync(join(folder, 'model.plan'), 'an engine');
    await expect(build()).rejects.toMatchObject({ code: 'SO1005' });
    expect(readFileSync(join(folder, 'model.plan'), 'utf8')).toBe('an engine');
    await build({}, { force: true });
    expect(readFileSync(join(folder, 'model.plan')).length).toBe(65_536);
  });
});

describe('what is refused before anything is built', () => {
  it.each<[string, TensorRtOptions, object]>([
    [
      'a dimension that no input has',
      { dims: new Map([['btch', { min: 1, opt: 1, max: 1 }]]) },
      { code: 'SO1006', why: 'did you mean "batch"?' },
    ],
    ['dimensions without a range', { dims: new Map() }, { code: 'SO5203', message: 'A dimension has no range: batch' }],
    ['a range out of order', { dims: new Map([['batch', { min: 8, opt: 4, max: 32 }]]) }, { code: 'SO1006' }],
    ['a version that is none', { tensorRtVersion: 'ten' }, { code: 'SO1006' }],
    ['samples for what is not calibrated there', { precision: 'best', tensorRtVersion: '11.1' }, { code: 'SO1002' }],
    [
      'several profiles of an old trtexec',
      { dims: new Map(), profiles: [BATCH, BATCH], tensorRtVersion: '8.6' },
      { code: 'SO1002' },
    ],
    [
      'an option that was removed',
      { trtexecFlags: ['--workspace=2048'], tensorRtVersion: '10.16' },
      { code: 'SO1002' },
    ],
    [
      'an option that there never was',
      { trtexecFlags: ['--maxTactic=3'], tensorRtVersion: '10.16' },
      { code: 'SO1006', hint: 'did you mean --trtexec-flag=--maxTactics?' },
    ],
  ])('%s', async (_, options, expected) => {
    await expect(build({}, options)).rejects.toMatchObject(expected);
    expect(files()).toEqual(['model.onnx']);
  });

  it('an engine given as the model', async () => {
    writeFileSync(model, Buffer.concat([Buffer.from('ftrt'), Buffer.alloc(1000)]));
    await expect(build()).rejects.toMatchObject({ code: 'SO2003' });
  });

  it('a calibration cache of another version, and any for TensorRT 11', async () => {
    const cache = join(folder, 'old.cache');
    writeFileSync(cache, 'TRT-8601-EntropyCalibration2\ninput: 3c010a14\n');
    const options: TensorRtOptions = { calibrationCachePath: cache, precision: 'int8' };
    await expect(build({ version: '110100' }, options)).rejects.toMatchObject({ code: 'SO1002' });
    await expect(build({ version: '101600' }, options)).rejects.toMatchObject({ code: 'SO1002' });
    const report = await build({ version: '8601' }, options);
    expect(report.trtexec).toContain('--calib=old.cache');
    writeFileSync(cache, 'something else');
    await expect(build({ version: '8601' }, { ...options, force: true })).rejects.toMatchObject({ code: 'SO4001' });
  });

  it('operators that TensorRT does not have, unless told to build anyway', async () => {
    copyFileSync(join(FIXTURES, 'digits-mlp', 'model.onnx'), model);
    const dims = new Map([['X:0', { min: 1, opt: 1, max: 8 }]]);
    await expect(build({}, { dims })).rejects.toMatchObject({
      code: 'SO5203',
      message: 'TensorRT has no operator ai.onnx.ml::Scaler',
    });
    const report = await build({}, { dims, skipPreflight: true });
    expect(report.warnings.join()).toContain('ai.onnx.ml::Scaler');
  });

  it('a machine without trtexec, and docker without docker', async () => {
    const env = { PATH: folder };
    if ((await findTrtexec(env)) === undefined)
      await expect(buildEngine(model, { env, dims: BATCH })).rejects.toMatchObject({ code: 'SO5201', exitCode: 6 });
    const docker = buildEngine(model, { env, dims: BATCH, image: 'nvcr.io/nvidia/tensorrt:25.09-py3' });
    await expect(docker).rejects.toMatchObject({
      code: 'SO5201',
      message: '--docker needs docker, which is not on PATH',
    });
  });
});

describe('planning without running', () => {
  it('renders a container with the folders of the model and the engine', async () => {
    const { commands } = await planEngine(model, {
      env: { PATH: '' },
      image: 'nvcr.io/nvidia/tensorrt:25.09-py3',
      tensorRtVersion: '10.13',
      dims: BATCH,
      outputPath: join(bin, 'model.plan'),
    });
    const words = commands[0] ?? [];
    expect(words.slice(0, 2)).toEqual(['docker', 'run']);
    expect(words).toContain(`--mount=type=bind,source=${folder},target=/serve-opt/0,readonly`);
    expect(words).toContain(`--mount=type=bind,source=${bin},target=/serve-opt/1`);
    expect(words).toContain('--onnx=/serve-opt/0/model.onnx');
    expect(words).toContain('--saveEngine=/serve-opt/1/model.plan');
    expect(words).toContain('--gpus=all');
  });

  it('names the version it was rendered for', async () => {
    const { tensorRtVersion, warnings } = await planEngine(model, { env: { PATH: '' }, dims: BATCH });
    expect(tensorRtVersion).toBe('11.1.0');
    expect(warnings[0]).toContain('--tensorrt-version');
  });
});

describe('a container', () => {
  const plan = (trtexecFlags: readonly string[]) =>
    planEngine(model, { env: { PATH: '' }, image: 'trt', tensorRtVersion: '11.1', dims: BATCH, trtexecFlags });

  it('gets the files of further options of trtexec', async () => {
    const { commands } = await plan([`--exportOutput=${join(bin, 'outputs.json')}`]);
    expect(commands[0]).toContain(`--mount=type=bind,source=${bin},target=/serve-opt/1`);
    expect(commands[0]).toContain('--exportOutput=/serve-opt/1/outputs.json');
  });

  it('cannot have lists of files', async () => {
    await expect(plan(['--loadInputs=mel:mel.bin'])).rejects.toMatchObject({ code: 'SO1002' });
  });

  it('may be fetched for long before it says its version', async () => {
    const docker = join(bin, 'docker');
    const path = fakeTrtexec(bin, { version: '110100' });
    writeFileSync(docker, `#!/bin/sh\nexec '${path}' --help\n`, { mode: 0o755 });
    const lines: string[] = [];
    const context = { onProgress: (event: { kind: string; message?: string }) => void lines.push(event.message ?? '') };
    const env = { PATH: `${bin}:${process.env.PATH ?? ''}` };
    const building = buildEngine(model, { env, image: 'trt', dims: BATCH }, context);
    await expect(building).rejects.toMatchObject({ code: 'SO5202' });
    expect(lines.some((line) => line.startsWith('&&&& RUNNING TensorRT.trtexec [TensorRT v110100]'))).toBe(true);
  });
});

describe('a baseline', () => {
  const report = (): string => join(folder, 'old.report.json');
  const buildOld = async (fake: FakeTrtexec): Promise<void> => {
    await build(fake, { processes: 3, outputPath: join(folder, 'old.plan') });
  };

  it('passes what is as fast, and fails what is slower', async () => {
    await buildOld({ latencyMs: 0.85 });
    const same = await build({ latencyMs: 0.85 }, { baselinePath: report(), processes: 3 });
    expect(same.verdict).toBe('pass');
    const slower = build({ latencyMs: 1.7 }, { baselinePath: report(), processes: 3, force: true });
    await expect(slower).rejects.toMatchObject({ code: 'SO7001' });
  });

  it.each([
    ['another GPU', { device: ['Selected Device: NVIDIA L4', 'Compute Capability: 8.9'] }, 'the GPU differs'],
    ['other clocks', { device: A100.map((line) => line.replace('1.41', '1.2')) }, 'the compute clock differs'],
  ])('is inconclusive on %s', async (_, fake, why) => {
    await buildOld({});
    const baselinePath = report();
    await expect(build(fake, { baselinePath, processes: 3 })).rejects.toMatchObject({ code: 'SO7002' });
    const allowed = await build(fake, { baselinePath, processes: 3, allowInconclusive: true });
    expect(allowed.regressions[0]?.why).toContain(why);
  });

  it('is inconclusive under other conditions', async () => {
    await buildOld({});
    const options = { baselinePath: report(), processes: 3, allowInconclusive: true };
    const transfers = await build({}, { ...options, transfers: true });
    expect(transfers.regressions[0]).toMatchObject({ verdict: 'inconclusive' });
    const other = await build(
      {},
      { ...options, dims: new Map([['batch', { min: 1, opt: 16, max: 32 }]]), force: true },
    );
    expect(other.regressions[0]?.why).toContain('the shapes differ');
  });

  it('has to be a report of an engine', async () => {
    const path = join(folder, 'x.json');
    for (const text of ['{"command":"bench"}', 'not JSON', '[]', '{"command":"tensorrt","schemaVersion":2}']) {
      writeFileSync(path, text);
      await expect(build({}, { baselinePath: path }), text).rejects.toMatchObject({ code: 'SO4007' });
    }
  });
});

describe('measuring an engine that is there', () => {
  const bench = (fake: FakeTrtexec, options: Parameters<typeof benchEngine>[1] = {}) =>
    benchEngine(join(folder, 'model.plan'), { trtexecPath: fakeTrtexec(bin, { ...EXPORTS, ...fake }), ...options });

  it('takes its dimensions from the report beside it', async () => {
    await build();
    const report = await bench({}, { dims: new Map([['batch', 16]]), processes: 2 });
    expect(report.trtexec).toContain('--shapes=mel:16x1x32x64');
    expect(report.measurement?.batchSize).toBe(16);
    expect(report.build).toBeUndefined();
    const outside = bench({}, { dims: new Map([['batch', 64]]) });
    await expect(outside).rejects.toMatchObject({ code: 'SO1006', why: 'the engine was built for 1 to 32' });
    await expect(bench({}, { dims: new Map([['bach', 4]]) })).rejects.toMatchObject({ why: 'did you mean "batch"?' });
  });

  it('loads an engine with a runtime of its own as it was built', async () => {
    const callsPath = join(bin, 'calls');
    await build({ callsPath }, { versionCompatible: true });
    await bench({ callsPath }, { processes: 1 });
    const loads = readFileSync(callsPath, 'utf8')
      .split('\n')
      .filter((line) => line.includes('--loadEngine'));
    expect(loads).toHaveLength(2);
    for (const line of loads) expect(line).toContain('"--versionCompatible"');
  });

  it('measures an engine without a report at its own shapes', async () => {
    writeFileSync(join(folder, 'model.plan'), Buffer.alloc(5000, 'ftrt'));
    const report = await bench({ version: '8601' }, { processes: 1 });
    expect(report.trtexec.some((word) => word.startsWith('--shapes'))).toBe(false);
    await expect(bench({}, { dims: new Map([['batch', 4]]) })).rejects.toMatchObject({ code: 'SO1006' });
  });

  it('refuses what is no engine', async () => {
    const trtexecPath = fakeTrtexec(bin);
    await expect(benchEngine(model, { trtexecPath })).rejects.toMatchObject({ code: 'SO1006' });
    await expect(benchEngine(join(folder, 'none.plan'), { trtexecPath })).rejects.toMatchObject({ code: 'SO2001' });
    writeFileSync(join(folder, 'model.plan'), '');
    await expect(bench({})).rejects.toMatchObject({ code: 'SO2004' });
  });

  it('gives what CI services read', async () => {
    await build({}, { budgets: parseBudgets(['p99=2ms'], 'tensorrt') });
    const report = await bench({}, { budgets: parseBudgets(['p99=0.1ms'], 'bench --engine') });
    expect(report.verdict).toBe('fail');
    const converted = engineBench(report);
    expect(converted && junitXml(converted)).toContain('<failure');
  });
});

const real = await findTrtexec(process.env);
const hasGpu = spawnSync('nvidia-smi', ['-L'], { encoding: 'utf8' }).stdout?.includes('GPU ') ?? false;

skipWhere(real === undefined || !hasGpu, 'there is no trtexec with a GPU here').describe('the real trtexec', () => {
  it('builds, measures and loads again', async () => {
    const report = await buildEngine(model, { env: process.env, dims: BATCH, processes: 2, durationMs: 1000 });
    expect(report.measurement?.latency?.runs).toBeGreaterThan(10);
    expect(report.layers.length).toBeGreaterThan(0);
    const again = await benchEngine(join(folder, 'model.plan'), { env: process.env, processes: 1, durationMs: 1000 });
    expect(again.measurement?.latency?.runs).toBeGreaterThan(10);
  });

  it('takes our INT8 graph', async () => {
    const dataPath = join(FIXTURES, 'kws-dscnn', 'calib.npz');
    const report = await buildEngine(model, {
      env: process.env,
      dims: BATCH,
      precision: 'int8',
      dataPath,
      processes: 1,
    });
    expect(report.layers.some(({ precision }) => precision?.includes('INT8'))).toBe(true);
  });
});
