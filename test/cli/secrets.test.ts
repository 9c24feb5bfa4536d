/** A secret of a URL or a header occurs in no byte of any output, however wrong the command line is. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../hostile/run.js';

const SECRET = 'hunter2secret';
const FREE = 'http://127.0.0.1:1/v2/models/m';

const COMMANDS: readonly (readonly string[])[] = [
  ['bench', '--url', `http://user:${SECRET}@[bad/`],
  ['bench', '--url', `http://user:${SECRET}@127.0.0.1:1/v2/models/m`],
  ['bench', `--url=http://user:${SECRET}@127.0.0.1:1/v2/models/m`],
  ['bench', '--url', `http://${SECRET}@127.0.0.1:1/`],
  ['bench', '--url', `http://user:a/b?c#${SECRET}@127.0.0.1:1/`],
  ['bench', '--url', `http://user:${SECRET}%40127.0.0.1/`],
  ['bench', '--url', `http:user:${SECRET}@127.0.0.1`],
  ['bench', '--url', `http:\\\\user:${SECRET}@127.0.0.1`],
  ['bench', '--url', `user:${SECRET}@127.0.0.1:8000`],
  ['bench', '--url', `ftp://user:${SECRET}@127.0.0.1/`],
  ['bench', '--url', `http://user:${SECRET}@127.0.0.1:99999/`],
  ['bench', '--url', `http://user:${SECRET}`],
  ['bench', '--url', `grpcs://user:${SECRET}@`],
  ['bench', '--url', `${FREE}?token=${SECRET}`],
  ['bench', '--url', `${FREE}?x=1&sig=${SECRET}#y`],
  ['bench', '--url', `${FREE}#${SECRET}`],
  ['bench', '--url', `http://[bad/?key=${SECRET}`],
  ['bench', '--url', `?password=${SECRET}`],
  ['bench', '--url', FREE, '--header', `Authorization: Bearer ${SECRET}`],
  ['bench', '--url', FREE, '--header', `Authorization Bearer ${SECRET}`],
  ['bench', '--url', FREE, '--header', SECRET],
  ['bench', '--url', FREE, '--header', `: ${SECRET}`],
  ['bench', '--url', FREE, '--header', `X Key: ${SECRET}`],
  ['bench', '--url', FREE, '--header', `X-Key: ${SECRET}\r\nHost: x`],
  ['bench', '--url', FREE, '--header', `Host: ${SECRET}`],
  ['bench', '--url', FREE, '--header', `Authorization=${SECRET}`],
  ['bench', '--url', FREE, '--header', 'X-Api-Key:', SECRET],
  ['bench', '--url', FREE, '--header', 'Authorization:', 'Bearer', SECRET],
  ['bench', '--url', FREE, '--header', '--header', `X-Key: ${SECRET}`],
  ['bench', '--url', FREE, `--heder=Authorization: Bearer ${SECRET}`],
  ['bench', '--url', FREE, '--heder', `Authorization: Bearer ${SECRET}`],
  ['bench', '--url', FREE, '--protocol', `http://user:${SECRET}@host`],
  ['bench', '--url', FREE, '--timeout', `http://user:${SECRET}@host`],
  ['bench', '--url', FREE, `Authorization: Bearer ${SECRET}`],
  ['bench', '--urls', `http://user:${SECRET}@host/`],
  ['bench', `--urls=http://user:${SECRET}@host/`],
  ['bench', `http://user:${SECRET}@127.0.0.1:1/m.onnx`],
  ['bench', 'm.onnx', '--baseline', `http://user:${SECRET}@host/b.json`],
  ['inspect', `--header=Authorization: ${SECRET}`],
  ['inspect', `https://host/m.onnx?X-Amz-Signature=${SECRET}`],
  [`--url=http://user:${SECRET}@host`, 'bench'],
  [`http://user:${SECRET}@host`],
];

describe('a secret', () => {
  it.each(COMMANDS.map((argv) => [argv.join(' ').replaceAll(SECRET, 'SECRET'), argv] as const))(
    'does not come out of %s',
    async (_, argv) => {
      const folder = mkdtempSync(join(tmpdir(), 'serve-opt-test-'));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      for (const more of [[], ['--json'], ['--debug', '-v'], ['--json', '--debug']]) {
        const reports =
          argv[0] === 'bench' ? ['r.json', 'r.html'].flatMap((name) => ['--report', join(folder, name)]) : [];
        const { exitCode, stdout, stderr } = await run(...argv, ...reports, ...more);
        const written = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
        expect(exitCode).not.toBe(0);
        expect(exitCode).not.toBe(70);
        expect([stdout, stderr, ...written].join('\n')).not.toContain(SECRET);
      }
    },
  );
});
