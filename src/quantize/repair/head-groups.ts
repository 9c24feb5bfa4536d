/** Which channels of a head should share a scale. */

/** Most groups: each is a convolution of its own. */
const MOST_GROUPS = 8;
/** Noise of rounding that is left, over that with one scale, for which a split is worth its nodes. */
const WORTHWHILE = 0.5;
/** Fewer groups are preferred as long as their noise is no more than that of the most by this factor. */
const NEAR_ENOUGH = 1.5;
/** More channels are not looked at: the search takes their square. */
const MOST_CHANNELS = 4096;

/**
 * Runs of neighbouring channels to quantize with a scale each, as the first channel of each run, so that the noise of rounding is least: a run
 * of n channels makes n · s² of it, where its scale s goes with the largest of them. As few runs as gain something; undefined where splitting
 * does not halve the noise. @param power mean square of each channel
 */
export function headGroups(power: Float64Array): number[] | undefined {
  const count = power.length;
  if (count < 2 || count > MOST_CHANNELS || power.some((each) => !Number.isFinite(each))) return undefined;
  // Noise of the first n channels with g runs, and where the last of these begins.
  let noise = new Float64Array(count + 1).fill(Number.POSITIVE_INFINITY);
  noise[0] = 0;
  const starts: Int32Array[] = [];
  const totals: number[] = [];
  for (let groups = 1; groups <= Math.min(MOST_GROUPS, count); groups++) {
    const next = new Float64Array(count + 1).fill(Number.POSITIVE_INFINITY);
    const start = new Int32Array(count + 1);
    for (let end = groups; end <= count; end++) {
      let largest = 0;
      for (let from = end - 1; from >= groups - 1; from--) {
        largest = Math.max(largest, power[from] as number);
        const total = (noise[from] as number) + largest * (end - from);
        if (total >= (next[end] as number)) continue;
        next[end] = total;
        start[end] = from;
      }
    }
    noise = next;
    starts.push(start);
    totals.push(noise[count] as number);
  }
  const [whole = 0] = totals;
  const least = totals.at(-1) ?? 0;
  const groups = totals.findIndex((total) => total <= NEAR_ENOUGH * least) + 1;
  if (groups < 2 || (totals[groups - 1] as number) > WORTHWHILE * whole) return undefined;
  const found: number[] = [];
  for (let end = count, left = groups; left > 0; left--) {
    end = (starts[left - 1] as Int32Array)[end] as number;
    found.unshift(end);
  }
  return found;
}
