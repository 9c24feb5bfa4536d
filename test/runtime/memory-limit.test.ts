import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ServeOptError } from '../../src/errors.js';
import { parseModel } from '../../src/ir/text/parse-model.js';
import { writeModel } from '../../src/ir/write-model.js';
import { availableMemory } from '../../src/machine/available-memory.js';
import { memoryLeft, type TextReader } from '../../src/machine/cgroup.js';
import { type RuntimeHost, startRuntime } from '../../src/runtime/host.js';
import { launchUnderLimit, OVER_MEMORY_LIMIT, saysNoMemory } from '../../src/runtime/memory-limit.js';
import { DataType } from '../../src/tensor/dtype.js';
import { modelFolder } from './models.js';

const files = (texts: Record<string, string>): TextReader => {
  const byPath = new Map(Object.entries(texts));
  return (path) => byPath.get(path);
};

describe('memoryLeft', () => {
  it('takes the group that leaves least, files that can be dropped not counted (version 2)', () => {
    const read = files({
      '/proc/self/cgroup': '0::/a/b\n',
      '/sys/fs/cgroup/a/b/memory.max': 'max\n',
      '/sys/fs/cgroup/a/memory.max': '1000\n',
      '/sys/fs/cgroup/a/memory.current': '700\n',
      '/sys/fs/cgroup/a/memory.stat': 'anon 5\ninactive_file 100\n',
      '/sys/fs/cgroup/memory.max': '9000\n',
      '/sys/fs/cgroup/memory.current': '100\n',
    });
    expect(memoryLeft(read)).toBe(400);
  });

  it('reads version 1, where a number near 2^63 is no limit', () => {
    const read = files({
      '/proc/self/cgroup': '9:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n',
      '/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes': '2000\n',
      '/sys/fs/cgroup/memory/docker/1/memory.usage_in_bytes': '1500\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    });
    expect(memoryLeft(read)).toBe(500);
  });

  it('is undefined without a limit', () => {
    expect(memoryLeft(files({}))).toBeUndefined();
    expect(memoryLeft(files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': 'max' }))).toBeUndefined();
  });
});

describe('availableMemory', () => {
  it('is what the system has, or what a group leaves where that is less', () => {
    const system = { '/proc/meminfo': 'MemTotal: 9 kB\nMemAvailable:    4096 kB\n' };
    expect(availableMemory(files(system))).toBe(4096 * 1024);
    const group = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': '1000000\n' };
    expect(availableMemory(files({ ...system, ...group }))).toBe(1_000_000);
    expect(availableMemory(files({}))).toBeGreaterThan(0);
  });
});

describe('words of missing memory', () => {
  it('are known from native code, Node and the watch, and are no others', () => {
    for (const text of [
      'std::bad_alloc',
      'bad allocation',
      'bfc_arena.cc:360 Failed to allocate memory for requested buffer of size 34268783104',
      'Array buffer allocation failed',
      'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
      OVER_MEMORY_LIMIT,
    ])
      expect(saysNoMemory(text), text).toBe(true);
    for (const text of [undefined, 'Segmentation fault', 'Load model failed: no such operator'])
      expect(saysNoMemory(text), text).toBe(false);
  });
});

describe('launchUnderLimit', () => {
  it('starts the program as it is without a limit', () => {
    expect(launchUnderLimit(['--x'], undefined)).toEqual({ execPath: process.execPath, execArgv: ['--x'] });
  });
});

describe('the child process', () => {
  const folder = modelFolder();
  const hosts: RuntimeHost[] = [];
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.close();
  });
  afterAll(() => rmSync(folder.path, { recursive: true }));

  const LIMIT = 400e6;
  const greedy = parseModel(`<ir_version: 9, opset_import: ["": 19]>
      net (int64[1] n) => (float y) { big = ConstantOfShape (n) y = ReduceMax <keepdims = 0> (big) }`);
  const feeds = (count: bigint) =>
    new Map([['n', { dataType: DataType.INT64, dims: [1], data: BigInt64Array.of(count) }]]);

  async function startLimited(): Promise<{ host: RuntimeHost; session: number }> {
    const host = await startRuntime({ memoryBytes: LIMIT });
    hosts.push(host);
    const path = join(folder.path, 'greedy.onnx');
    await writeModel(greedy, path, { force: true });
    const { session } = await host.request('load', { path });
    return { host, session };
  }

  it('runs what fits into its memory', async () => {
    const { host, session } = await startLimited();
    const outputs = await host.request('run', { session, feeds: feeds(1000n) });
    expect(outputs.get('y')?.dims).toEqual([]);
  });

  it('says once that the memory does not suffice, names the option, and leaves the caller alive', async () => {
    const { host, session } = await startLimited();
    const error = await host.request('run', { session, feeds: feeds(10n ** 9n) }).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(ServeOptError);
    expect(error).toMatchObject({ code: 'SO2105', exitCode: 3, hint: 'allow more: --mem 800MB' });
    expect((error as ServeOptError).message).toBe('The model needs more than the 400 MB that --mem allows');
  });
});
