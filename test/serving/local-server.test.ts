import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { heldLeftovers } from '../../src/leftovers.js';
import { freePorts, LocalServer } from '../../src/serving/local-server.js';

const LIMIT_MS = 60_000;

function server(script: string, graceMs = 300): LocalServer {
  const started = new LocalServer({
    name: 'the server',
    program: '/bin/sh',
    parameters: ['-c', script],
    folder: tmpdir(),
    graceMs,
  });
  onTestFinished(() => started.stop());
  return started;
}

/** The process id that a script prints after `word`. */
async function printed(started: LocalServer, word: string): Promise<number> {
  const found = (): string | undefined => new RegExp(`${word} (\\d+)\n`).exec(started.output)?.[1];
  await started.waitUntilUp(async () => found() !== undefined, LIMIT_MS);
  return Number(found());
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until a process is gone: killing is asynchronous. */
async function gone(pid: number): Promise<boolean> {
  const limit = Date.now() + LIMIT_MS;
  while (isAlive(pid) && Date.now() < limit) await sleep(20);
  return !isAlive(pid);
}

describe('a server that is started for a run', () => {
  it('ends with the processes that it started', async () => {
    const started = server('sleep 600 & echo child $!; wait');
    const child = await printed(started, 'child');
    await started.stop();
    expect(await gone(child)).toBe(true);
  });

  it('is told to end before it is killed', async () => {
    const started = server(`trap 'echo ending; exit 0' TERM; echo up 1; while :; do sleep 0.05; done`, LIMIT_MS);
    await printed(started, 'up');
    await started.stop();
    expect(started.output).toContain('ending');
    expect(started.ended).toBe('with exit code 0');
  });

  it('is killed where it does not end', async () => {
    const started = server(`trap '' TERM; echo up $$; while :; do sleep 0.05; done`);
    const pid = await printed(started, 'up');
    await started.stop();
    expect(await gone(pid)).toBe(true);
  });

  it('is killed where it is stopped', async () => {
    const started = server('echo up $$; kill -STOP $$; sleep 600');
    const pid = await printed(started, 'up');
    await started.stop();
    expect(await gone(pid)).toBe(true);
  });

  it('is a leftover of the process, as a group, for as long as it runs', async () => {
    const groups = (): number[] =>
      heldLeftovers().flatMap((each) => (each.kind === 'process' && each.pid < 0 ? [each.pid] : []));
    const before = groups().length;
    const started = server('echo up $$; sleep 600');
    await printed(started, 'up');
    expect(groups()).toHaveLength(before + 1);
    await started.stop();
    expect(groups()).toHaveLength(before);
  });

  it('is reported with its last lines where it ends before it is ready', async () => {
    const started = server('echo the port is taken >&2; exit 3');
    await expect(started.waitUntilUp(async () => false, LIMIT_MS)).rejects.toMatchObject({
      code: 'SO5106',
      message: 'the server ended with exit code 3 before it was ready',
      why: 'the port is taken',
    });
  });

  it('is reported where it is not ready in time', async () => {
    const started = server('echo loading; sleep 600');
    await printed(server('echo up 1; sleep 600'), 'up');
    await expect(started.waitUntilUp(async () => false, 1)).rejects.toMatchObject({ code: 'SO5106' });
  });

  it('is reported where the program does not exist', async () => {
    const started = new LocalServer({ name: 'it', program: '/nowhere/server', parameters: [], folder: tmpdir() });
    onTestFinished(() => started.stop());
    await expect(started.waitUntilUp(async () => false, LIMIT_MS)).rejects.toMatchObject({
      code: 'SO5106',
      message: 'it ended with exit code 127 before it was ready',
      why: expect.stringContaining('/nowhere/server'),
    });
  });

  it('stops waiting when the run is interrupted', async () => {
    const started = server('sleep 600');
    await expect(started.waitUntilUp(async () => false, LIMIT_MS, AbortSignal.abort())).rejects.toMatchObject({
      code: 'SO8130',
    });
  });

  it('ends when the process that started it is killed', async () => {
    const code = `
      import { LocalServer } from ${JSON.stringify(new URL('../../dist/serving/local-server.js', import.meta.url).href)};
      const started = new LocalServer({ name: 's', program: '/bin/sh', parameters: ['-c', 'echo up $$; sleep 600'], folder: '/' });
      await started.waitUntilUp(async () => started.output.includes('up'), ${LIMIT_MS});
      process.stdout.write(started.output);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const text = await new Promise<string>((resolve) =>
      parent.stdout.once('data', (data: Buffer) => resolve(String(data))),
    );
    const pid = Number(/up (\d+)/.exec(text)?.[1]);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    expect(await gone(pid)).toBe(true);
  });
});

describe('freePorts', () => {
  it('gives ports that differ', async () => {
    const ports = await freePorts(8);
    expect(new Set(ports).size).toBe(8);
    expect(ports.every((port) => port > 0 && port < 65536)).toBe(true);
  });
});
