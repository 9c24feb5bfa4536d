import type { Accumulator } from '../accumulator.js';
import { ExactSum } from '../exact-sum.js';

type Numbers = Float32Array | Float64Array;

/** Maps of two layers of one model for one sample, each [channels, places] from `from` on. */
export interface LayerPair {
  readonly first: Numbers;
  readonly second: Numbers;
  readonly firstFrom: number;
  readonly secondFrom: number;
}

export interface FspRow {
  readonly teacher: LayerPair;
  readonly student: LayerPair;
}

/** Channels of both layers, equal in both models, and places (height times width), equal in all. */
export interface FspShape {
  readonly firstChannels: number;
  readonly secondChannels: number;
  readonly places: number;
}

/**
 * Flow of the solution procedure: mean squared difference of the Gram matrices between two layers, divided by their places.
 * Source: J. Yim et al., "A Gift from Knowledge Distillation", CVPR 2017.
 */
export class FspPairs implements Accumulator<FspRow, number> {
  readonly #shape: FspShape;
  readonly #squared = new ExactSum();
  #rows = 0;

  constructor(shape: FspShape) {
    this.#shape = shape;
  }

  observe({ teacher, student }: FspRow): void {
    const { firstChannels, secondChannels, places } = this.#shape;
    let squared = 0;
    for (let i = 0; i < firstChannels; i++) {
      for (let j = 0; j < secondChannels; j++) {
        const difference = product(teacher, i, j, places) - product(student, i, j, places);
        squared += (difference / places) ** 2;
      }
    }
    this.#squared.add(squared);
    this.#rows++;
  }

  merge(other: FspPairs): void {
    this.#squared.merge(other.#squared.state);
    this.#rows += other.#rows;
  }

  result(): number {
    const { firstChannels, secondChannels } = this.#shape;
    return this.#squared.value / (this.#rows * firstChannels * secondChannels);
  }
}

function product({ first, second, firstFrom, secondFrom }: LayerPair, i: number, j: number, places: number): number {
  const [a, b] = [firstFrom + i * places, secondFrom + j * places];
  let sum = 0;
  for (let k = 0; k < places; k++) sum += (first[a + k] as number) * (second[b + k] as number);
  return sum;
}
