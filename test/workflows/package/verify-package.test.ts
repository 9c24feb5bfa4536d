import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ServeOptError } from '../../../src/errors.js';
import type { PackageVerifyReport } from '../../../src/report/package-verify-types.js';
import { verifyPackage } from '../../../src/workflows/package/verify/verify-package.js';
import type { VerifyPackageOptions } from '../../../src/workflows/package/verify/verify-run.js';
import { writeText } from '../../helpers/small-models.js';
import { binaryAnswer, type V2Faults, v2Server } from '../../serving/v2-server.js';

const READY = [{ name: 'double', version: '1', state: 'READY', reason: '' }];
const CONFIGURATION = {
  name: 'double',
  platform: 'onnxruntime_onnx',
  backend: 'onnxruntime',
  max_batch_size: 8,
  input: [{ name: 'x', data_type: 'TYPE_FP32', dims: ['2'] }],
  output: [{ name: 'y', data_type: 'TYPE_FP32', dims: ['2'] }],
  default_model_filename: 'model.onnx',
};

const DOUBLE = 'g (float[N,2] x) => (float[N,2] y) <float two = {2}> { y = Mul (x, two) }';

/** The same function by way of so many elements of four bytes. */
function needing(elements: number): string {
  return `g (float[N,2] x) => (float[N,2] y) <float two = {2}, float all = {1}, int64[1] many = {${elements}}> {
    rows = Shape <end = 1> (x) size = Mul (rows, many) zeros = ConstantOfShape (size) lifted = Add (zeros, all)
    most = ReduceMax <keepdims = 0> (lifted) same = Mul (x, most) y = Mul (same, two) }`;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'serve-opt-verify-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A repository with the model that the server of the tests stands in for. */
async function repository(text = DOUBLE): Promise<string> {
  const path = folder();
  mkdirSync(join(path, 'double', '1'), { recursive: true });
  await writeText(join(path, 'double', '1', 'model.onnx'), text);
  return path;
}

async function verified(faults: V2Faults = {}, options: VerifyPackageOptions = {}): Promise<PackageVerifyReport> {
  const server = await v2Server({ index: READY, configuration: CONFIGURATION, ...faults });
  return verifyPackage(await repository(), { urls: [server.url], ...options });
}

describe('verifying a repository on a running server', () => {
  it('compares every sample by JSON and binary tensors, alone and all at once', async () => {
    const report = await verified({}, { samples: 4 });
    expect(report).toMatchObject({ command: 'package verify', kind: 'triton', ok: true, source: 'synthetic' });
    expect(report.server).toEqual({ name: 'fake 1.0', started: false });
    expect(report.warnings).toEqual([expect.stringContaining('gRPC was not verified')]);
    const [model] = report.models;
    expect(model).toMatchObject({ name: 'double', version: '1', reference: 'ONNX Runtime', ready: true, ok: true });
    // Four samples, and three of them in one request.
    expect(model?.wires.map(({ protocol, requests, concurrent }) => [protocol, requests, concurrent])).toEqual([
      ['v2-http-json', 5, 5],
      ['v2-http', 5, 5],
    ]);
    for (const wire of model?.wires ?? []) {
      expect(wire.outputs).toEqual([{ name: 'y', elements: 28, equal: 28, worst: { abs: 0, ofLargest: 0 } }]);
    }
  });

  it('names the output and the element that differ', async () => {
    const report = await verified({
      infer: (request, response, _count, body) => {
        if (request.headers['inference-header-content-length'] === undefined) return false;
        const { inputs } = JSON.parse(body.toString('latin1').replace(/\}[^}]*$/, '}')) as {
          inputs: [{ shape: number[] }];
        };
        binaryAnswer(response, inputs[0].shape, Array(inputs[0].shape.reduce((a, b) => a * b, 1)).fill(7));
        return true;
      },
    });
    expect(report.ok).toBe(false);
    expect(report.models[0]?.wires.map(({ failure }) => failure)).toEqual([
      undefined,
      expect.stringMatching(/^output "y": element 0 is 7 instead of -?\d/),
    ]);
  });

  it('finds a server that mixes up requests that are in flight together', async () => {
    const waiting: { readonly response: ServerResponse; readonly data: number[] }[] = [];
    const samples = 3;
    // Each request is answered on its own until all have been seen once; then pairs get the answer of each other.
    const report = await verified(
      {
        infer: (request, response, count, body) => {
          if (request.headers['inference-header-content-length'] !== undefined) return false;
          if (count < samples + 1) return false;
          const { inputs } = JSON.parse(String(body)) as { inputs: [{ data: number[] }] };
          waiting.push({ response, data: inputs[0].data.map((value) => value * 2) });
          if (waiting.length < samples + 1) return true;
          for (const [index, { response: to }] of waiting.entries()) {
            const { data } = waiting[(index + 1) % waiting.length] as { data: number[] };
            to.writeHead(200, { 'content-type': 'application/json' });
            to.end(JSON.stringify({ outputs: [{ name: 'y', datatype: 'FP32', shape: [data.length / 2, 2], data }] }));
          }
          return true;
        },
      },
      { samples },
    );
    expect(report.models[0]?.wires[0]).toMatchObject({ requests: 4, failure: expect.stringContaining('"y"') });
  });

  it('tells why the server did not load a model', async () => {
    const report = await verified({
      index: [
        { name: 'double', version: '1', state: 'UNAVAILABLE', reason: 'Internal: no\\n\\nAt:\\n  /somewhere.py(3)' },
      ],
    });
    expect(report.models).toEqual([
      { name: 'double', version: '1', reference: 'none', why: 'Internal: no', ready: false, wires: [], ok: false },
    ]);
  });

  it('does not take a model that the server does not list for a good one', async () => {
    const report = await verified({ index: [] });
    expect(report.models[0]).toMatchObject({ ready: false, ok: false, why: expect.stringContaining('log') });
  });

  it('says so where there is nothing to compare with', async () => {
    const report = await verified({
      configuration: { ...CONFIGURATION, backend: 'python', default_model_filename: 'model.py' },
    });
    expect(report.models[0]).toMatchObject({
      reference: 'none',
      why: 'ONNX Runtime cannot run a model of the backend "python"',
      ok: true,
    });
  });

  it('does not send requests of sequences', async () => {
    const report = await verified({ configuration: { ...CONFIGURATION, sequence_batching: {} } });
    expect(report.models[0]).toMatchObject({ wires: [], ok: true, why: expect.stringContaining('correlation') });
  });

  it('fails for a model whose file is damaged, and goes on', async () => {
    const server = await v2Server({ index: READY, configuration: CONFIGURATION });
    const path = await repository();
    writeFileSync(join(path, 'double/1/model.onnx'), 'not a model');
    const report = await verifyPackage(path, { urls: [server.url] });
    expect(report.models[0]).toMatchObject({ ok: false, why: expect.any(String) });
  });

  it('gives each model the whole memory', async () => {
    const versions = ['1', '2', '3', '4', '5', '6'];
    const index = versions.map((version) => ({ ...READY[0], version }));
    const server = await v2Server({ index, configuration: CONFIGURATION });
    const path = await repository();
    for (const version of versions) {
      mkdirSync(join(path, 'double', version), { recursive: true });
      // 100 MB, and all of it for the last.
      await writeText(join(path, 'double', version, 'model.onnx'), needing(version === '6' ? 200_000_000 : 25_000_000));
    }
    const report = await verifyPackage(path, { urls: [server.url], memory: '400MB', samples: 1 });
    const good = { ok: true, reference: 'ONNX Runtime' };
    expect(report.models).toMatchObject([
      good,
      good,
      good,
      good,
      good,
      { ok: false, why: expect.stringContaining('--mem') },
    ]);
  });

  it('takes images, as the recipe says', async () => {
    const dims = ['3', '1', '2'];
    const input = [{ ...CONFIGURATION.input[0], dims }];
    const output = [{ ...CONFIGURATION.output[0], dims }];
    const received: unknown[] = [];
    const server = await v2Server({
      index: READY,
      configuration: { ...CONFIGURATION, input, output },
      infer: (_request, _response, count, body) => {
        if (count === 0) received.push(JSON.parse(String(body)).inputs[0].data);
        return false;
      },
    });
    const path = await repository('g (float[N,3,1,2] x) => (float[N,3,1,2] y) <float two = {2}> { y = Mul (x, two) }');
    const images = folder();
    const pixels = Buffer.from([255, 0, 51, 0, 255, 102]);
    await sharp(pixels, { raw: { width: 2, height: 1, channels: 3 } })
      .png()
      .toFile(join(images, 'a.png'));
    const options = {
      urls: [server.url],
      dataPath: images,
      reading: { preprocess: { scale: 1, color: 'bgr' } },
    } as const;
    expect(await verifyPackage(path, options)).toMatchObject({ ok: true });
    expect(received).toEqual([[51, 102, 0, 255, 255, 0]]);
  });

  it('takes real samples', async () => {
    const data = join(folder(), 'rows.jsonl');
    writeFileSync(data, '{"x": [1, 2]}\n{"x": [3, 4]}\n');
    const report = await verified({}, { dataPath: data });
    expect(report).toMatchObject({ ok: true, source: 'rows.jsonl' });
    expect(report.models[0]?.wires[0]?.requests).toBe(3);
  });
});

