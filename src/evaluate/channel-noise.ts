import { elementCount } from '../tensor/tensor.js';
import type { Accumulator } from './accumulator.js';
import type { ConstantChannels, WorstChannel } from './comparison.js';

/** One run of an output of both models. */
export interface NoisyRun {
  readonly a: Float32Array | Float64Array;
  readonly b: Float32Array | Float64Array;
  readonly dims: readonly number[];
}

/** Axes of channels by the name of an output, from the end where negative; none where it has none. */
export type ChannelAxes = ReadonlyMap<string, readonly number[]>;

/** Beyond so many channels none is looked at alone: an axis of that length is hardly one of channels. */
const MOST_CHANNELS = 65_536;

interface Axis {
  readonly axis: number;
  readonly signal: Float64Array;
  readonly noise: Float64Array;
  /** Smallest and largest values of each index. */
  readonly a: Extremes;
  readonly b: Extremes;
  /** Values of an index. */
  values: number;
}

interface Extremes {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** What became of channels. */
export interface ChannelFigures {
  /** The channel with the lowest ratio; absent without channels, or where nothing differs. */
  readonly worst?: WorstChannel;
  readonly constant?: ConstantChannels;
}

/** Fewer values say nothing of whether a channel varies. */
const LEAST_VALUES = 8;
/** A channel that varies by less than this share of what the liveliest one varies by is no loss. */
const LEAST_SPREAD = 1e-3;

/**
 * Signal and noise of each index of the axes of channels, over all runs: where they are not known, of the second axis, and where there are
 * three also of the last. An axis whose length changes from run to run is one of positions, not of channels, and is left out. Memory is six
 * numbers a channel.
 */
export class ChannelNoise implements Accumulator<NoisyRun, ChannelFigures> {
  readonly #wanted: readonly number[] | undefined;
  #rank: number | undefined;
  #axes: readonly Axis[] = [];

  /** @param axes those of channels, from the end where negative; absent where they are not known */
  constructor(axes?: readonly number[]) {
    this.#wanted = axes;
  }

  /** Adds one run; elements that are not finite in both are passed over. */
  observe({ a, b, dims }: NoisyRun): void {
    if (this.#rank === undefined) {
      this.#rank = dims.length;
      this.#axes = placesOf(this.#wanted, dims.length).flatMap((axis) => {
        const length = dims[axis] ?? 1;
        if (length < 2 || length > MOST_CHANNELS) return [];
        return [newAxis(axis, length)];
      });
    }
    if (this.#axes.length === 0) return;
    const rank = this.#rank;
    this.#axes = this.#axes.filter(({ axis, signal }) => dims.length === rank && dims[axis] === signal.length);
    for (const axis of this.#axes) addAxis(a, b, axis, elementCount(dims.slice(axis.axis + 1)));
  }

  merge(other: ChannelNoise): void {
    if (other.#rank === undefined) return;
    if (this.#rank === undefined) {
      this.#rank = other.#rank;
      this.#axes = other.#axes.map((each) => {
        const copy = newAxis(each.axis, each.signal.length);
        addAll(copy, each);
        return copy;
      });
      return;
    }
    const ofOther = (wanted: Axis): Axis | undefined =>
      other.#rank === this.#rank
        ? other.#axes.find(({ axis, signal }) => axis === wanted.axis && signal.length === wanted.signal.length)
        : undefined;
    this.#axes = this.#axes.filter((axis) => ofOther(axis) !== undefined);
    for (const axis of this.#axes) addAll(axis, ofOther(axis) as Axis);
  }

  result(): ChannelFigures {
    const [worst, constant] = [this.#worst(), this.#constant()];
    return { ...(worst && { worst }), ...(constant && { constant }) };
  }

  #worst(): WorstChannel | undefined {
    let worst: WorstChannel | undefined;
    for (const { axis, signal, noise } of this.#axes) {
      const channels = signal.length;
      const mean = signal.reduce((sum, value) => sum + value, 0) / channels;
      for (let index = 0; index < channels; index++) {
        const lost = noise[index] as number;
        if (lost === 0) continue;
        const sqnrDb = 10 * Math.log10((signal[index] || mean) / lost);
        if (worst === undefined || sqnrDb < worst.sqnrDb) worst = { axis, index, channels, sqnrDb };
      }
    }
    return worst;
  }

  /** Channels that vary in A and not in B, of the axis that has most of them. */
  #constant(): ConstantChannels | undefined {
    let most: ConstantChannels | undefined;
    for (const { axis, a, b, values, signal } of this.#axes) {
      if (values < LEAST_VALUES) continue;
      const channels = signal.length;
      let liveliest = 0;
      for (let i = 0; i < channels; i++) liveliest = Math.max(liveliest, spread(a, i));
      const lost: number[] = [];
      for (let i = 0; i < channels; i++)
        if (spread(b, i) === 0 && spread(a, i) > LEAST_SPREAD * liveliest) lost.push(i);
      const [first] = lost;
      if (first !== undefined && lost.length > (most?.count ?? 0)) most = { axis, channels, count: lost.length, first };
    }
    return most;
  }
}

