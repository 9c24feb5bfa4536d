import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import { type RuntimeHost, startRuntime } from '../../src/runtime/host.js';
import type { Feeds } from '../../src/samples/types.js';
import { DataType } from '../../src/tensor/dtype.js';
import { skipWhere } from '../helpers/skip-where.js';
import { endless, intAttribute, modelFolder, node, unary } from './models.js';

const folder = modelFolder();
const hosts: RuntimeHost[] = [];

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
});
afterAll(() => rmSync(folder.path, { recursive: true }));

async function start(options: Parameters<typeof startRuntime>[0] = {}): Promise<RuntimeHost> {
  const host = await startRuntime(options);
  hosts.push(host);
  return host;
}

const floats = (...values: number[]) => ({
  dataType: DataType.FLOAT,
  dims: [values.length],
  data: Float32Array.from(values),
});

/** A run that would take hours; resolves once the child is deep in it. */
async function startEndlessRun(host: RuntimeHost, options: { signal?: AbortSignal } = {}): Promise<Promise<unknown>[]> {
  const { session } = await host.request('load', { path: folder.write('endless.onnx', endless()) });
  const feeds: Feeds = new Map([
    ['n', { dataType: DataType.INT64, dims: [], data: BigInt64Array.of(10n ** 12n) }],
    ['x', { dataType: DataType.FLOAT, dims: [1000], data: new Float32Array(1000) }],
  ]);
  const run = host.request('run', { session, feeds }, options);
  run.catch(() => {});
  await sleep(300);
  return [run];
}

