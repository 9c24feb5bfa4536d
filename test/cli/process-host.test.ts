/** The program as a process: signals, closed pipes, full disks, its start-up. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { skipWhere } from '../helpers/skip-where.js';

const ROOT = dirname(dirname(import.meta.dirname));
const PROGRAM = join(ROOT, 'bin/serve-opt.js');
const HOST = pathToFileURL(join(ROOT, 'dist/cli/process-host.js')).href;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-opt-process-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a script that has the process host and says "ready". */
function startScript(name: string, body: string): Promise<ChildProcess> {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, `import { createProcessHost } from '${HOST}';\nconst host = createProcessHost();\n${body}`);
  const child = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.stdout?.once('data', () => resolve(child));
  });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

describe('signals', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 143],
  ] as const)('%s lets a workflow clean up and ends with %d', async (signal, code) => {
    const child = await startScript(
      `clean-${signal}`,
      `host.context.signal.addEventListener('abort', () => {
         setTimeout(() => host.exit(host.context.signal.reason.exitCode), 50);
       });
       setInterval(() => {}, 1000);
       console.log('ready');`,
    );
    const exit = exitOf(child);
    child.kill(signal);
    expect(await exit).toBe(code);
  });

  it('ends a workflow that does not react, within its grace', async () => {
    const child = await startScript('stuck', `setInterval(() => {}, 1000); console.log('ready');`);
    const exit = exitOf(child);
    child.kill('SIGINT');
    expect(await exit).toBe(130);
  });

  it('ends at once on the second signal', async () => {
    const child = await startScript(
      'twice',
      `host.context.signal.addEventListener('abort', () => console.log('first'));
       setInterval(() => {}, 1000);
       console.log('ready');`,
    );
    const exit = exitOf(child);
    const first = new Promise((resolve) => child.stdout?.once('data', resolve));
    child.kill('SIGTERM');
    await first;
    child.kill('SIGTERM');
    expect(await exit).toBe(143);
  });
});

describe('streams', () => {
  it('is quiet when the reader of its answer goes away', () => {
    // Without pipefail the shell answers head's code; the program's own is printed to stderr.
    const script = `{ '${process.execPath}' '${PROGRAM}' completion zsh; echo "code $?" >&2; } | true`;
    const { stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    expect(stderr).toBe('code 0\n');
  });

  skipWhere(!existsSync('/dev/full'), 'this system has no /dev/full').it('takes no short write for a whole one', () => {
    const script = `ulimit -f 1; trap '' XFSZ; '${process.execPath}' '${PROGRAM}' completion zsh > '${join(folder, 'short')}'`;
    const { status, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    expect(stderr).toContain('SO6001');
    expect(status).toBe(1);
  });

  skipWhere(!existsSync('/dev/full'), 'this system has no /dev/full').it(
    'says so when its answer cannot be written',
    () => {
      const { status, stderr } = spawnSync('bash', ['-c', `'${process.execPath}' '${PROGRAM}' --help > /dev/full`], {
        encoding: 'utf8',
      });
      expect(stderr).toContain('SO6001');
      expect(status).toBe(1);
    },
  );

  it('writes a long answer whole into a slow pipe', () => {
    const script = `'${process.execPath}' '${PROGRAM}' completion zsh | { sleep 0.3; wc -l; }`;
    const { stdout } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    expect(Number(stdout)).toBeGreaterThan(50);
  });
});

describe('what nobody caught', () => {
  it('is reported as a bug, with versions and without a stack', async () => {
    const child = await startScript(
      'bug',
      `console.log('ready'); setTimeout(() => { throw new TypeError('odd'); }, 10);`,
    );
    const exit = exitOf(child);
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += String(chunk);
    });
    const closed = new Promise((resolve) => child.once('close', resolve));
    expect(await exit).toBe(70);
    await closed;
    expect(stderr).toContain('SO9001 TypeError: odd');
    expect(stderr).toContain('versions: serve-opt');
    expect(stderr).not.toContain('    at ');
  });
});

describe('an end without an answer', () => {
  it('is reported, with the exit code of a bug', async () => {
    const child = await startScript('silent', `console.log('ready'); await new Promise(() => {});`);
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += String(chunk);
    });
    const closed = new Promise((resolve) => child.once('close', resolve));
    expect(await exitOf(child)).toBe(70);
    await closed;
    expect(stderr).toContain('SO9001 the program ended without a result');
  });

  it('says why where the working directory was removed', () => {
    const gone = join(folder, 'gone');
    const script = `mkdir -p '${gone}'; cd '${gone}'; rmdir '${gone}'; '${process.execPath}' '${PROGRAM}'`;
    const help = spawnSync('bash', ['-c', `${script} --help`], { encoding: 'utf8' });
    expect([help.status, help.stderr]).toEqual([0, '']);
    const inspect = spawnSync('bash', ['-c', `${script} inspect m.onnx`], { encoding: 'utf8' });
    expect(inspect.stderr).toContain('The working directory does not exist any more');
    expect(inspect.status).toBe(3);
  });
});

describe('start-up', () => {
  it.each([['--help'], ['--version'], ['quantize --help']])('%s loads no package', (words) => {
    const trace = join(folder, 'trace.mjs');
    writeFileSync(
      trace,
      `import { register } from 'node:module';
       register('data:text/javascript,' + encodeURIComponent(\`
         import { writeSync } from 'node:fs';
         export async function resolve(specifier, context, next) {
           const result = await next(specifier, context);
           if (result.url.includes('/node_modules/')) writeSync(2, 'LOADED ' + result.url + '\\\\n');
           return result;
         }\`));`,
    );
    const { stderr, status } = spawnSync(
      process.execPath,
      ['--import', pathToFileURL(trace).href, PROGRAM, ...words.split(' ')],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
