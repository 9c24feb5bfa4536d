import type { Accumulator } from './accumulator.js';
import type { WorstChannel } from './comparison.js';

/** One run of an output of both models. */
export interface NoisyRun {
  readonly a: Float32Array | Float64Array;
  readonly b: Float32Array | Float64Array;
  readonly dims: readonly number[];
}

/** Beyond so many channels none is looked at alone: an axis of that length is hardly one of channels. */
const MOST_CHANNELS = 65_536;

interface Axis {
  readonly axis: number;
  readonly signal: Float64Array;
  readonly noise: Float64Array;
}

/**
 * Signal and noise of each index of the second and of the last axis, over all runs. An axis whose length changes from run to
 * run is one of positions, not of channels, and is left out. Memory is two numbers a channel.
 */
export class ChannelNoise implements Accumulator<NoisyRun, WorstChannel | undefined> {
  #rank: number | undefined;
  #axes: readonly Axis[] = [];

  /** Adds one run; elements that are not finite in both are passed over. */
  observe({ a, b, dims }: NoisyRun): void {
    if (this.#rank === undefined) {
      this.#rank = dims.length;
      const places = new Set(dims.length < 2 ? [] : [1, dims.length - 1]);
      this.#axes = [...places].flatMap((axis) => {
        const length = dims[axis] ?? 1;
        if (length < 2 || length > MOST_CHANNELS) return [];
        return [{ axis, signal: new Float64Array(length), noise: new Float64Array(length) }];
      });
    }
    if (this.#axes.length === 0) return;
    const rank = this.#rank;
    this.#axes = this.#axes.filter(({ axis, signal }) => dims.length === rank && dims[axis] === signal.length);
    for (const { axis, signal, noise } of this.#axes) addAxis(a, b, signal, noise, product(dims.slice(axis + 1)));
  }

  merge(other: ChannelNoise): void {
    if (other.#rank === undefined) return;
    if (this.#rank === undefined) {
      this.#rank = other.#rank;
      this.#axes = other.#axes.map(({ axis, signal, noise }) => ({
        axis,
        signal: signal.slice(),
        noise: noise.slice(),
      }));
      return;
    }
    const ofOther = (wanted: Axis): Axis | undefined =>
      other.#rank === this.#rank
        ? other.#axes.find(({ axis, signal }) => axis === wanted.axis && signal.length === wanted.signal.length)
        : undefined;
    this.#axes = this.#axes.filter((axis) => ofOther(axis) !== undefined);
    for (const axis of this.#axes) {
      const { signal, noise } = ofOther(axis) as Axis;
      for (let i = 0; i < signal.length; i++) {
        axis.signal[i] = (axis.signal[i] as number) + (signal[i] as number);
        axis.noise[i] = (axis.noise[i] as number) + (noise[i] as number);
      }
    }
  }

  /** The channel with the lowest ratio; undefined without channels, or where nothing differs. */
  result(): WorstChannel | undefined {
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
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}

function addAxis(
  a: Float32Array | Float64Array,
  b: Float32Array | Float64Array,
  signal: Float64Array,
  noise: Float64Array,
  inner: number,
): void {
  const channels = signal.length;
  let at = 0;
  while (at < a.length) {
    for (let channel = 0; channel < channels; channel++) {
      let [power, lost] = [0, 0];
      for (const end = at + inner; at < end; at++) {
        const x = a[at] as number;
        const error = x - (b[at] as number);
        if (error - error !== 0) continue;
        power += x * x;
        lost += error * error;
      }
      signal[channel] = (signal[channel] as number) + power;
      noise[channel] = (noise[channel] as number) + lost;
    }
  }
}