/** A child, as on a loaded machine, that hears late that its parent lets go of it, and ends later still. */
const SLOW_TO_END = `if (process.send) {
  const wait = () => { for (const end = Date.now() + 800; Date.now() < end; ); };
  process.on('disconnect', wait);
  process.on('exit', wait);
}`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('startRuntime', () => {
  it('loads a model, runs it and gives the outputs by name', async () => {
    const host = await start();
    const loaded = await host.request('load', { path: folder.write('relu.onnx', unary('Relu')) });
    expect(loaded.inputs).toEqual([{ name: 'x', dataType: DataType.FLOAT, shape: ['N'] }]);
    const outputs = await host.request('run', { session: loaded.session, feeds: new Map([['x', floats(-1, 2)]]) });
    expect(outputs.get('y')).toEqual(floats(0, 2));
    await host.request('release', { session: loaded.session });
    await expect(host.request('release', { session: loaded.session })).rejects.toMatchObject({ code: 'SO9001' });
  });

  it('tells the versions of ONNX Runtime and Node', async () => {
    const host = await start();
    const versions = await host.request('versions', undefined);
    expect(versions.onnxRuntime).toBe('1.30.0');
    expect(versions.node).toBe(process.versions.node);
    expect(versions.backends.map((b) => b.name)).toContain('cpu');
  });

  it('gives the message of ONNX Runtime on one line when it refuses a model', async () => {
    const host = await start();
    const path = folder.write('unknown-op.onnx', unary('NoSuchOp'));
    const error = await host.request('load', { path }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ServeOptError);
    expect(error).toMatchObject({ code: 'SO5001', location: { file: path } });
    expect((error as ServeOptError).message).toContain('No Op registered for NoSuchOp');
    expect((error as ServeOptError).message).not.toContain('\n');
  });

  it('answers again after an error', async () => {
    const host = await start();
    await expect(host.request('load', { path: '/nowhere.onnx' })).rejects.toMatchObject({ code: 'SO5001' });
    await expect(host.request('versions', undefined)).resolves.toBeDefined();
  });

  it('says which execution provider is missing', async () => {
    const host = await start();
    const path = folder.write('relu.onnx', unary('Relu'));
    const load = host.request('load', { path, options: { executionProviders: ['no-such-provider'] } });
    await expect(load).rejects.toMatchObject({ code: 'SO5005', message: expect.stringContaining('no-such-provider') });
  });

  it('rejects with SO5003 and the signal when the child is killed during a run', async () => {
    const host = await start();
    const [run] = await startEndlessRun(host);
    process.kill(host.childPid, 'SIGKILL');
    await expect(run).rejects.toMatchObject({ code: 'SO5003', message: expect.stringContaining('SIGKILL') });
    await expect(host.request('versions', undefined)).rejects.toMatchObject({ code: 'SO5003' });
  });

  it('kills the child when the request is aborted during a run', async () => {
    const host = await start();
    const abort = new AbortController();
    const [run] = await startEndlessRun(host, { signal: abort.signal });
    abort.abort();
    await expect(run).rejects.toMatchObject({ code: 'SO8130' });
    await host.close();
    expect(isAlive(host.childPid)).toBe(false);
  });

  it('kills the child when the signal of the host is aborted, and starts none for an aborted signal', async () => {
    const abort = new AbortController();
    const host = await start({ signal: abort.signal });
    const [run] = await startEndlessRun(host);
    abort.abort();
    await expect(run).rejects.toMatchObject({ code: 'SO8130' });
    await expect(startRuntime({ signal: abort.signal })).rejects.toMatchObject({ code: 'SO8130' });
  });

  it('leaves Ctrl-C to the parent: the child goes on after SIGINT', async () => {
    const host = await start();
    process.kill(host.childPid, 'SIGINT');
    await sleep(50);
    await expect(host.request('versions', undefined)).resolves.toBeDefined();
  });

  it('ends the child when closed, even in the middle of a run', async () => {
    const host = await start();
    const [run] = await startEndlessRun(host);
    await host.close();
    expect(isAlive(host.childPid)).toBe(false);
    await expect(run).rejects.toBeInstanceOf(ServeOptError);
  });

  it('leaves no child behind when the parent is killed during a run', async () => {
    const program = fileURLToPath(new URL('./orphan-parent.js', import.meta.url));
    const path = folder.write('endless.onnx', endless());
    const parent = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(parent.stdout, 'data');
    const childPid = Number(String(line));
    expect(isAlive(childPid)).toBe(true);
    parent.kill('SIGKILL');
    while (isAlive(childPid)) await sleep(50);
  });

  it('does not keep the program of the caller alive when idle', async () => {
    const host = fileURLToPath(new URL('../../dist/runtime/host.js', import.meta.url));
    const code = `import { startRuntime } from ${JSON.stringify(host)};
      const host = await startRuntime();
      await host.request('versions', undefined);`;
    const program = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' });
    expect(await once(program, 'exit')).toEqual([0, null]);
  });

  skipWhere(process.platform === 'win32', 'Windows cannot stop a process').each([
    ['stopped', `process.kill(host.childPid, 'SIGSTOP');`],
    ['deaf and slow to end', ''],
  ])(
    'closes a child that is %s, with a request under way, and the program of the caller goes on',
    async ([kind, act]) => {
      const host = fileURLToPath(new URL('../../dist/runtime/host.js', import.meta.url));
      const slow = join(folder.path, 'slow.cjs');
      writeFileSync(slow, SLOW_TO_END);
      const code = `import { startRuntime } from ${JSON.stringify(host)};
      const host = await startRuntime();
      await host.request('versions', undefined);
      const asked = host.request('versions', undefined).catch((error) => error.code);
      ${act}
      await host.close();
      console.log('closed', await asked !== undefined);`;
      const env = kind === 'stopped' ? process.env : { ...process.env, NODE_OPTIONS: `--require ${slow}` };
      const program = spawn(process.execPath, ['--input-type=module', '-e', code], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env,
      });
      let stdout = '';
      program.stdout.on('data', (chunk) => {
        stdout += String(chunk);
      });
      expect(await once(program, 'close')).toEqual([0, null]);
      expect(stdout).toBe('closed true\n');
    },
  );

  it('caps the JavaScript heap of the child', async () => {
    const host = await start({ maxOldSpaceMb: 64 });
    await expect(host.request('versions', undefined)).resolves.toBeDefined();
  });
});

