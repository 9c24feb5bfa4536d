import { median } from '../../bench/quantiles.js';
import { type Clock, SYSTEM_CLOCK } from './clock.js';
import type { Run } from './measure-loop.js';
import { WARM_UP, type WarmUp, warmUp } from './warm-up.js';

/** How sessions that take turns are timed. */
export const BLOCKS = {
  /** A block lasts at least this long, unless it has `maxRuns` runs. */
  ms: 30,
  maxRuns: 400,
  /** Share of the time that warming up may take, all sessions together. */
  warmUpShare: 0.2,
  /** Before each block nothing runs for so long: threads of the session before it fall asleep (`TURNS_SESSION`). */
  restMs: 3,
  /** Then runs that are not timed wake its own threads and fill its caches, for about so long; slow runs need none. */
  leadInMs: 4,
} as const;

/** Runs of one session, timed in blocks on one sample each. */
export class BlockSubject {
  /** Every timed run, warm-up left out. */
  readonly timesMs: number[] = [];
  readonly blockMediansMs: number[] = [];
  readonly #runs: readonly Run[];
  readonly #clock: Clock;

  /** @param runs one for each sample; at least one */
  constructor(runs: readonly Run[], clock: Clock = SYSTEM_CLOCK) {
    this.#runs = runs;
    this.#clock = clock;
  }

  async #time(sample: number): Promise<number> {
    const run = this.#runs[sample % this.#runs.length] as Run;
    const start = this.#clock.now();
    await run();
    return this.#clock.now() - start;
  }

  warmUp(limitMs: number): Promise<WarmUp> {
    return warmUp((index) => this.#time(index), limitMs, this.#clock, WARM_UP.window);
  }

  /** Times `runs` runs on one sample, after `leadIn` that are not timed. */
  async block(sample: number, runs: number, leadIn: number): Promise<void> {
    for (let i = 0; i < leadIn; i++) await this.#time(sample);
    const times: number[] = [];
    for (let i = 0; i < runs; i++) times.push(await this.#time(sample));
    this.blockMediansMs.push(median(times));
    for (const ms of times) this.timesMs.push(ms);
  }
}

export interface TurnsOptions {
  /** Time to stop after, warm-up included; the first round is always finished. */
  readonly maxMs: number;
  /** Blocks of each subject, by the runs that a block turned out to have. */
  readonly blocks: (blockRuns: number) => number;
  readonly onBlock?: (done: number, total: number) => void;
  /** Sample of the first block; 0 by default. */
  readonly firstSample?: number;
  readonly clock?: Clock;
}

/**
 * Warms subjects up and times them in turns, in blocks of the same sample in the order A B … B A, so that drift and
 * bursts of noise hit all alike. Compared with one after the other this cuts the spread of an A/A ratio from ±30 % to
 * about ±1 %. A rest before each block lets the threads of the session before it fall asleep: while they look for work they
 * take the CPU from whoever runs, and the ratio is not that of each alone.
 * @returns what each warm-up was, and the runs of a block
 */
export async function timeInTurns(
  subjects: readonly BlockSubject[],
  { maxMs, blocks, onBlock, firstSample = 0, clock = SYSTEM_CLOCK }: TurnsOptions,
): Promise<{ readonly warmUps: readonly WarmUp[]; readonly blockRuns: number }> {
  const start = clock.now();
  const rest = (): Promise<void> | void => (subjects.length > 1 ? clock.rest(BLOCKS.restMs) : undefined);
  const warmUps: WarmUp[] = [];
  for (const subject of subjects) {
    await rest();
    warmUps.push(await subject.warmUp((maxMs * BLOCKS.warmUpShare) / subjects.length));
  }
  const slowestMs = Math.max(1e-3, ...warmUps.map(({ medianMs }) => medianMs));
  const blockRuns = Math.max(1, Math.min(BLOCKS.maxRuns, Math.ceil(BLOCKS.ms / slowestMs)));
  const leadIn = subjects.length > 1 ? Math.min(50, Math.ceil(BLOCKS.leadInMs / slowestMs)) : 0;
  const wanted = blocks(blockRuns);
  for (let block = 0; block < wanted; block++) {
    if (block > 0 && clock.now() - start >= maxMs) break;
    for (const subject of block % 2 === 0 ? subjects : subjects.toReversed()) {
      await rest();
      await subject.block(firstSample + block, blockRuns, slowestMs < BLOCKS.ms ? leadIn : 0);
    }
    onBlock?.(block + 1, wanted);
  }
  return { warmUps, blockRuns };
}
