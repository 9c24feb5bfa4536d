/** Weights of the decoders of decoder-model.ts: by name, the same for the graph and for the plain computation. */
import type { DecoderShape } from './decoder-model.js';

export interface DecoderWeight {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** Size of the table that normal numbers are drawn from: large models have hundreds of millions of them. */
const TABLE_SIZE = 65_536;

/** Makes weights when they are asked for; each depends on the seed and its name alone. */
export class DecoderWeights {
  readonly #shape: DecoderShape;
  readonly #table: Float32Array;

  constructor(shape: DecoderShape) {
    this.#shape = shape;
    const next = xorshift(shape.seed);
    this.#table = Float32Array.from({ length: TABLE_SIZE }, () => {
      const radius = Math.sqrt(-2 * Math.log((next() + 1) / 2 ** 32));
      return radius * Math.cos((2 * Math.PI * next()) / 2 ** 32);
    });
  }

  /** Matrices are [from, to]. Names: `embedding`, `positions`, `lm_head`, `norm`, `0.q`, `0.q.bias`, `0.norm1`, `cos` … */
  get(name: string): DecoderWeight {
    const { vocabulary, width, positions, headSize, initialization } = this.#shape;
    if (initialization === 'gpt2') return this.#initial(name);
    if (name === 'embedding') return this.#normal(name, [vocabulary, width], 0.6);
    if (name === 'positions') return this.#normal(name, [positions, width], 0.3);
    if (name === 'lm_head') return this.#normal(name, [width, vocabulary], 0.6);
    if (name === 'cos' || name === 'sin') return this.#angles(name, positions, headSize / 2);
    if (name.endsWith('.bias')) return this.#normal(name, [this.#widths(name.slice(0, -5))[1]], 0.1);
    if (/norm\d?$/.test(name)) {
      const { data, dims } = this.#normal(name, [width], 0.1);
      return { data: data.map((value) => 1 + value), dims };
    }
    const dims = this.#widths(name);
    return this.#normal(name, dims, 1.5 / Math.sqrt(dims[0]));
  }

  /** As GPT-2 starts: products that end in the residual stream are smaller the more there are of them. Embeddings are as after training. */
  #initial(name: string): DecoderWeight {
    const { vocabulary, width, positions, layers } = this.#shape;
    if (name === 'embedding') return this.#normal(name, [vocabulary, width], 0.14);
    if (name === 'positions') return this.#normal(name, [positions, width], 0.02);
    if (name === 'lm_head') return this.#normal(name, [width, vocabulary], 0.02);
    if (name.endsWith('.bias')) return this.#normal(name, [this.#widths(name.slice(0, -5))[1]], 0);
    if (/norm\d?$/.test(name)) return { data: new Float32Array(width).fill(1), dims: [width] };
    const ends = name.endsWith('.o') || name.endsWith('.down');
    return this.#normal(name, this.#widths(name), ends ? 0.02 / Math.sqrt(2 * layers) : 0.02);
  }

  #widths(name: string): [number, number] {
    const { width, inner, keyValueHeads, headSize } = this.#shape;
    switch (name.split('.').at(-1)) {
      case 'k':
      case 'v':
        return [width, keyValueHeads * headSize];
      case 'up':
      case 'gate':
        return [width, inner];
      case 'down':
        return [inner, width];
      default:
        return [width, width];
    }
  }

  #normal(name: string, dims: readonly number[], scale: number): DecoderWeight {
    const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
    let seed = this.#shape.seed;
    for (let at = 0; at < name.length; at++) seed = (Math.imul(seed, 31) + name.charCodeAt(at)) | 0;
    const next = xorshift(seed);
    for (let at = 0; at < data.length; at++) data[at] = (this.#table[next() >>> 16] as number) * scale;
    return { data, dims };
  }

  /** Of position p and frequency i: p · 10000^(-i / half). */
  #angles(name: 'cos' | 'sin', positions: number, half: number): DecoderWeight {
    const data = new Float32Array(positions * half);
    for (let p = 0; p < positions; p++)
      for (let i = 0; i < half; i++) data[p * half + i] = Math[name](p * 10_000 ** (-i / half));
    return { data, dims: [positions, half] };
  }
}

function xorshift(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b9) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
