/** Whatever a server does: `bench --url` ends, with a documented exit code, words, and none of its secrets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { BODIES, HOSTILE_SERVERS, SERVER_ERROR_CODES } from '../helpers/hostile-servers/all.js';
import type { HostileServerKind } from '../helpers/hostile-servers/kind.js';
import { run, UNSAFE } from '../hostile/run.js';

const folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
const bodies = join(folder, 'bodies.jsonl');
writeFileSync(bodies, '{"a":1}\n{"a":2}\n');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Long enough that a busy machine hears a sound server. */
const LIMITS = ['--timeout', '1s', '--max-time', '20s', '--duration', '100ms'];

interface Document {
  readonly ok: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  readonly result?: {
    readonly configurations: readonly { readonly error?: { readonly code: string } }[];
  };
}

/** Attacks under load are measured apart: each takes the time of a measurement. */
function isQuick({ name }: HostileServerKind): boolean {
  return !name.endsWith('under load') || UNDER_LOAD.some((what) => name.includes(what));
}

/** The long suite runs the others. */
const UNDER_LOAD = ['says nothing', 'closes the connection', 'one byte without end', 'promises 4 GiB', 'goes away'];

describe('bench --url ends in order', () => {
  it.each(HOSTILE_SERVERS.filter(isQuick).map((kind) => [kind.name, kind] as const))('against %s', async (_, kind) => {
    const server = await kind.start();
    onTestFinished(() => server.close());
    const args = (kind.args ?? []).map((word) => (word === BODIES ? bodies : word));
    const { exitCode, stdout, stderr } = await run('bench', '--url', server.url, ...LIMITS, ...args, '--json');
    const text = stdout + stderr;
    expect(text).not.toMatch(UNSAFE);
    if (kind.secret !== undefined) expect(text).not.toContain(kind.secret);
    const document = JSON.parse(stdout) as Document;
    const code = document.error?.code ?? document.result?.configurations.find(({ error }) => error)?.error?.code;
    expect(kind.exitCodes ?? [1], text.slice(0, 2000)).toContain(exitCode);
    expect(document.ok).toBe(exitCode === 0);
    if (exitCode !== 0) expect([...SERVER_ERROR_CODES, ...(kind.errorCodes ?? [])]).toContain(code);
    expect(text.length).toBeLessThan(1_000_000);
  });
});
