import { createRandom } from '../tensor/random.js';
import { concatenate } from './concatenate.js';

/**
 * Medians of resamples, in ascending order (Efron 1979, for data in clusters): rounds are drawn with replacement, and in
 * each drawn round blocks of consecutive values (moving blocks, Künsch 1989), so that noise that lasts over several values
 * stays together. Values are replaced by their ranks: drawing is counting, and the median is found by adding up counts.
 */
export function bootstrapMedians(rounds: readonly Float64Array[], resamples: number, seed: number): Float64Array {
  const { sorted, ranks } = rankAll(rounds);
  const random = createRandom(seed);
  const medians = new Float64Array(resamples);
  const drawn = new Uint32Array(sorted.length);
  for (let r = 0; r < resamples; r++) {
    drawn.fill(0);
    let total = 0;
    for (let i = 0; i < ranks.length; i++) {
      const round = ranks[Math.floor((random.uint32() / 2 ** 32) * ranks.length)] as Uint32Array;
      drawBlocks(round, drawn, random.uint32);
      total += round.length;
    }
    medians[r] = medianOfCounts(sorted, drawn, total);
  }
  return medians.sort();
}

/** As many values as there are, in blocks of about the cube root of their number, wrapped around at the end. */
function drawBlocks(round: Uint32Array, drawn: Uint32Array, uint32: () => number): void {
  const count = round.length;
  const length = Math.ceil(Math.cbrt(count));
  for (let left = count; left > 0; ) {
    let at = Math.floor((uint32() / 2 ** 32) * count);
    for (let k = Math.min(length, left); k > 0; k--) {
      const rank = round[at] as number;
      drawn[rank] = (drawn[rank] as number) + 1;
      if (++at === count) at = 0;
    }
    left -= length;
  }
}

/** All values in ascending order, and for each round the places of its values among them. */
function rankAll(rounds: readonly Float64Array[]): { sorted: Float64Array; ranks: Uint32Array[] } {
  const all = concatenate(rounds);
  const total = all.length;
  const order = Uint32Array.from(all.keys()).sort((a, b) => (all[a] as number) - (all[b] as number));
  const rankOf = new Uint32Array(total);
  for (let rank = 0; rank < total; rank++) rankOf[order[rank] as number] = rank;
  let at = 0;
  const ranks = rounds.map(({ length }) => {
    at += length;
    return rankOf.subarray(at - length, at);
  });
  return { sorted: all.sort(), ranks };
}

/** The median of values given by how often each one was drawn. */
export function medianOfCounts(sorted: Float64Array, drawn: Uint32Array, total: number): number {
  const lowRank = (total - 1) >> 1;
  const highRank = total >> 1;
  let seen = 0;
  let low = Number.NaN;
  for (let i = 0; i < sorted.length; i++) {
    seen += drawn[i] as number;
    if (Number.isNaN(low) && seen > lowRank) low = sorted[i] as number;
    if (seen > highRank) return (low + (sorted[i] as number)) / 2;
  }
  return low;
}
