/** Packaging is killed at random moments: the repository is as before or complete, and the next run sweeps what is left. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModel, writeModel } from '../../../src/index.js';
import { createRandom } from '../../../src/tensor/random.js';
import { writeChain } from '../../helpers/small-models.js';

const PROGRAM = join(dirname(dirname(dirname(import.meta.dirname))), 'bin/serve-opt.js');
const KILLER = join(dirname(dirname(import.meta.dirname)), 'helpers/kill-at-call.mjs');
const KILLS = 24;

let folder = '';
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(async () => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'serve-opt-killed-'));
  await writeChain(at('inner.onnx'), 2, 1024);
  const model = await readModel(at('inner.onnx'));
  await writeModel(model, at('m.onnx'), { externalData: 'always' });
  model.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const words = (repository: string, more: readonly string[]): string[] => [
  ...[PROGRAM, 'package', 'triton', at('m.onnx'), '-o', repository, '-q', '--no-verify'],
  ...more,
];

/** What stands in a folder: paths with the sizes of files. */
function listing(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const full = join(entry.parentPath, entry.name);
      return `${relative(path, full)}${entry.isFile() ? ` ${readFileSync(full).byteLength}` : '/'}`;
    })
    .filter((line) => !line.startsWith('.'))
    .sort();
}

/** Runs the program and kills it after a time; whether it had ended before. */
async function runKilled(args: readonly string[], afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const ended = new Promise<boolean>((resolve) => {
    child.once('close', (code) => resolve(code === 0));
  });
  await Promise.race([sleep(afterMs), ended]);
  child.kill('SIGKILL');
  return ended;
}

describe('packaging that is killed', () => {
  it.each([
    ['a new repository', [], []],
    ['another version', [], ['--version', '2']],
    ['a version that is replaced', ['--version', '1'], ['--force']],
  ] as const)('leaves %s as it was or complete, and the next run sweeps', async (name, first, more) => {
    const random = createRandom(name.length);
    const isNew = more.length === 0;
    const place = (index: number): string => {
      const parent = at(`${name.replaceAll(' ', '-')}-${index}`);
      mkdirSync(parent);
      if (!isNew) spawnSync(process.execPath, words(join(parent, 'models'), first));
      return parent;
    };
    // How long a whole run takes here, and what it leaves.
    const whole = place(0);
    const before = listing(whole);
    const started = performance.now();
    expect(spawnSync(process.execPath, words(join(whole, 'models'), more)).status).toBe(0);
    const wallMs = performance.now() - started;
    const after = listing(whole);
    expect(after.length).toBeGreaterThan(0);
    for (let kill = 1; kill <= KILLS / 3; kill++) {
      const parent = place(kill);
      const done = await runKilled(
        words(join(parent, 'models'), more),
        ((kill - 1 + random.float()) / (KILLS / 3)) * wallMs * 1.1,
      );
      const found = listing(parent);
      expect([before, after]).toContainEqual(found);
      if (done) expect(found).toEqual(after);
      // Whatever was there, the next run with force completes it and leaves nothing hidden.
      const next = spawnSync(process.execPath, words(join(parent, 'models'), [...more, '--force']));
      expect(next.status).toBe(0);
      expect(listing(parent)).toEqual(after);
      expect(readdirSync(parent)).toEqual(['models']);
      expect(readdirSync(join(parent, 'models'))).toEqual(['m']);
      rmSync(parent, { recursive: true });
    }
  });

  it('leaves a configuration and a version that change together as they were, or both new', () => {
    const parent = at('together');
    mkdirSync(parent);
    const run = (more: readonly string[], env: NodeJS.ProcessEnv = {}): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, words(join(parent, 'models'), more), { env: { ...process.env, ...env } });
    const change = ['--version', '2', '--max-batch', '16', '--force'];
    expect(run([]).status).toBe(0);
    const before = listing(join(parent, 'models/m'));
    let renames = 0;
    for (; ; renames++) {
      expect(renames).toBeLessThan(10);
      const { signal, status } = run(change, {
        NODE_OPTIONS: `--import ${pathToFileURL(KILLER).href}`,
        KILL_AT_RENAME: String(renames),
      });
      if (signal === null) {
        expect(status).toBe(0);
        break;
      }
      // The next run brings it back, even one that is refused.
      expect(run(['--name', 'm', '--version', '1']).status).toBe(2);
      expect(listing(join(parent, 'models/m'))).toEqual(before);
      expect(readdirSync(parent)).toEqual(['models']);
    }
    expect(renames).toBeGreaterThan(1);
    expect(listing(join(parent, 'models/m'))).not.toEqual(before);
    expect(readFileSync(join(parent, 'models/m/config.pbtxt'), 'utf8')).toContain('max_batch_size: 16');
  });
});
