import { getEventListeners } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseBudget } from '../../src/gates/parse-budget.js';
import { DataType } from '../../src/tensor/dtype.js';
import { openServerBench } from '../../src/workflows/bench-server/open-server-bench.js';
import { benchServer } from '../../src/workflows/bench-server.js';
import { bodyOf, fakeServer, json } from './fake-server.js';
import { METADATA, v2Server } from './v2-server.js';

const QUICK = { warmUpMs: 50, durationMs: 200, maxTimeMs: 60_000 };
/** So many requests, however long they take. */
const COUNTED = { warmUpMs: 1, durationMs: 3_600_000, maximumRequests: 40 };

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('benchServer', () => {
  it('measures a closed loop', async () => {
    const server = await v2Server();
    const report = await benchServer(server.url, { ...QUICK, batch: 3 });
    expect(report).toMatchObject({
      command: 'bench',
      subject: 'server',
      scenario: { kind: 'single-stream' },
      source: 'synthetic',
      server: { protocol: 'v2-http', model: 'double', url: server.url },
      regressions: [],
      budgets: [],
    });
    const [configuration] = report.configurations;
    expect(configuration).toMatchObject({
      label: 'double batch=3',
      executionProviders: [],
      batchSize: 3,
      inputs: [{ name: 'x', type: 'float[3,2]' }],
    });
    const { latency, throughput, responses, segments, warmUp } = configuration ?? {};
    expect(latency?.failures).toBe(0);
    // A window in which a busy machine sent nothing is no window.
    const rounds = segments?.map(({ round }) => round) ?? [];
    expect(latency?.processes.length).toBe(rounds.length);
    expect(responses).toEqual([{ status: '200', count: latency?.runs }]);
    expect(throughput?.value).toBeGreaterThan(0);
    expect(rounds.length).toBeGreaterThan(0);
    expect(rounds).toEqual([...new Set(rounds)].filter((round) => round < 5).sort());
    expect(warmUp?.runs).toBeGreaterThan(0);
    expect(report.verdict).toBeUndefined();
    expect(report.interrupted).toBeUndefined();
  });

  it('sweeps over concurrency, each with its own connections', async () => {
    const server = await v2Server();
    const report = await benchServer(server.url, { ...QUICK, concurrency: [1, 4] });
    expect(report.configurations.map(({ label }) => label)).toEqual(['double concurrency=1', 'double concurrency=4']);
    expect(new Set(report.configurations[1]?.segments?.map(({ stream }) => stream))).toEqual(new Set([0, 1, 2, 3]));
    expect(report.configurations.some(({ pareto }) => pareto)).toBe(true);
  });

  it('measures an open loop', async () => {
    const server = await v2Server();
    const report = await benchServer(server.url, { ...QUICK, rate: 200, maximumConnections: 4 });
    expect(report.scenario).toEqual({ kind: 'server', ratePerSecond: 200, arrivals: 'poisson' });
    const [configuration] = report.configurations;
    expect(configuration).toMatchObject({ label: 'double 200/s', latency: { failures: 0 } });
    expect(report.notes.join()).toContain('up to 4 connections');
  });

  it('stops after so many requests', async () => {
    const server = await v2Server();
    const report = await benchServer(server.url, { ...QUICK, durationMs: 60_000, maximumRequests: 25 });
    expect(report.configurations[0]?.responses).toEqual([{ status: '200', count: 25 }]);
  });

  it('counts failures apart and against every budget', async () => {
    let ok = 0;
    const server = await v2Server({
      infer: (_, response, count) => {
        if (count < 10 || count % 2 === 0) {
          ok++;
          return false;
        }
        json(response, { error: 'busy' }, 503);
        return true;
      },
    });
    const report = await benchServer(server.url, {
      ...QUICK,
      maxTimeMs: 30_000,
      budgets: [parseBudget('p99=10s'), parseBudget('failures=1%')],
    });
    const [configuration] = report.configurations;
    expect(configuration?.latency?.failures).toBe(
      configuration?.responses?.find(({ status }) => status === '503')?.count,
    );
    expect(configuration?.latency?.runs).toBeLessThanOrEqual(ok);
    expect(report.budgets.map(({ verdict }) => verdict)).toEqual(['fail', 'fail']);
    expect(report.verdict).toBe('fail');
  });

  it('passes a budget that is kept', async () => {
    const server = await v2Server();
    const report = await benchServer(server.url, { ...QUICK, maxTimeMs: 30_000, budgets: [parseBudget('p90=30s')] });
    expect(report.verdict).toBe('pass');
  });

  it('refuses budgets of tokens where responses have none', async () => {
    const server = await v2Server();
    for (const budget of ['tokens=3/s', 'first-token=1s']) {
      await expect(benchServer(server.url, { ...QUICK, budgets: [parseBudget(budget)] })).rejects.toMatchObject({
        code: 'SO1006',
        message: expect.stringContaining('v2-http'),
      });
    }
  });

  it('counts wrong responses as failures', async () => {
    const server = await v2Server({
      infer: (_, response, count) => {
        // All but those that are tried before.
        if (count < 3) return false;
        json(response, { outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] });
        return true;
      },
    });
    const report = await benchServer(server.url, COUNTED);
    const wrong = report.configurations[0]?.responses?.find(({ status }) => status === 'wrong response');
    expect(wrong?.count).toBeGreaterThan(0);
    expect(report.configurations[0]?.error).toMatchObject({
      code: 'SO5102',
      message: expect.stringContaining('wrong response'),
    });
  });

  it('says what is wrong before it measures', async () => {
    const failing = await v2Server({
      infer: (_, response) => {
        json(response, { error: 'out of memory' }, 500);
        return true;
      },
    });
    await expect(benchServer(failing.url, QUICK)).rejects.toMatchObject({
      code: 'SO5102',
      message: expect.stringContaining('HTTP status 500'),
      why: 'the server reports: out of memory',
    });
    const lying = await v2Server({
      infer: (_, response) => {
        json(response, { outputs: [{ name: 'z', datatype: 'FP32', shape: [1], data: [1] }] });
        return true;
      },
    });
    await expect(benchServer(lying.url, QUICK)).rejects.toMatchObject({
      code: 'SO5103',
      message: 'The response lacks the output "y"',
    });
  });

  it.each([
    [{ batch: 0 }, 'SO1006'],
    [{ concurrency: [0] }, 'SO1006'],
    [{ concurrency: [1.5] }, 'SO1006'],
    [{ concurrency: [2], rate: 1, arrivals: 'constant' as const }, 'SO1002'],
    [{ rate: 0, arrivals: 'constant' as const }, 'SO1006'],
    [{ dims: new Map([['x:1', 7]]) }, 'SO1006'],
    [{ dims: new Map([['z:0', 7]]) }, 'SO1006'],
    [{ model: 'other' }, 'SO5104'],
  ])('refuses %j', async (options, code) => {
    const server = await v2Server();
    await expect(openServerBench(server.url, options)).rejects.toMatchObject({ code });
  });

  it('keeps what was measured when a signal comes', async () => {
    const controller = new AbortController();
    const server = await v2Server({
      infer: (_, __, count) => {
        if (count !== 200) return false;
        // Hangs; then the signal.
        setTimeout(() => controller.abort(), 20);
        return true;
      },
    });
    const report = await benchServer(server.url, { warmUpMs: 1, durationMs: 3_600_000 }, { signal: controller.signal });
    expect(report.interrupted).toBe(true);
    expect(report.configurations[0]?.latency?.runs).toBeGreaterThan(100);
    expect(report.configurations[0]?.latency?.failures).toBe(0);
  });

  it('lets go of the signal, whether it could measure or not', async () => {
    const { signal } = new AbortController();
    const server = await v2Server();
    await benchServer(server.url, { ...QUICK, durationMs: 50 }, { signal });
    await expect(benchServer(server.url, { model: 'other' }, { signal })).rejects.toMatchObject({ code: 'SO5104' });
    await expect(benchServer(server.url, { batch: 0 }, { signal })).rejects.toMatchObject({ code: 'SO1006' });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends at once when the signal comes while it connects', async () => {
    const controller = new AbortController();
    const server = await fakeServer(() => controller.abort());
    const measured = benchServer(`${server.url}/v2/models/m`, QUICK, { signal: controller.signal });
    await expect(measured).rejects.toMatchObject({ code: 'SO8130' });
  });

  it('names idle connections that were closed', async () => {
    const server = await v2Server({
      infer: (request, _, count) => {
        if (count < 5 || count % 7 !== 0) return false;
        request.socket.destroy();
        return true;
      },
    });
    const report = await benchServer(server.url, { warmUpMs: 1, durationMs: 60_000, maximumRequests: 50 });
    expect(report.warnings.join()).toContain('retried, since the server had closed idle connections');
    expect(report.configurations[0]?.latency?.failures).toBe(0);
  });
});

