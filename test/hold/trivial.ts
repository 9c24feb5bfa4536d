/** Many small runs at once: each gives one document and exit code 0, however late the ONNX Runtime process ends. */
import { join } from 'node:path';
import { createRandom, type Random } from '../../src/tensor/random.js';
import { Suite } from '../conformance/suite.js';
import { writeChain, writeText } from '../helpers/small-models.js';
import { eachAtOnce, type Hold } from './context.js';
import { complaints, documentOf, settle } from './judge.js';
import { preloaded } from './preloads.js';
import { hasProc } from './processes.js';
import { makePlace, type RunOptions, removePlace, run } from './run.js';
import { type Look, sendSignal } from './watch.js';

const RUNS = 300;
const AT_ONCE = 12;
/** How long a child that stopped itself stays stopped, in milliseconds. */
const STOPPED_MS = 2000;

interface Variant {
  readonly name: string;
  /** A script below test/ that every process loads first. */
  readonly preload?: string;
  /** A look for each run, which may keep what it saw. */
  readonly look?: (random: Random) => Look;
  readonly needsProc?: boolean;
}

const VARIANTS: readonly Variant[] = [
  { name: 'as it is' },
  { name: 'a child that ends 0.8 s late', preload: 'hold/preloads/slow-end.cjs' },
  {
    name: 'a child that is stopped for 2 s at its end',
    preload: 'hold/preloads/stopped-end.cjs',
    look: goOnLater,
    needsProc: true,
  },
  { name: 'a child that is stopped for 2 s at any time', look: stopForAWhile, needsProc: true },
  { name: 'a child that ignores that it should end', preload: 'hold/preloads/deaf.cjs' },
];

/** Words of the runs, taken in turns; `out` is a path of its own each time. */
function commands(models: string, out: string): readonly (readonly string[])[] {
  const [nothing, casts, chain] = ['nothing', 'casts', 'chain'].map((name) => join(models, `${name}.onnx`)) as [
    string,
    string,
    string,
  ];
  return [
    ['optimize', casts, '-o', out],
    ['quantize', chain, '-o', out],
    ['inspect', chain],
    ['compare', chain, chain],
    ['optimize', nothing, '-o', out],
    ['quantize', chain, '-o', out, '--mode', 'fp16'],
    ['inspect', nothing],
    ['compare', nothing, casts],
    ['optimize', chain, '-o', out, '--level', 'max'],
  ];
}

export async function trivialPart(hold: Hold): Promise<Suite[]> {
  const models = makePlace(hold).folder;
  await writeText(join(models, 'nothing.onnx'), 'g (float[n] x) => (float[n] g) { g = Relu (x) }');
  await writeText(join(models, 'casts.onnx'), 'g (float[n] x) => (float[n] g) { a = Neg (x) g = Relu (a) }');
  await writeChain(join(models, 'chain.onnx'), 2, 32);
  const suites: Suite[] = [];
  for (const variant of VARIANTS.filter(({ name }) => name.includes(hold.only))) {
    const suite = new Suite(`trivial runs, ${AT_ONCE} at once: ${variant.name}`);
    suites.push(suite);
    if (variant.needsProc === true && !hasProc()) suite.skip('this system has no /proc');
    else await runVariant(hold, suite, variant, models);
    suite.close();
  }
  return suites;
}

async function runVariant(hold: Hold, suite: Suite, variant: Variant, models: string): Promise<void> {
  const numbers = Array.from({ length: hold.count ?? RUNS }, (_, index) => index);
  await eachAtOnce(numbers, AT_ONCE, async (number) => {
    const place = makePlace(hold);
    const choices = commands(models, join(place.folder, 'out.onnx'));
    const words = [...(choices[number % choices.length] ?? []), '--json'];
    const options: { -readonly [K in keyof RunOptions]: RunOptions[K] } = { limitMs: 90_000 };
    if (variant.preload !== undefined) options.environment = preloaded(hold, variant.preload);
    if (variant.look !== undefined) options.look = variant.look(createRandom(number));
    const outcome = await run(hold, place, words, options);
    const { wrong } = documentOf(outcome.stdout);
    const problems = complaints(outcome, { codes: [0] });
    settle(suite, `run ${number}, ${outcome.what}`, outcome, wrong === undefined ? problems : [...problems, wrong]);
    removePlace(place);
  });
}

/** Lets each process that is found stopped go on after a while. */
function goOnLater(): Look {
  const seen = new Set<number>();
  return (tree) => {
    for (const { pid, state } of tree) {
      if (state !== 'T' || seen.has(pid)) continue;
      seen.add(pid);
      setTimeout(() => sendSignal(pid, 'SIGCONT'), STOPPED_MS);
    }
  };
}

/** Stops each child once, at a moment of its first second, and lets it go on after a while. */
function stopForAWhile(random: Random): Look {
  const seen = new Set<number>();
  const goOn = goOnLater();
  return (tree) => {
    // The first is the program itself.
    const [root] = tree;
    for (const { pid } of tree) {
      if (pid === root?.pid || seen.has(pid)) continue;
      seen.add(pid);
      setTimeout(() => sendSignal(pid, 'SIGSTOP'), random.float() * 1000);
    }
    goOn(tree);
  };
}
