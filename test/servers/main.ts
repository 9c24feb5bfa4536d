/**
 * Real inference servers: `npm run servers -- FOLDER [PART…]`; parts are the keys of `PARTS` below.
 *
 * FOLDER holds what is installed; what is missing is skipped with a reason:
 *   px/ nvidia-pytriton unpacked, tb/ a Python with onnxruntime and numpy below 2, be/python the Python backend with the
 *   stub of that Python (a real tritonserver);  ts/ a Python with torchserve, torch-model-archiver, torch and onnxruntime;
 *   ml/ a Python with mlserver and onnxruntime. `npm run servers -- --install FOLDER` installs all of them.
 * Each protocol must describe the model, give ONNX Runtime's own outputs, refuse what is wrong with clear words, and be
 * measured in both loops without a failure. Then what `package triton` and `package mar` make of many models must load and
 * respond as ONNX Runtime does, by every protocol.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ServeOptError } from '../../src/errors.js';
import { seededReader } from '../../src/samples/seeded-reader.js';
import type { Feeds, HostTensor, ValueSpec } from '../../src/samples/types.js';
import { checkResponse } from '../../src/serving/check-response.js';
import { isFailure, type ServerClient, type ServerModel } from '../../src/serving/client.js';
import { realClock } from '../../src/serving/load-clock.js';
import { openClient } from '../../src/serving/open-client.js';
import type { Protocol } from '../../src/serving/protocols.js';
import { DataType } from '../../src/tensor/dtype.js';
import type { BenchServerOptions } from '../../src/workflows/bench-server/open-server-bench.js';
import { benchServer } from '../../src/workflows/bench-server.js';
import { messageOf, print, Suite } from '../conformance/suite.js';
import type { ArchiveModel } from './archives/archive-models.js';
import { archiveSuite } from './archives/archive-suite.js';
import { caseSuite } from './archives/case-suite.js';
import { requestSuite } from './archives/request-suite.js';
import { type Installed, startMlServer, startTorchServe, startTriton } from './installed.js';
import { manifestPackages } from './manifest-packages.js';
import { realModels } from './packaged-models.js';
import { readmeCalls } from './readme-calls.js';
import { record } from './refusals/record.js';
import { torchServePackages } from './torchserve-packages.js';
import { tritonPackages } from './triton-packages.js';

const DIGITS_INPUT: ValueSpec = { name: 'X', dataType: DataType.FLOAT, shape: [2, 64], typeText: 'float[2,64]' };

type Starter = (folder: string, models: string, digits: string, scratch: string) => Promise<Installed | string>;

async function serverSuite(name: string, start: Starter, root: string, folder: string): Promise<Suite> {
  const suite = new Suite(name);
  const scratch = mkdtempSync(join(tmpdir(), 'serve-opt-servers-'));
  const digits = join(root, 'fixtures/digits-mlp/model.onnx');
  const models = join(root, 'test/servers/models');
  let installed: Installed | string;
  try {
    mkdirSync(scratch, { recursive: true });
    installed = await start(folder, models, digits, scratch);
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true });
    suite.fail('start', messageOf(error));
    suite.close();
    return suite;
  }
  if (typeof installed === 'string') suite.skip(installed);
  else {
    try {
      const session = await InferenceSession.create(digits);
      for (const [protocol, url] of installed.urls) {
        await item(suite, `${protocol}: outputs`, () => sameOutputs(session, url, protocol as Protocol));
        await item(suite, `${protocol}: closed loop`, () =>
          measured(url, protocol as Protocol, { concurrency: [1, 4] }),
        );
        await item(suite, `${protocol}: open loop`, () => measured(url, protocol as Protocol, { rate: 50 }));
        await item(suite, `${protocol}: unknown model`, () => unknownModel(url, protocol as Protocol));
        if (name === 'Triton' && protocol !== 'v2-http-json') {
          await item(suite, `${protocol}: all types`, () => echoed(url, protocol as Protocol));
        }
      }
    } finally {
      await installed.server.stop();
    }
  }
  rmSync(scratch, { recursive: true, force: true });
  suite.close();
  return suite;
}

async function item(suite: Suite, name: string, run: () => Promise<string | undefined>): Promise<void> {
  try {
    const reason = await run();
    if (reason === undefined) suite.pass();
    else suite.fail(name, reason);
  } catch (error) {
    const why = error instanceof ServeOptError ? ` (${error.code}; ${error.why ?? ''}; ${error.hint ?? ''})` : '';
    suite.fail(name, `${messageOf(error)}${why}`);
  }
}

async function opened(
  url: string,
  protocol: Protocol,
  model?: string,
): Promise<{ readonly client: ServerClient; readonly model: ServerModel }> {
  const options = { protocol, now: () => realClock.now(), ...(model === undefined ? {} : { model }) };
  const { client } = await openClient(url, options);
  return { client, model: await client.describe() };
}

/** Outputs of one request, checked. */
async function answered(
  client: ServerClient,
  model: ServerModel,
  feeds: Feeds,
): Promise<{ outputs: Map<string, HostTensor>; body: Uint8Array }> {
  const connection = client.connect();
  try {
    const request = await client.prepare(feeds);
    const response = await connection.send(request);
    if (isFailure(response)) throw new Error(`${response.failure}: ${response.why}`);
    if (!response.ok) throw new Error(`${response.status}: ${client.errorText(response)}`);
    return { outputs: checkResponse(client, model, response, request), body: response.body };
  } finally {
    connection.close();
  }
}

