/** Interrupts at any moment, on a busy machine: a word, an exit code, no trace, and never a torn file. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../src/tensor/random.js';
import { modelFiles, print, Suite } from '../conformance/suite.js';
import { besideBusyLoops } from './busy-loops.js';
import { eachAtOnce, type Hold } from './context.js';
import { complaints, settle } from './judge.js';
import { preloaded } from './preloads.js';
import { listing, makePlace, type Outcome, type Place, removePlace, run, start } from './run.js';

const RUNS = 100;
const BUSY_LOOPS = 4;
/** Runs at once; the busy loops are what makes the machine slow. */
const AT_ONCE = 2;
/** How long the program may take to end after a signal on a quiet machine, in milliseconds. */
const ENDS_WITHIN_MS = 1000;

interface Ending {
  readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL';
  readonly code: number | null;
  readonly word: string;
}

const ENDINGS: readonly Ending[] = [
  { signal: 'SIGINT', code: 130, word: 'Interrupted' },
  { signal: 'SIGTERM', code: 143, word: 'Terminated' },
  { signal: 'SIGKILL', code: null, word: '' },
];

interface Job {
  readonly name: string;
  readonly model: string;
  readonly words: readonly string[];
  /** What a whole run leaves in its folder. */
  readonly files: readonly string[];
}

/** What a quiet run gives, to hold others against. */
interface Whole {
  readonly wallMs: number;
  readonly output: Buffer;
}

const OLD = 'what was there before';

export async function signalsPart(hold: Hold): Promise<Suite[]> {
  const suites: Suite[] = [];
  for (const job of jobs(hold)) {
    const suite = new Suite(`signals at any moment, ${BUSY_LOOPS} busy loops beside: ${job.name}`);
    suites.push(suite);
    await besideBusyLoops(hold, BUSY_LOOPS, (slowed) => interruptMany(slowed, suite, job));
    suite.close();
  }
  return suites;
}

/** On minilm where a folder given has it; else on the fixtures. */
function jobs(hold: Hold): readonly Job[] {
  const language = hold.folders.flatMap(modelFiles).find((path) => /minilm[^/]*\/model\.onnx$/.test(path));
  const [samples, quantized, optimized] =
    language === undefined
      ? [
          fixture(hold, 'digits-mlp', 'calib.npz'),
          fixture(hold, 'digits-mlp', 'model.onnx'),
          fixture(hold, 'kws-dscnn', 'model.onnx'),
        ]
      : [join(language, '..', 'calib.npz'), language, language];
  return [
    {
      name: 'quantize --report',
      model: quantized,
      words: ['quantize', 'model.onnx', '-o', 'out.onnx', '--data', samples, '--report', 'r.html'],
      files: ['model.onnx', 'out.onnx', 'out.report.json', 'r.html'],
    },
    {
      name: 'optimize',
      model: optimized,
      // The speed gate may give another result on each run, so torn could not be told from different.
      words: ['optimize', 'model.onnx', '-o', 'out.onnx', '--no-speed-gate'],
      files: ['model.onnx', 'out.onnx', 'out.report.json'],
    },
  ];
}

function fixture(hold: Hold, ...names: string[]): string {
  return join(hold.root, 'fixtures', ...names);
}

async function interruptMany(hold: Hold, suite: Suite, job: Job): Promise<void> {
  const whole = await runWhole(hold, suite, job);
  if (whole === undefined) return;
  const count = hold.count ?? RUNS;
  const random = createRandom(count);
  const points = Array.from({ length: count }, (_, index) => ({
    ending: ENDINGS[index % ENDINGS.length] as Ending,
    hasOld: index % 2 === 0,
    afterMs: ((index + random.float()) / count) * whole.wallMs,
  }));
  const early = { count: 0 };
  await eachAtOnce(points, AT_ONCE, async ({ ending, hasOld, afterMs }) => {
    const place = makePlace(hold);
    await interrupt(hold, suite, job, whole, place, { ending, hasOld, afterMs }, early);
    removePlace(place);
  });
  print(
    `a whole run takes ${(whole.wallMs / 1000).toFixed(1)} s; ${early.count} signals came before the program had begun`,
  );
}

async function runWhole(hold: Hold, suite: Suite, job: Job): Promise<Whole | undefined> {
  const place = makePlace(hold);
  copyFileSync(job.model, join(place.folder, 'model.onnx'));
  const outcome = await run(hold, place, job.words, { limitMs: 300_000 });
  const wrong = complaints(outcome, { codes: [0] });
  const files = listing(place.folder);
  if (files.join() !== job.files.join()) wrong.push(`leaves ${files.join(' ')}`);
  settle(suite, 'a run that nobody interrupts', outcome, wrong);
  const output = wrong.length > 0 ? undefined : readFileSync(join(place.folder, 'out.onnx'));
  removePlace(place);
  return output && { wallMs: outcome.wallMs, output };
}

