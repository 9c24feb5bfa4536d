/** A run that is killed at any moment leaves nothing half-written. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/tensor/random.js';
import { writeChain } from '../helpers/small-models.js';
import { listing, makeParent, makePlace, type Outcome, outcomeOf, type Place, ROOT, run, start } from './program.js';

/** Runs at once: more would only measure how they wait for each other. */
const AT_ONCE = 2;

interface Job {
  readonly name: string;
  readonly modelFile: () => string;
  readonly words: readonly string[];
}

let parent = '';
beforeAll(async () => {
  parent = makeParent();
  await writeChain(join(parent, 'chain.onnx'), 3, 1024);
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const fixture = join(ROOT, 'fixtures', 'digits-mlp');

/** Most of the first is ONNX Runtime at work; most of the second is reading, converting and writing; the third is both. */
const JOBS: readonly Job[] = [
  {
    name: 'quantize with samples',
    modelFile: () => join(fixture, 'model.onnx'),
    words: ['quantize', 'model.onnx', '-o', 'out.onnx', '--data', join(fixture, 'calib.npz'), '--samples', '64'],
  },
  {
    name: 'quantize without running the result',
    modelFile: () => join(parent, 'chain.onnx'),
    words: ['quantize', 'model.onnx', '-o', 'out.onnx', '--no-verify'],
  },
  {
    name: 'optimize',
    modelFile: () => join(ROOT, 'fixtures', 'kws-dscnn', 'model.onnx'),
    words: ['optimize', 'model.onnx', '-o', 'out.onnx', '--no-speed-gate'],
  },
];

interface Killed {
  readonly place: Place;
  readonly outcome: Outcome;
  /** Whether it still ran when the signal was sent. */
  readonly wasAlive: boolean;
  readonly afterMs: number;
}

/** Starts a run in a place of its own and sends the signal after a while. */
async function kill(job: Job, signal: NodeJS.Signals, afterMs: number, old: string | undefined): Promise<Killed> {
  const place = makePlace(parent, job.modelFile());
  if (old !== undefined) writeFileSync(join(place.folder, 'out.onnx'), old);
  const child = start(place, old === undefined ? job.words : [...job.words, '--force']);
  const ended = outcomeOf(child);
  await Promise.race([sleep(afterMs), ended]);
  const wasAlive = child.exitCode === null && child.kill(signal);
  const outcome = await ended;
  return { place, outcome, wasAlive, afterMs };
}

describe.each(JOBS)('$name', (job) => {
  let expected: Buffer;
  let wholeMs = 0;
  beforeAll(async () => {
    const place = makePlace(parent, job.modelFile());
    const startedAt = performance.now();
    const { code, stderr } = await run(place, job.words);
    wholeMs = performance.now() - startedAt;
    expect(stderr).not.toContain('✗');
    expect(code).toBe(0);
    expect(listing(place.folder)).toEqual(['model.onnx', 'out.onnx', 'out.report.json']);
    expect(listing(place.temporary)).toEqual([]);
    expected = readFileSync(join(place.folder, 'out.onnx'));
  });

  /** Kills runs at seeded points of their time, some over an old output, and looks at each. */
  async function killMany(signal: NodeJS.Signals, count: number, judge: (killed: Killed, old?: string) => void) {
    const random = createRandom(count, signal.length);
    const points = Array.from({ length: count }, (_, index) => ({
      afterMs: ((index + random.float()) / count) * wholeMs,
      old: index % 2 === 0 ? undefined : 'what was there before',
    }));
    const worker = async (): Promise<void> => {
      for (let point = points.pop(); point; point = points.pop()) {
        const killed = await kill(job, signal, point.afterMs, point.old);
        judge(killed, point.old);
        rmSync(join(killed.place.folder, '..'), { recursive: true });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /** What stands under the final name is what was there before, or the whole result. */
  function expectWhole({ place, afterMs }: Killed, old: string | undefined): void {
    const visible = listing(place.folder).filter((name) => !name.startsWith('.'));
    const out = visible.includes('out.onnx') ? readFileSync(join(place.folder, 'out.onnx')) : undefined;
    const state = out === undefined ? 'nothing' : out.equals(expected) ? 'whole' : out.toString('latin1').slice(0, 40);
    expect([old ?? 'nothing', 'whole'], `after ${afterMs} ms`).toContain(state);
    if (visible.includes('out.report.json'))
      expect(() => JSON.parse(readFileSync(join(place.folder, 'out.report.json'), 'utf8'))).not.toThrow();
    expect(visible.filter((name) => !['model.onnx', 'out.onnx', 'out.report.json'].includes(name))).toEqual([]);
    expect(readFileSync(join(place.folder, 'model.onnx')).equals(readFileSync(job.modelFile()))).toBe(true);
  }

  it.each([
    ['SIGINT', 130, 20],
    ['SIGTERM', 143, 8],
  ] as const)('%s ends it with %d and without a trace', async (signal, code, count) => {
    const [interrupted, finished] = [{ count: 0 }, { count: 0 }];
    await killMany(signal, count, (killed, old) => {
      const { place, outcome, wasAlive, afterMs } = killed;
      const { stderr } = outcome;
      expectWhole(killed, old);
      if (wasAlive) (outcome.code === 0 ? finished : interrupted).count++;
      expect(
        listing(place.folder).filter((name) => name.startsWith('.')),
        `after ${afterMs} ms`,
      ).toEqual([]);
      expect(listing(place.temporary), `after ${afterMs} ms: ${stderr}`).toEqual([]);
      // Before the program has begun, the signal itself ends the process; a shell calls that the same code.
      expect([code, 0], stderr).toContain(outcome.signal === signal ? code : outcome.code);
      if (outcome.code === 0) expect(listing(place.folder)).toEqual(['model.onnx', 'out.onnx', 'out.report.json']);
      expect(stderr).not.toMatch(/\n {4}at /);
    });
    // A run may be past its last step when the signal comes, but one that is deaf always finishes.
    expect(finished.count).toBeLessThanOrEqual(interrupted.count);
  });

  it('SIGKILL leaves at most hidden temporary files', async () => {
    await killMany('SIGKILL', 20, (killed, old) => {
      expectWhole(killed, old);
      for (const name of listing(killed.place.folder).filter((each) => each.startsWith('.')))
        expect(name).toMatch(/^\.out\.(onnx|report\.json)\.\d+-[0-9a-z]+-[0-9a-f]{8}-[0-9a-f]{12}\.tmp$/);
      for (const name of listing(killed.place.temporary)) expect(name).toMatch(/^serve-opt-/);
    });
  });
});
