/** Figures are read by hand from the logs in fixtures/trtexec. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter, MAX_LINE_LENGTH } from '../../../src/targets/tensorrt/log-lines.js';
import { parseSpan } from '../../../src/targets/tensorrt/log-summary.js';
import { parseTrtexecLog, TrtexecLogReader } from '../../../src/targets/tensorrt/trtexec-log.js';
import { formatVersion } from '../../../src/targets/tensorrt/version.js';
import { trtexecFixture, trtexecPayload } from '../../helpers/fake-trtexec.js';

const log = (name: string) => parseTrtexecLog(trtexecFixture(`${name}.log`));

describe('logs of trtexec', () => {
  it.each([
    ['trt8.0-pass-excerpt', '8.0.1', 'passed'],
    ['trt8.0-fail-plugin-not-found', '8.0.3', 'failed'],
    ['trt8.2-fail-parse-int8-weights', '8.2.5', 'failed'],
    ['trt8.4-pass-mnist', '8.4.0', 'passed'],
    ['trt8.6-fail-parse-qdq-scale', '8.6.1', 'failed'],
    ['trt10.0-fail-engine-version', '10.0.1', 'failed'],
    ['trt10.3-fail-unknown-option', '10.3.0', 'failed'],
    ['trt10.10-pass-summary', '10.10.0', 'passed'],
  ])('%s: TensorRT %s, %s', (name, version, verdict) => {
    const read = log(name);
    expect(read.version && formatVersion(read.version)).toBe(version);
    expect(read.verdict).toBe(verdict);
  });

  it('has no verdict where the log ends without one', () => {
    for (const name of ['trt10.2-running-head', 'trt10.3-fail-oom', 'trt-old-zero-query-trace'])
      expect(log(name).verdict, name).toBeUndefined();
    expect(log('trt10.2-running-head').version).toEqual({ major: 10, minor: 2, patch: 0 });
  });

  it('reads the summary of TensorRT 8.4, which has one percentile', () => {
    expect(log('trt8.4-pass-mnist').summary).toEqual({
      queriesPerSecond: 41087.7,
      latency: {
        minMs: 0.387207,
        maxMs: 0.447357,
        meanMs: 0.402238,
        medianMs: 0.401947,
        percentiles: [{ percent: 99, ms: 0.420288 }],
      },
      enqueue: {
        minMs: 0.0830078,
        maxMs: 0.229004,
        meanMs: 0.090497,
        medianMs: 0.0871582,
        percentiles: [{ percent: 99, ms: 0.126099 }],
      },
      hostToDevice: {
        minMs: 0.00622559,
        maxMs: 0.0571899,
        meanMs: 0.0104126,
        medianMs: 0.00952148,
        percentiles: [{ percent: 99, ms: 0.0272217 }],
      },
      gpuCompute: {
        minMs: 0.375977,
        maxMs: 0.403564,
        meanMs: 0.388221,
        medianMs: 0.388443,
        percentiles: [{ percent: 99, ms: 0.393188 }],
      },
      deviceToHost: {
        minMs: 0.00195312,
        maxMs: 0.00537109,
        meanMs: 0.00360451,
        medianMs: 0.00366211,
        percentiles: [{ percent: 99, ms: 0.00488281 }],
      },
      hostWalltimeS: 3.00119,
      gpuComputeS: 2.99202,
    });
  });

  it('reads the summary of TensorRT 10.10, with its build and its warning', () => {
    const read = log('trt10.10-pass-summary');
    expect(read.build).toBe(31);
    expect(read.summary.queriesPerSecond).toBe(120.031);
    expect(read.summary.latency).toEqual({
      minMs: 7.55737,
      maxMs: 9.15381,
      meanMs: 8.18562,
      medianMs: 8.22565,
      percentiles: [
        { percent: 90, ms: 8.668 },
        { percent: 95, ms: 8.9481 },
        { percent: 99, ms: 9.1152 },
      ],
    });
    expect(read.summary.deviceToHost?.percentiles.at(-1)).toEqual({ percent: 99, ms: 0.715271 });
    expect(read.messages.map(({ severity, count }) => [severity, count])).toEqual([
      ['warning', 1],
      ['warning', 1],
    ]);
  });

  it('reads the end-to-end line of TensorRT 8.0, and lines after PASSED', () => {
    const read = log('trt8.0-pass-excerpt');
    expect(read.summary.endToEnd).toEqual({
      minMs: 40.3104,
      maxMs: 40.647,
      meanMs: 40.4076,
      medianMs: 40.3934,
      percentiles: [{ percent: 99, ms: 40.647 }],
    });
    expect(read.summary.queries).toBe(100);
    expect(read.summary.queriesPerSecond).toBe(24.7474);
    expect(read.lastLines.at(-1)).toContain('Init cuBLAS/cuBLASLt');
  });

  it('reads the summary of an excerpt that ends within a line', () => {
    const read = log('trt-summary-enqueue-bound-warning');
    expect(read.summary.queriesPerSecond).toBe(130.298);
    expect(read.summary.enqueue?.meanMs).toBe(7.63062);
    expect(read.summary.gpuCompute?.meanMs).toBe(7.58404);
    expect(read.summary.gpuComputeS).toBe(2.96536);
  });

  it('takes a trace without queries for what it is', () => {
    expect(log('trt-old-zero-query-trace').summary).toEqual({ queries: 0 });
  });

  it('keeps the lines that belong to an error together', () => {
    const messages = log('trt8.2-fail-parse-int8-weights').messages.map(({ text }) => text);
    expect(messages).toContain(
      '[TRT] parsers/onnx/ModelImporter.cpp:793: input: "onnx::QuantizeLinear_429"\noutput: "onnx::QuantizeLinear_491"\nname: "Identity_0"\nop_type: "Identity"',
    );
    expect(messages).toContain(
      '[TRT] parsers/onnx/ModelImporter.cpp:796: ERROR: parsers/onnx/ModelImporter.cpp:179 In function parseGraph:\n[6] Invalid Node - Identity_0\nonnx::QuantizeLinear_429: invalid weights type of Int8',
    );
  });

  it('reads device, build and conditions as trtexec prints them', () => {
    const read = parseTrtexecLog(
      [
        'Selected Device: NVIDIA A100 80GB PCIe',
        'Compute Capability: 8.0',
        'SMs: 108',
        'Compute Clock Rate: 1.41 GHz',
        'Device Global Memory: 80994 MiB',
        'Memory Clock Rate: 1.512 GHz',
        'Data transfers: Disabled',
        'CUDA Graph: Enabled',
        'Streams: 2',
        'TensorRT version: 8.4.1',
        'Finished parsing network model. Parse time: 0.0704936',
        'Engine built in 41.2 sec.',
        'Created engine with size: 45.6 MiB',
      ]
        .map((text) => `[01/02/2026-03:04:05] [I] ${text}`)
        .join('\n'),
    );
    expect(read.device).toEqual({
      name: 'NVIDIA A100 80GB PCIe',
      computeCapability: '8.0',
      multiprocessors: 108,
      memoryMiB: 80994,
      computeClockGHz: 1.41,
      memoryClockGHz: 1.512,
    });
    expect(read.conditions).toEqual({ transfers: false, cudaGraph: true, streams: 2 });
    expect(read).toMatchObject({ buildSeconds: 41.2, parseSeconds: 0.0704936, engineMiB: 45.6 });
    expect(read.version).toEqual({ major: 8, minor: 4, patch: 1 });
  });

  it('reads a log in the form of TensorRT 11.1', () => {
    const read = log('trt11.1-derived-pass');
    expect(read).toMatchObject({ version: { major: 11, minor: 1, patch: 0 }, build: 52, verdict: 'passed' });
    expect(read).toMatchObject({ buildSeconds: 38.4403, parseSeconds: 0.0513774, engineMiB: 23.7112 });
    expect(read.device).toEqual({
      name: 'NVIDIA H200',
      computeCapability: '9.0',
      multiprocessors: 132,
      memoryMiB: 143156,
      computeClockGHz: 1.98,
      memoryClockGHz: 3.201,
    });
    expect(read.summary).toMatchObject({
      queriesPerSecond: 1083.05,
      queries: 3251,
      hostWalltimeS: 3.00171,
      hostToDevice: { maxMs: 0 },
      latency: {
        minMs: 0.899902,
        maxMs: 1.10498,
        meanMs: 0.920127,
        medianMs: 0.918945,
        percentiles: [
          { percent: 50, ms: 0.918945 },
          { percent: 90, ms: 0.931396 },
          { percent: 95, ms: 0.939453 },
          { percent: 99, ms: 0.97998 },
        ],
      },
    });
  });

  it('has no CUDA graph where the engine could not run in one, whatever was asked for', () => {
    const read = log('trt11.1-derived-pass');
    expect(read.conditions).toEqual({ transfers: false, cudaGraph: false, spinWait: true, streams: 1 });
  });

  it('keeps the lines of an error together where lines of another stream come between', () => {
    const reader = new TrtexecLogReader();
    const at = '[01/02/2026-03:04:05]';
    reader.addLine(`${at} [E] [TRT] ERROR: In function parseGraph:`, 'stderr');
    reader.addLine(`${at} [I] [TRT] something else`, 'stdout');
    reader.addLine('[6] Invalid Node - Conv_3', 'stderr');
    const texts = reader.end().messages.map(({ text }) => text);
    expect(texts).toEqual(['[TRT] ERROR: In function parseGraph:\n[6] Invalid Node - Conv_3']);
  });

  it("agrees with NVIDIA's own parser on an A100 run", () => {
    const { performance_summary: told, device_information: device } = JSON.parse(
      trtexecPayload('parsed-summary.trt8-resnet18-a100-fp16.json', 'metadata'),
    ) as {
      performance_summary: Record<string, number | number[]>;
      device_information: Record<string, string | number>;
    };
    const lines = Object.entries(told).map(([name, value]) => {
      if (!Array.isArray(value)) return `${name}: ${value} ${name === 'Throughput' ? 'qps' : 's'}`;
      const [min, max, mean, median, p99] = value;
      return `${name}: min = ${min} ms, max = ${max} ms, mean = ${mean} ms, median = ${median} ms, percentile(99%) = ${p99} ms`;
    });
    const facts = [`Selected Device: ${device['Selected Device']}`, `Compute Capability: 8.0`, `SMs: ${device.SMs}`];
    const read = parseTrtexecLog([...lines, ...facts].map((line) => `[07/15/2022-05:26:40] [I] ${line}`).join('\n'));
    expect(read.summary).toMatchObject({
      queriesPerSecond: 1155.36,
      latency: { minMs: 0.856049, maxMs: 0.872559, meanMs: 0.86277, medianMs: 0.862183 },
      enqueue: { medianMs: 0.00524902, percentiles: [{ percent: 99, ms: 0.00585938 }] },
      hostToDevice: { maxMs: 0 },
      hostWalltimeS: 3.00166,
      gpuComputeS: 2.99208,
    });
    expect(read.device).toEqual({ name: 'NVIDIA A100 80GB PCIe', computeCapability: '8.0', multiprocessors: 108 });
  });

  it('leaves out spans with figures that are not numbers', () => {
    expect(parseSpan('min = nan ms, max = 1 ms, mean = 1 ms, median = 1 ms')).toBeUndefined();
    expect(parseSpan('min = 0 ms, max = 2 ms, mean = 1 ms, median = 1 ms, percentile(99%) = nan ms')).toEqual({
      minMs: 0,
      maxMs: 2,
      meanMs: 1,
      medianMs: 1,
      percentiles: [],
    });
  });

  it('says the same however the bytes are cut', () => {
    const bytes = new TextEncoder().encode(trtexecFixture('trt10.10-pass-summary.log'));
    const whole = parseTrtexecLog(trtexecFixture('trt10.10-pass-summary.log'));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 40 }), (sizes) => {
        const reader = new TrtexecLogReader();
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] as number;
          reader.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(reader.end()).toEqual(whole);
      }),
    );
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 500 }), { maxLength: 20 }), (pieces) => {
        const reader = new TrtexecLogReader();
        for (const piece of pieces) reader.push(piece);
        expect(reader.end().verdict).toBeUndefined();
      }),
    );
  });

  it('keeps a line without an end within bounds', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    const piece = new Uint8Array(65_536).fill(0x61);
    for (let i = 0; i < 200; i++) splitter.push(piece);
    splitter.end();
    expect(lines.map(({ length }) => length)).toEqual([MAX_LINE_LENGTH]);
  });

  it('keeps a bounded number of messages', () => {
    const reader = new TrtexecLogReader();
    for (let i = 0; i < 5000; i++) reader.addLine(`[01/02/2026-03:04:05] [W] warning ${i}`);
    for (let i = 0; i < 5000; i++) reader.addLine(`[01/02/2026-03:04:05] [E] error ${i}`);
    const { messages, lines } = reader.end();
    expect(lines).toBe(10_000);
    expect(messages.length).toBeLessThanOrEqual(400);
    expect(messages.some(({ severity }) => severity === 'error')).toBe(true);
  });
});