describe('verifying without what it needs', () => {
  async function refusal(run: Promise<unknown>): Promise<ServeOptError> {
    const error: unknown = await run.then(
      () => undefined,
      (thrown) => thrown,
    );
    if (error instanceof ServeOptError) return error;
    throw error ?? new Error('nothing was thrown');
  }

  it('gives the container to start where there is no server', async () => {
    const path = await repository();
    const error = await refusal(verifyPackage(path));
    expect(error).toMatchObject({ code: 'SO5107', exitCode: 6 });
    expect(error.hint).toMatch(
      /^docker run --rm .* -v "\/.*":\/models nvcr\.io\/nvidia\/tritonserver:\S+ tritonserver --model-repository=\/models$/,
    );
  });

  it('gives the container of TorchServe for an archive', async () => {
    const path = join(folder(), 'net.mar');
    writeFileSync(path, 'PK');
    const error = await refusal(verifyPackage(path));
    expect(error).toMatchObject({ code: 'SO5107', exitCode: 6 });
    expect(error.hint).toContain('--models net.mar');
  });

  it.each([
    ['an empty folder', '', 'it has neither'],
    ['a file of another kind', 'model.onnx', 'does not end in .mar'],
  ])('refuses %s', async (_title, name, why) => {
    const path = join(folder(), name);
    if (name !== '') writeFileSync(path, '');
    expect(await refusal(verifyPackage(path))).toMatchObject({ code: 'SO3509', why: expect.stringContaining(why) });
  });

  it('refuses a path that is not there', async () => {
    expect(await refusal(verifyPackage(join(folder(), 'nothing')))).toMatchObject({ code: 'SO2001' });
  });

  it('needs the HTTP address beside that of gRPC', async () => {
    const path = await repository();
    expect(await refusal(verifyPackage(path, { urls: ['grpc://127.0.0.1:1'] }))).toMatchObject({ code: 'SO1006' });
  });

  it('reports a server that ends before it is ready', async () => {
    const program = join(folder(), 'tritonserver');
    writeFileSync(program, '#!/bin/sh\necho "cannot open the repository" >&2\nexit 1\n', { mode: 0o755 });
    const error = await refusal(verifyPackage(await repository(), { tritonServer: program }));
    expect(error).toMatchObject({ code: 'SO5106', why: 'cannot open the repository' });
  });

  it('ends a server that is not ready in time', async () => {
    const program = join(folder(), 'tritonserver');
    writeFileSync(program, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    const run = verifyPackage(await repository(), { tritonServer: program, startLimitMs: 50 });
    expect(await refusal(run)).toMatchObject({ code: 'SO5106', message: expect.stringContaining('not ready within') });
  });
});
