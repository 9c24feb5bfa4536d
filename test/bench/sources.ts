/** Simulated sources of latencies, seeded: what real machines do, without a clock. */
import type { Segment } from '../../src/bench/segment.js';
import { createRandom, type Random } from '../../src/tensor/random.js';

/** Fills the latencies of one fresh process. */
export type Source = (random: Random, latencyMs: Float64Array) => void;

const lognormal = (random: Random, sigma: number): number => Math.exp(sigma * random.normal());

export const SOURCES: Readonly<Record<string, Source>> = {
  'log-normal': (random, latencyMs) => {
    for (let i = 0; i < latencyMs.length; i++) latencyMs[i] = lognormal(random, 0.3);
  },
  bimodal: (random, latencyMs) => {
    for (let i = 0; i < latencyMs.length; i++) {
      latencyMs[i] = lognormal(random, 0.1) * (random.uint32() < 0.15 * 2 ** 32 ? 2 : 1);
    }
  },
  'heavy tail': (random, latencyMs) => {
    for (let i = 0; i < latencyMs.length; i++) latencyMs[i] = (1 - random.float()) ** (-1 / 2.5);
  },
  'AR(1)': (random, latencyMs) => {
    let state = random.normal();
    for (let i = 0; i < latencyMs.length; i++) {
      state = 0.6 * state + 0.8 * random.normal();
      latencyMs[i] = Math.exp(0.25 * state);
    }
  },
  bursts: (random, latencyMs) => {
    // A neighbour is busy for 20 runs on average, a tenth of the time.
    let busy = random.uint32() < 0.1 * 2 ** 32;
    for (let i = 0; i < latencyMs.length; i++) {
      if (random.uint32() < (busy ? 0.05 : 0.05 / 9) * 2 ** 32) busy = !busy;
      latencyMs[i] = lognormal(random, 0.15) * (busy ? 1.5 : 1);
    }
  },
  'long bursts': (random, latencyMs) => {
    // A neighbour is busy through a third of one process in five.
    for (let i = 0; i < latencyMs.length; i++) latencyMs[i] = lognormal(random, 0.2);
    if (random.integer(5) > 0) return;
    const from = random.integer(latencyMs.length);
    const to = Math.min(latencyMs.length, from + latencyMs.length / 3);
    for (let i = from; i < to; i++) latencyMs[i] = (latencyMs[i] as number) * 1.3;
  },
  'sessions ±5 %': (random, latencyMs) => {
    const session = random.uint32() < 2 ** 31 ? 0.95 : 1.05;
    for (let i = 0; i < latencyMs.length; i++) latencyMs[i] = session * lognormal(random, 0.15);
  },
};

export function segmentOf(latencyMs: Float64Array, round: number, failures = 0): Segment {
  const startMs = new Float64Array(latencyMs.length);
  let at = 0;
  for (let i = 0; i < latencyMs.length; i++) {
    startMs[i] = at;
    at += latencyMs[i] as number;
  }
  return { startMs, latencyMs, wallMs: at, round, stream: 0, failures };
}

/** Very many processes of a source, from which simulations draw: what is true of it is known exactly. */
export interface Population {
  readonly processes: readonly Segment[];
  readonly quantile: (probability: number) => number;
}

export function populationOf(source: Source, processes: number, runs: number): Population {
  const all = new Float64Array(processes * runs);
  const parts = Array.from({ length: processes }, (_, i) => all.slice(i * runs, (i + 1) * runs));
  for (const [i, part] of parts.entries()) {
    source(createRandom(20_261, i), part);
    all.set(part, i * runs);
  }
  all.sort();
  return {
    processes: parts.map((part) => segmentOf(part, 0)),
    quantile: (probability) => all[Math.ceil(probability * all.length) - 1] as number,
  };
}
