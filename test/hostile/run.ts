import { tmpdir } from 'node:os';
import { PassThrough } from 'node:stream';
import type { CliContext } from '../../src/cli/context.js';
import { main } from '../../src/cli/main.js';

/** Anything a terminal or log could act on. Line ends and tabs are the program's own. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters must not come through.
export const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

/** What the program answered, and what of this process that took. */
export interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly cpuMs: number;
}

/** Runs the program inside of this process. */
export async function run(...argv: string[]): Promise<Answer> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const texts = ['', ''];
  [stdout, stderr].forEach((stream, i) => {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      texts[i] += piece;
    });
  });
  const context: CliContext = {
    stdout,
    stderr,
    env: {},
    cwd: tmpdir(),
    signal: new AbortController().signal,
    versions: { serveOpt: '0', node: '0', platform: 'test' },
  };
  const start = process.cpuUsage();
  const exitCode = await main(argv, context);
  const { user, system } = process.cpuUsage(start);
  await new Promise((resolve) => setImmediate(resolve));
  return { exitCode, stdout: texts[0] ?? '', stderr: texts[1] ?? '', cpuMs: (user + system) / 1000 };
}