describe('run', () => {
  it('names a missing input, an unknown input and an unknown output', async () => {
    const host = await start();
    const { session } = await host.request('load', { path: folder.write('relu.onnx', unary('Relu')) });
    const run = (feeds: Feeds, fetches?: string[]) =>
      host.request('run', fetches ? { session, feeds, fetches } : { session, feeds });
    await expect(run(new Map([['z', floats(1)]]))).rejects.toMatchObject({
      code: 'SO4002',
      message: 'The model has no input "z"',
    });
    await expect(run(new Map())).rejects.toMatchObject({
      code: 'SO4002',
      message: 'The data has no array for the input "x"',
    });
    await expect(run(new Map([['x', floats(1)]]), ['z'])).rejects.toMatchObject({ code: 'SO4002' });
  });

  it('names both sides when type or rank differ', async () => {
    const host = await start();
    const { session } = await host.request('load', {
      path: folder.write('matrix.onnx', unary('Relu', DataType.FLOAT, ['N', 3])),
    });
    const run = (dataType: number, dims: number[], data: Float32Array | Int32Array) =>
      host.request('run', { session, feeds: new Map([['x', { dataType, dims, data }]]) });
    await expect(run(DataType.INT32, [1, 3], new Int32Array(3))).rejects.toMatchObject({
      code: 'SO4002',
      message: `The model's input "x" is float[N,3], but the data has int32[1,3]`,
    });
    await expect(run(DataType.FLOAT, [1, 4], new Float32Array(4))).rejects.toMatchObject({ code: 'SO4002' });
    await expect(run(DataType.FLOAT, [3], new Float32Array(3))).rejects.toMatchObject({ code: 'SO4002' });
    await expect(run(DataType.FLOAT, [2, 3], new Float32Array(5))).rejects.toMatchObject({ code: 'SO4002' });
  });

  it('passes every type that ONNX Runtime for Node knows, views and empty tensors included', async () => {
    const host = await start();
    const cases: [number, Feeds extends Map<string, infer T> ? (T extends { data: infer D } ? D : never) : never][] = [
      [DataType.FLOAT, Float32Array.of(9, 1.5, -2).subarray(1)],
      [DataType.DOUBLE, Float64Array.of(9, 1.5, -2).subarray(1)],
      [DataType.FLOAT16, Uint16Array.of(0x3c00, 0xc000)],
      [DataType.INT8, Int8Array.of(0, -128, 127).subarray(1)],
      [DataType.UINT8, Uint8Array.of(0, 255, 1).subarray(1)],
      [DataType.INT32, Int32Array.of(-(2 ** 31), 7)],
      [DataType.UINT32, Uint32Array.of(2 ** 32 - 1, 7)],
      [DataType.INT64, BigInt64Array.of(-(2n ** 63n), 7n)],
      [DataType.UINT64, BigUint64Array.of(2n ** 64n - 1n, 7n)],
      [DataType.INT16, Int16Array.of(-32768, 7)],
      [DataType.UINT16, Uint16Array.of(65535, 7)],
      [DataType.BOOL, Uint8Array.of(1, 0)],
      [DataType.STRING, ['Zürich', '']],
      [DataType.FLOAT, new Float32Array(0)],
    ];
    for (const [dataType, data] of cases) {
      const { session } = await host.request('load', {
        path: folder.write(`identity-${dataType}.onnx`, unary('Identity', dataType)),
      });
      const tensor = { dataType, dims: [data.length], data };
      const outputs = await host.request('run', { session, feeds: new Map([['x', tensor]]) });
      expect(outputs.get('y')).toEqual(tensor);
    }
  });

  it('feeds and fetches names that are special in JavaScript', async () => {
    const host = await start();
    const graph = {
      nodes: [node('Neg', ['__proto__'], ['constructor']), node('Neg', ['toString'], ['hasOwnProperty'])],
      inputs: [
        { name: '__proto__', shape: [1] },
        { name: 'toString', shape: [1] },
      ],
      outputs: [
        { name: 'constructor', shape: [1] },
        { name: 'hasOwnProperty', shape: [1] },
      ],
    };
    const { session } = await host.request('load', { path: folder.write('names.onnx', graph) });
    const feeds: Feeds = new Map([
      ['__proto__', floats(1)],
      ['toString', floats(2)],
    ]);
    const outputs = await host.request('run', { session, feeds });
    expect([...outputs.keys()]).toEqual(['constructor', 'hasOwnProperty']);
    expect(outputs.get('hasOwnProperty')).toEqual(floats(-2));
  });

  it('leaves an int4 output out instead of letting it end the process', async () => {
    const host = await start();
    const graph = {
      nodes: [node('Cast', ['x'], ['q'], [intAttribute('to', DataType.INT4)]), node('Relu', ['x'], ['y'])],
      inputs: [{ name: 'x', shape: [2] }],
      outputs: [
        { name: 'q', type: DataType.INT4, shape: [2] },
        { name: 'y', shape: [2] },
      ],
    };
    const { session } = await host.request('load', { path: folder.write('int4.onnx', graph, 21, 10) });
    const feeds: Feeds = new Map([['x', floats(-1, 2)]]);
    expect([...(await host.request('run', { session, feeds })).keys()]).toEqual(['y']);
    await expect(host.request('run', { session, feeds, fetches: ['q'] })).rejects.toMatchObject({ code: 'SO5006' });
  });

  it('passes session configuration entries under their dotted names', async () => {
    const host = await start();
    const path = folder.write('relu.onnx', unary('Relu'));
    const load = (config: Record<string, string>) => host.request('load', { path, options: { config, threads: 1 } });
    await expect(load({ 'session.intra_op.allow_spinning': '0' })).resolves.toBeDefined();
    await expect(load({ ['k'.repeat(2000)]: '0' })).rejects.toMatchObject({
      message: expect.stringContaining('Config key'),
    });
  });
});