describe('what is sent', () => {
  it('is data in batches', async () => {
    const fed = new Set<string>();
    const server = await v2Server({
      infer: (_request, _response, _count, body) => {
        fed.add(JSON.stringify(JSON.parse(String(body)).inputs));
        return false;
      },
    });
    const path = join(folder(), 'rows.jsonl');
    writeFileSync(path, '{"x":[1,2]}\n{"x":[3,4]}\n{"x":[5,6]}\n');
    const bench = await openServerBench(server.url, { protocol: 'v2-http-json', dataPath: path, batch: 2 });
    expect(bench.source).toBe('rows.jsonl');
    const [configuration] = bench.configurations;
    await configuration?.warmUp(1);
    await configuration?.advance(20, 3);
    bench.abort();
    expect(configuration?.report()).toMatchObject({ batchSize: 2, inputs: [{ name: 'x', type: 'float[2,2]' }] });
    // The third row is no batch.
    expect([...fed].map((text) => JSON.parse(text))).toEqual([
      [{ name: 'x', shape: [2, 2], datatype: 'FP32', data: [1, 2, 3, 4] }],
    ]);
    await expect(openServerBench(server.url, { dataPath: path, batch: 4 })).rejects.toMatchObject({
      code: 'SO4002',
    });
  });

  it('has the chosen sizes of open dimensions', async () => {
    const metadata = {
      ...METADATA,
      inputs: [
        { name: 'ids', datatype: 'INT64', shape: [-1, -1] },
        { name: 'image', datatype: 'UINT8', shape: [-1, 3, -1, -1] },
        { name: 'mode', datatype: 'BYTES', shape: [1] },
      ],
    };
    const server = await v2Server({ metadata });
    const dims = new Map([
      ['ids:1', 5],
      ['image:2', 8],
    ]);
    const bench = await openServerBench(server.url, { batch: 2, dims });
    expect(bench.configurations[0]?.report()).toMatchObject({
      batchSize: 2,
      inputs: [
        { name: 'ids', type: 'int64[2,5]' },
        { name: 'image', type: 'uint8[2,3,8,64]' },
        { name: 'mode', type: 'string[1]' },
      ],
      dims: [
        { name: 'ids:1', size: 5 },
        { name: 'image:2', size: 8 },
        { name: 'image:3', size: 64 },
      ],
    });
    await expect(openServerBench(server.url, { dims: new Map([['ids:7', 5]]) })).rejects.toMatchObject({
      code: 'SO1006',
      hint: 'sizes are open for ids:0, ids:1, image:0, image:2, image:3',
    });
  });

  it('has no batch where all is fixed', async () => {
    const metadata = { ...METADATA, inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2] }] };
    const server = await v2Server({ metadata });
    await expect(openServerBench(server.url, { batch: 2 })).rejects.toMatchObject({ code: 'SO1006' });
    const bench = await openServerBench(server.url);
    expect(bench.configurations[0]?.rows).toBe(1);
  });

  it('is nothing where the server lists no inputs', async () => {
    const server = await v2Server({ metadata: { ...METADATA, inputs: [] } });
    await expect(openServerBench(server.url)).rejects.toMatchObject({ code: 'SO5103', why: 'its metadata lists none' });
  });

  it('is bodies as they are for TorchServe', async () => {
    const bodies = new Set<string>();
    const server = await fakeServer(async (request, response) => {
      if (request.url === '/ping') json(response, { status: 'Healthy' });
      else {
        bodies.add(`${request.headers['content-type']} ${await bodyOf(request)}`);
        json(response, { label: 1 });
      }
    });
    const path = folder();
    mkdirSync(join(path, 'more'));
    writeFileSync(join(path, 'a.jsonl'), '{"x":1}\n\n{"x":2}\n');
    writeFileSync(join(path, 'b.jpg'), 'JPEG');
    const url = `${server.url}/predictions/m`;
    const report = await benchServer(url, { ...COUNTED, dataPath: path });
    expect(report.configurations[0]).toMatchObject({ latency: { failures: 0 }, inputs: [{ name: 'body' }] });
    expect(bodies).toEqual(new Set(['application/json {"x":1}', 'application/json {"x":2}', 'image/jpeg JPEG']));
    await expect(benchServer(url, QUICK)).rejects.toMatchObject({
      code: 'SO1001',
      hint: expect.stringContaining('--data'),
    });
    const inputs = [{ name: 'x', dataType: DataType.FLOAT, shape: [undefined, 2], typeText: 'float[?,2]' }];
    await expect(openServerBench(url, { inputs })).resolves.toMatchObject({ source: 'synthetic' });
  });

  it('is prompts for completions, with tokens in the report', async () => {
    const prompts = new Set<string>();
    const server = await fakeServer(async (request, response) => {
      if (request.url === '/v1/models') json(response, { data: [{ id: 'small' }] });
      else {
        prompts.add((JSON.parse(String(await bodyOf(request))) as { prompt: string }).prompt);
        const piece = (text: string): string => `data: ${JSON.stringify({ choices: [{ text }] })}\n\n`;
        response.write(piece('a'));
        setImmediate(() => response.end(`${piece('b')}${piece('c')}data: [DONE]\n\n`));
      }
    });
    const url = `${server.url}/v1/completions`;
    const report = await benchServer(url, { ...COUNTED, promptWords: 3, budgets: [parseBudget('first-token=30s')] });
    const [configuration] = report.configurations;
    expect(configuration?.tokens?.total).toBe(3 * (configuration?.latency?.runs ?? 0));
    expect(configuration?.tokens?.firstTokenMs[0]?.ms).toBeGreaterThan(0);
    expect(configuration?.tokens?.firstTokenMs[0]?.ms).toBeLessThanOrEqual(configuration?.latency?.maxMs ?? 0);
    expect([...prompts].every((prompt) => prompt.split(' ').length === 3)).toBe(true);
    expect(prompts.size).toBe(8);

    prompts.clear();
    const path = join(folder(), 'prompts.jsonl');
    writeFileSync(path, '{"prompt":"one"}\n"two"\n{"text":"drei ü"}\n');
    await benchServer(url, { ...COUNTED, dataPath: path });
    expect(prompts).toEqual(new Set(['one', 'two', 'drei ü']));
    writeFileSync(path, '{"prompt":1}\n');
    await expect(openServerBench(url, { dataPath: path })).rejects.toMatchObject({ code: 'SO4001' });
  });
});