async function sameOutputs(session: InferenceSession, url: string, protocol: Protocol): Promise<string | undefined> {
  const { client, model } = await opened(url, protocol, 'digits');
  const feeds = await seededReader(7, 1, [DIGITS_INPUT]).read(0, 1);
  const { outputs, body } = await answered(client, model, feeds);
  const x = feeds.get('X') as HostTensor;
  const expected = await session.run({ X: new Tensor('float32', x.data as Float32Array, [2, 64]) });
  for (const [name, tensor] of Object.entries(expected)) {
    const wanted = Array.from(tensor.data as Float32Array | BigInt64Array, Number);
    const got = outputs.has(name)
      ? Array.from(outputs.get(name)?.data as Float32Array, Number)
      : ((JSON.parse(Buffer.from(body).toString()) as Record<string, number[][]>)[name] ?? []).flat();
    // JSON of another program may round the last digit.
    const off = wanted.findIndex((value, index) => !(Math.abs(value - (got[index] ?? Number.NaN)) <= 1e-6));
    if (off >= 0 || got.length !== wanted.length) return `${name}[${off}]: ${got[off]} instead of ${wanted[off]}`;
  }
  return undefined;
}

async function measured(url: string, protocol: Protocol, load: BenchServerOptions): Promise<string | undefined> {
  const result = await benchServer(url, {
    protocol,
    model: 'digits',
    inputs: [DIGITS_INPUT],
    warmUpMs: 500,
    durationMs: 2000,
    ...load,
  });
  for (const { label, latency, throughput, responses: statuses, error } of result.configurations) {
    if (error) return `${label}: ${error.message}`;
    const p50 = latency?.quantiles.find(({ probability }) => probability === 0.5)?.ms ?? Number.NaN;
    print(
      `   ${protocol} ${label}: ${latency?.runs} responses, p50 ${p50.toFixed(2)} ms, ${throughput?.value.toFixed(0)}/s`,
    );
    if (latency === undefined || latency.failures > 0 || latency.runs < 10)
      return `${label}: ${JSON.stringify(statuses)}`;
  }
  return undefined;
}

