/** Archives of `package mar` in a real TorchServe: all formats load, and concurrent requests each get their own response. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Feeds, HostTensor } from '../../../src/samples/types.js';
import { jsonFields } from '../../../src/serving/json-tensor.js';
import { MAR_FORMATS } from '../../../src/targets/mar/mar-options.js';
import { DataType } from '../../../src/tensor/dtype.js';
import { packageMar } from '../../../src/workflows/package/package-mar.js';
import { messageOf, Suite } from '../../conformance/suite.js';
import { firstSamples, samplesBeside } from '../packaged-models.js';
import type { RunningServer } from '../server-process.js';
import { type ArchiveModel, archiveModels } from './archive-models.js';
import { startStore } from './start-store.js';

/** Requests that are sent at once. */
const CONCURRENT = 4;

interface Served extends ArchiveModel {
  /** Under this name, for each format. */
  readonly served: string;
}

/** @param bin folder with torchserve */
export async function archiveSuite(bin: string, shared: readonly ArchiveModel[]): Promise<Suite> {
  const suite = new Suite('TorchServe archives');
  if (!existsSync(join(bin, 'torchserve'))) {
    suite.skip(`there is no ${join(bin, 'torchserve')}`);
    return suite;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'serve-opt-archives-'));
  let server: RunningServer | undefined;
  try {
    const models = await archiveModels(scratch, shared);
    const store = join(scratch, 'store');
    mkdirSync(store);
    const served: Served[] = [];
    const files: string[] = [];
    for (const [index, model] of models.entries()) {
      const format = MAR_FORMATS[index % MAR_FORMATS.length] as (typeof MAR_FORMATS)[number];
      for (const each of model.name === 'open-length' ? MAR_FORMATS : [format]) {
        const name = each === format ? model.name : `${model.name}-${each}`;
        const outputPath = each === 'folder' ? join(store, name) : store;
        const report = await packageMar(model.path, { name, format: each, outputPath, maxBatchDelayMs: 200 });
        served.push({ ...model, served: name });
        files.push(`${name}=${each === 'folder' ? report.output : report.output.slice(store.length + 1)}`);
      }
    }
    const started = await startStore(bin, scratch, store, files);
    server = started.server;
    const { inference } = started;
    for (const each of served) {
      try {
        const reason = await answersRightly(each, `${inference}/predictions/${each.served}`);
        if (reason === undefined) suite.pass();
        else suite.fail(each.served, reason);
      } catch (error) {
        suite.fail(each.served, messageOf(error));
      }
    }
    if (suite.failed > 0) writeFileSync(join(tmpdir(), 'serve-opt-archives.log'), server.log());
  } catch (error) {
    suite.fail('start', messageOf(error));
  } finally {
    await server?.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
  suite.close();
  return suite;
}

async function answersRightly({ path }: Served, url: string): Promise<string | undefined> {
  const session = await InferenceSession.create(path);
  const requests = (await firstSamples(path, samplesBeside(path), CONCURRENT)).map((feeds) => ({
    feeds,
    body: [...jsonFields(feeds)].join(''),
  }));
  // One wrong request among them must not touch the others.
  const wrong = post(url, '{"no such input": [1]}');
  const responses = await Promise.all(requests.map(({ body }) => post(url, body)));
  const refused = await wrong;
  if (refused.status !== 400) return `a wrong request got ${refused.status}: ${refused.text.slice(0, 300)}`;
  for (const [index, response] of responses.entries()) {
    if (response.status !== 200) return `request ${index} got ${response.status}: ${response.text.slice(0, 300)}`;
    const expected = await session.run(ortFeeds((requests[index] as (typeof requests)[number]).feeds));
    const got = new Map(Object.entries(JSON.parse(response.text) as Record<string, unknown>));
    for (const [name, tensor] of Object.entries(expected)) {
      const why = differs(flat(got.get(name)), [...(tensor.data as ArrayLike<unknown> & Iterable<unknown>)]);
      if (why !== undefined) return `request ${index}, output "${name}": ${why}`;
    }
  }
  return undefined;
}

async function post(url: string, body: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return { status: response.status, text: await response.text() };
}

function ortFeeds(feeds: Feeds): Record<string, Tensor> {
  const names: Readonly<Record<number, string>> = {
    [DataType.FLOAT]: 'float32',
    [DataType.INT64]: 'int64',
    [DataType.INT32]: 'int32',
    [DataType.STRING]: 'string',
    [DataType.BOOL]: 'bool',
  };
  const tensor = ({ dataType, data, dims }: HostTensor): Tensor =>
    new Tensor(names[dataType] as 'float32', data as Float32Array, [...dims]);
  return Object.fromEntries([...feeds].map(([name, each]) => [name, tensor(each)]));
}

function flat(value: unknown): unknown[] {
  return Array.isArray(value) ? value.flatMap(flat) : [value];
}

function differs(got: readonly unknown[], expected: readonly unknown[]): string | undefined {
  if (got.length !== expected.length) return `${got.length} elements, not ${expected.length}`;
  const at = expected.findIndex((value, index) => !close(value, got[index]));
  return at < 0 ? undefined : `element ${at} is ${got[at]}, not ${expected[at]}`;
}

function close(expected: unknown, got: unknown): boolean {
  if (typeof expected === 'string') return got === expected;
  const [a, b] = [Number(expected), got === null ? Number.NaN : Number(got)];
  return (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= 1e-5 + 1e-4 * Math.abs(a);
}