interface Point {
  readonly ending: Ending;
  readonly hasOld: boolean;
  readonly afterMs: number;
}

async function interrupt(
  hold: Hold,
  suite: Suite,
  job: Job,
  whole: Whole,
  place: Place,
  { ending, hasOld, afterMs }: Point,
  early: { count: number },
): Promise<void> {
  copyFileSync(job.model, join(place.folder, 'model.onnx'));
  const old = hasOld ? ['out.onnx', 'out.report.json', 'r.html'].filter((name) => job.files.includes(name)) : [];
  for (const name of old) writeFileSync(join(place.folder, name), OLD);
  const ready = join(place.base, 'ready');
  const { child, ended } = start(hold, place, hasOld ? [...job.words, '--force'] : job.words, {
    limitMs: 300_000,
    environment: { ...preloaded(hold, 'helpers/tell-ready.cjs'), SERVE_OPT_TEST_READY: ready },
  });
  await Promise.race([sleep(afterMs), ended]);
  // Before the program has its handlers the signal itself ends the process, as it ends any other.
  const hears = existsSync(ready);
  const sentAt = performance.now();
  const exited = new Promise<number>((resolve) => child.once('exit', () => resolve(performance.now() - sentAt)));
  const wasAlive = child.exitCode === null && child.kill(ending.signal);
  const outcome = await ended;
  const goneAfterMs = wasAlive ? await exited : 0;
  const isEarly = !hears && wasAlive && outcome.signal === ending.signal;
  if (isEarly) early.count++;
  const item = `${ending.signal} after ${Math.round(afterMs)} ms${hasOld ? ' over an old output' : ''}`;
  const wrong = tornFiles(place, job, whole, old);
  if (ending.signal === 'SIGKILL') {
    wrong.push(...complaints({ ...outcome, code: 0, signal: null }, { ignoresTemporaries: true }));
    wrong.push(...(await afterNextRun(hold, place, job)));
  } else {
    wrong.push(...wrongEnd(outcome, ending, isEarly));
    if (goneAfterMs > ENDS_WITHIN_MS * hold.factor) wrong.push(`ends ${Math.round(goneAfterMs)} ms after the signal`);
    const hidden = listing(place.folder).filter((name) => name.startsWith('.'));
    if (hidden.length > 0) wrong.push(`leaves ${hidden.join(' ')}`);
  }
  settle(suite, item, outcome, wrong);
}

function wrongEnd(outcome: Outcome, { code, word }: Ending, isEarly: boolean): string[] {
  // A run that was past its last step when the signal came has done its work.
  const finished = outcome.code === 0;
  const ended = isEarly ? { ...outcome, code, signal: null } : outcome;
  const wrong = complaints(ended, { codes: finished || code === null ? [0] : [code], mayBeSilent: isEarly });
  if (!finished && !isEarly && !outcome.stderr.includes(word)) wrong.push(`does not say "${word}"`);
  return wrong;
}

/** What stands under a final name is what was there before, or the whole of what was made. */
function tornFiles(place: Place, job: Job, whole: Whole, old: readonly string[]): string[] {
  const wrong: string[] = [];
  for (const name of listing(place.folder).filter((each) => !each.startsWith('.'))) {
    const content = readFileSync(join(place.folder, name));
    if (!job.files.includes(name)) wrong.push(`leaves ${name}`);
    else if (old.includes(name) && content.toString() === OLD) continue;
    else if (!isWhole(name, content, job, whole)) wrong.push(`leaves a torn ${name} of ${content.length} bytes`);
  }
  const lost = [...old, 'model.onnx'].filter((name) => !existsSync(join(place.folder, name)));
  return lost.length === 0 ? wrong : [...wrong, `loses ${lost.join(' ')}`];
}

function isWhole(name: string, content: Buffer, job: Job, whole: Whole): boolean {
  if (name === 'model.onnx') return content.equals(readFileSync(job.model));
  if (name === 'out.onnx') return content.equals(whole.output);
  if (name.endsWith('.html')) return content.toString().trimEnd().endsWith('</html>');
  try {
    return typeof JSON.parse(content.toString()) === 'object';
  } catch {
    return false;
  }
}

/** A killed run may leave hidden files; the next run takes them away. */
async function afterNextRun(hold: Hold, place: Place, job: Job): Promise<string[]> {
  const words = ['quantize', 'model.onnx', '-o', 'out.onnx', '--force', '--no-verify', '--mode', 'dynamic'];
  const outcome = await run(hold, place, words, { limitMs: 120_000 });
  const wrong = complaints(outcome, { codes: [0] }).map((problem) => `the next run ${problem}`);
  const left = listing(place.folder).filter((name) => !job.files.includes(name));
  if (left.length > 0) wrong.push(`the next run leaves ${left.join(' ')}`);
  return wrong;
}