async function unknownModel(url: string, protocol: Protocol): Promise<string | undefined> {
  try {
    const { client, model } = await opened(
      url.replace(/(\/v2\/models|\/predictions)?\/digits$/, protocol === 'torchserve' ? '/predictions/nothing' : ''),
      protocol,
      'nothing',
    );
    await answered(client, model, await seededReader(7, 1, [DIGITS_INPUT]).read(0, 1));
    return 'an unknown model responds';
  } catch (error) {
    const message = messageOf(error);
    print(`   ${protocol}: ${message}${error instanceof ServeOptError ? ` | ${error.why} | ${error.hint}` : ''}`);
    if (protocol === 'torchserve') return /^404/.test(message) ? undefined : message;
    return error instanceof ServeOptError && error.code === 'SO5104' ? undefined : message;
  }
}

async function echoed(url: string, protocol: Protocol): Promise<string | undefined> {
  const { client, model } = await opened(url, protocol, 'echo');
  const inputs = (model.inputs ?? []).map((spec) => ({ ...spec, shape: [2, 3] }));
  const feeds = await seededReader(5, 1, inputs).read(0, 1);
  const { outputs } = await answered(client, model, feeds);
  for (const [name, tensor] of feeds) {
    const output = outputs.get(`OUT${name.slice(2)}`);
    if (String(output?.data) !== String(tensor.data)) return `${name}: ${output?.data} instead of ${tensor.data}`;
  }
  return feeds.size < 13 ? `only ${feeds.size} types` : undefined;
}

async function inScratch(run: (scratch: string) => Promise<Suite>): Promise<Suite> {
  const scratch = mkdtempSync(join(tmpdir(), 'serve-opt-servers-'));
  try {
    return await run(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Suites by the word that chooses them. */
const PARTS: ReadonlyMap<string, (root: string, folder: string) => Promise<Suite>> = new Map([
  ['triton', (root: string, folder: string) => serverSuite('Triton', startTriton, root, folder)],
  ['torchserve', (root: string, folder: string) => serverSuite('TorchServe', startTorchServe, root, folder)],
  ['mlserver', (root: string, folder: string) => serverSuite('MLServer', startMlServer, root, folder)],
  ['triton-packages', (root: string, folder: string) => inScratch((scratch) => tritonPackages(root, folder, scratch))],
  [
    'torchserve-packages',
    (root: string, folder: string) => inScratch((scratch) => torchServePackages(root, folder, scratch)),
  ],
  ['torchserve-archives', (root: string, folder: string) => archiveSuite(join(folder, 'bin'), sharedArchives(root))],
  ['torchserve-faulty', (_: string, folder: string) => caseSuite(join(folder, 'bin'))],
  ['torchserve-requests', requestSuite],
  ['readme-calls', (root: string, folder: string) => inScratch((scratch) => readmeCalls(root, folder, scratch))],
  ['manifests', (root: string, folder: string) => inScratch((scratch) => manifestPackages(root, folder, scratch))],
]);

function sharedArchives(root: string): ArchiveModel[] {
  return realModels(root).map(({ name, path }) => ({ name: name.replaceAll('.', '-'), path }));
}

async function main(root: string, [first = '', ...rest]: readonly string[]): Promise<void> {
  if (first === '--record') {
    const [folder = '', ...names] = rest;
    process.exitCode = await record(root, folder, names);
    return;
  }
  const folder = first;
  const unknown = rest.find((part) => !PARTS.has(part));
  if (unknown !== undefined) throw new Error(`no part ${unknown}; there are ${[...PARTS.keys()].join(', ')}`);
  const suites: Suite[] = [];
  for (const [part, run] of PARTS) {
    if (rest.length === 0 || rest.includes(part)) suites.push(await run(root, folder));
  }
  const total = (pick: (suite: Suite) => number): number => suites.reduce((sum, suite) => sum + pick(suite), 0);
  print(`\n${total((suite) => suite.passed)} passed, ${total((suite) => suite.failed)} failed`);
  process.exitCode = total((suite) => suite.failed) === 0 ? 0 : 1;
}

const [root = '.', ...parameters] = process.argv.slice(2);
await main(root, parameters);