function placesOf(wanted: readonly number[] | undefined, rank: number): readonly number[] {
  if (rank < 2) return [];
  if (wanted) return wanted.map((axis) => (axis < 0 ? axis + rank : axis)).filter((axis) => axis > 0 && axis < rank);
  return rank === 3 ? [1, 2] : [1];
}

function newAxis(axis: number, length: number): Axis {
  const extremes = (): Extremes => ({
    low: new Float64Array(length).fill(Number.POSITIVE_INFINITY),
    high: new Float64Array(length).fill(Number.NEGATIVE_INFINITY),
  });
  const [signal, noise] = [new Float64Array(length), new Float64Array(length)];
  return { axis, signal, noise, a: extremes(), b: extremes(), values: 0 };
}

/** Adds what another axis of the same channels has seen. */
function addAll(to: Axis, from: Axis): void {
  for (let i = 0; i < to.signal.length; i++) {
    to.signal[i] = (to.signal[i] as number) + (from.signal[i] as number);
    to.noise[i] = (to.noise[i] as number) + (from.noise[i] as number);
    for (const side of ['a', 'b'] as const) {
      to[side].low[i] = Math.min(to[side].low[i] as number, from[side].low[i] as number);
      to[side].high[i] = Math.max(to[side].high[i] as number, from[side].high[i] as number);
    }
  }
  to.values += from.values;
}

/** 0 of a channel without finite values. */
function spread({ low, high }: Extremes, index: number): number {
  return Math.max(0, (high[index] as number) - (low[index] as number));
}

type Values = Float32Array | Float64Array;

function addAxis(a: Values, b: Values, axis: Axis, inner: number): void {
  const { signal, noise } = axis;
  axis.values += a.length / signal.length;
  const channels = signal.length;
  let at = 0;
  while (at < a.length) {
    for (let channel = 0; channel < channels; channel++) {
      let [power, lost] = [0, 0];
      let [lowA, highA] = [axis.a.low[channel] as number, axis.a.high[channel] as number];
      let [lowB, highB] = [axis.b.low[channel] as number, axis.b.high[channel] as number];
      for (const end = at + inner; at < end; at++) {
        const x = a[at] as number;
        const y = b[at] as number;
        const error = x - y;
        if (error - error !== 0) continue;
        power += x * x;
        lost += error * error;
        if (x < lowA) lowA = x;
        if (x > highA) highA = x;
        if (y < lowB) lowB = y;
        if (y > highB) highB = y;
      }
      signal[channel] = (signal[channel] as number) + power;
      noise[channel] = (noise[channel] as number) + lost;
      axis.a.low[channel] = lowA;
      axis.a.high[channel] = highA;
      axis.b.low[channel] = lowB;
      axis.b.high[channel] = highB;
    }
  }
}
