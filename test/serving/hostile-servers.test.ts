/** Whatever a server does: `bench --url` ends, with a documented exit code, words, and none of its secrets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BODIES, HOSTILE_SERVERS, SERVER_ERROR_CODES } from '../helpers/hostile-servers/all.js';
import type { HostileServerKind } from '../helpers/hostile-servers/kind.js';
import { run, UNSAFE } from '../hostile/run.js';

const folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
const bodies = join(folder, 'bodies.jsonl');
writeFileSync(bodies, '{"a":1}\n{"a":2}\n');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LIMITS = ['--max-time', '20s', '--duration', '100ms'];

/** A server that is to be understood gets the time for it on a busy machine; of others a timeout is as good an end. */
function timeoutOf({ exitCodes = [1] }: HostileServerKind): string {
  return exitCodes.some((code) => code !== 1) ? '5s' : '400ms';
}

interface Document {
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  readonly result?: {
    readonly configurations: readonly { readonly error?: { readonly code: string } }[];
  };
}

/** Of attacks under load, which take the time of a measurement. */
const UNDER_LOAD = ['says nothing', 'closes the connection', 'one byte without end', 'promises 4 GiB', 'goes away'];

/** Attacks at the first response, some of them at the first inference and under load. */
const QUICK = HOSTILE_SERVERS.filter(({ name }, index) =>
  name.endsWith('under load')
    ? UNDER_LOAD.some((what) => name.includes(what))
    : name.endsWith('at the first inference')
      ? index % 3 === 0
      : true,
);

describe('bench --url ends in order', () => {
  it.concurrent.each(QUICK.map((kind) => [kind.name, kind] as const))('against %s', async (_, kind) => {
    const server = await kind.start();
    try {
      const args = (kind.args ?? []).map((word) => (word === BODIES ? bodies : word));
      const limits = ['--timeout', timeoutOf(kind), ...LIMITS];
      const { exitCode, stdout, stderr } = await run('bench', '--url', server.url, ...limits, ...args, '--json');
      const text = stdout + stderr;
      expect(text).not.toMatch(UNSAFE);
      if (kind.secret !== undefined) expect(text).not.toContain(kind.secret);
      const document = JSON.parse(stdout) as Document;
      const code = document.error?.code ?? document.result?.configurations.find(({ error }) => error)?.error?.code;
      expect(kind.exitCodes ?? [1], text.slice(0, 2000)).toContain(exitCode);
      expect(document.ok).toBe(exitCode === 0);
      if (exitCode !== 0) expect([...SERVER_ERROR_CODES, ...(kind.errorCodes ?? [])]).toContain(code);
      expect(text.length).toBeLessThan(1_000_000);
    } finally {
      await server.close();
    }
  });
});
