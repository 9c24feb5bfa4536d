import { describe, expect, it } from 'vitest';
import { failureOf, failureOfLastWords } from '../../../src/targets/tensorrt/failures.js';
import { explainWarnings } from '../../../src/targets/tensorrt/log-warnings.js';
import { parseTrtexecLog } from '../../../src/targets/tensorrt/trtexec-log.js';
import { trtexecFixture } from '../../helpers/fake-trtexec.js';

const failure = (name: string) => failureOf(parseTrtexecLog(trtexecFixture(`${name}.log`)), 'model.onnx');
const ofLines = (...lines: readonly string[]) =>
  failureOf(parseTrtexecLog(lines.map((line) => `[01/02/2026-03:04:05] [E] ${line}`).join('\n')), 'model.onnx');

describe('failures of trtexec', () => {
  it.each([
    ['trt8.0-fail-plugin-not-found', 'SO5203', 'nor a plugin', 'Plugin not found, are the plugin name'],
    ['trt8.2-fail-parse-int8-weights', 'SO5203', 'constant of this type', 'invalid weights type of Int8'],
    ['trt8.6-fail-parse-qdq-scale', 'SO5203', 'scale that is not positive', 'Scale coefficients must all be positive'],
    ['trt10.0-fail-engine-version', 'SO5204', 'cannot load the engine', 'incompatible serialization version'],
    ['trt10.3-fail-oom', 'SO5206', 'ran out of memory', 'it requested 15485030400 bytes'],
    [
      'trt10.3-fail-unknown-option',
      'SO5202',
      'does not take the option --workspace',
      'Unknown option: --workspace 2048',
    ],
  ])('%s is %s', (name, code, message, why) => {
    const error = failure(name);
    expect(error?.code).toBe(code);
    expect(error?.message).toContain(message);
    expect(error?.why).toContain(why);
    expect(error?.hint).not.toContain('MODEL');
  });

  it.each([
    ['trt11.1-derived-fail-no-gpu', 'SO5205', 'no usable GPU'],
    ['trt11.1-derived-fail-unknown-option', 'SO5202', 'does not take the option --fp16'],
  ])('%s is %s', (name, code, message) => {
    const log = parseTrtexecLog(trtexecFixture(`${name}.log`));
    const error = failureOf(log, 'model.onnx') ?? failureOfLastWords(log);
    expect(error).toMatchObject({ code });
    expect(error?.message).toContain(message);
  });

  it('is a wrong --gpu where trtexec says so as information', () => {
    const log = parseTrtexecLog('[01/02/2026-03:04:05] [I] Cannot find device ID 7!\n');
    expect(failureOfLastWords(log)).toMatchObject({ code: 'SO1006', message: 'There is no GPU 7' });
  });

  it('names the node that the parser was at', () => {
    expect(failure('trt8.2-fail-parse-int8-weights')?.location.node).toBe('Identity_0');
  });

  it('is none where nothing failed', () => {
    for (const name of ['trt8.4-pass-mnist', 'trt10.10-pass-summary', 'trt8.0-pass-excerpt'])
      expect(failure(name), name).toBeUndefined();
  });

  it.each([
    ['Cuda failure: 35', 'SO5205'],
    ['CUDA initialization failure with error: 35. Please check your CUDA installation', 'SO5205'],
    ['Saving engine to file failed.', 'SO6001'],
    [
      '[TRT] ModelImporter.cpp:949: ERROR: [6] No importer registered for op: Foo. Attempting to import as plugin.',
      'SO5203',
    ],
    [
      'Error[4]: [network.cpp::validate::3008] Error Code 4: Internal Error (Network must have at least one output)',
      'SO5202',
    ],
    ['Error[1]: std::bad_alloc', 'SO5206'],
    ['Engine set up failed', 'SO5202'],
  ])('%s is %s', (line, code) => {
    expect(ofLines(line)?.code).toBe(code);
  });

  it('tells the cause rather than its consequences', () => {
    const error = ofLines(
      'Engine could not be created from network',
      'Error[9]: something particular',
      'Engine set up failed',
    );
    expect(error?.why).toBe('something particular');
  });
});

describe('warnings of trtexec', () => {
  const explain = (...lines: readonly string[]) =>
    explainWarnings(parseTrtexecLog(lines.map((line) => `[01/02/2026-03:04:05] [W] ${line}`).join('\n')));

  it('explains unstable clocks, without the advice of trtexec', () => {
    const [first, ...others] = explainWarnings(parseTrtexecLog(trtexecFixture('trt10.10-pass-summary.log')));
    expect(first).toContain('vary by 5.58977 %');
    expect(first).toContain('nvidia-smi --lock-gpu-clocks');
    expect(others).toEqual([]);
  });

  it('explains those of TensorRT 11, and quotes none of its advice', () => {
    const log = parseTrtexecLog(trtexecFixture('trt11.1-derived-pass.log'));
    expect(explainWarnings(log)).toEqual([
      expect.stringContaining('measured without one'),
      expect.stringContaining('bound by the time the CPU takes'),
      expect.stringContaining('vary by 2.61342 %'),
      expect.stringContaining('2 auxiliary streams'),
    ]);
    const copies = explain(
      '* Throughput may be bound by host-to-device transfers for the inputs rather than GPU Compute and the GPU may be under-utilized.',
      '  Consider removing --includeDataTransfers to disable data transfers and potentially increase throughput.',
    );
    expect(copies).toEqual([expect.stringContaining('bound by copies')]);
  });

  it('explains what binds the throughput, also where the line is cut', () => {
    expect(
      explain(
        '* Throughput may be bound by Enqueue Time rather than GPU Compute and the GPU may be under-utilized.',
      )[0],
    ).toContain('CUDA graphs');
    const cut = explainWarnings(parseTrtexecLog(trtexecFixture('trt-summary-enqueue-bound-warning.log')));
    expect(cut).toHaveLength(1);
  });

  it('names the input that had no range', () => {
    const text =
      'Dynamic dimensions required for input: images, but no shapes were provided. Automatically overriding shape to: 1x3x224x224';
    expect(explain(text)).toEqual([
      'Input "images" had no range, so trtexec built for 1x3x224x224 only: give its dimensions with --dim.',
    ]);
  });

  it('quotes at most five warnings that it does not know, and counts the rest', () => {
    const told = explain(...Array.from({ length: 9 }, (_, i) => `strange ${i}`));
    expect(told).toHaveLength(6);
    expect(told[0]).toBe('trtexec: strange 0');
    expect(told[5]).toBe('trtexec gave 4 more warnings; they are in its log.');
  });
});
