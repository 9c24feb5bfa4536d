/** What a decoder of decoder-model.ts gives, computed plainly in float64, one position after the other. */
import { type DecoderOptions, decoderShape } from './decoder-model.js';
import { type DecoderWeight, DecoderWeights } from './decoder-weights.js';

/**
 * Logits of every position of one sequence without padding, as rows of `vocabulary` numbers.
 * Positions are 0, 1, 2 …; a position sees itself and those before.
 */
export function decoderLogits(options: DecoderOptions, tokens: readonly number[]): Float64Array[] {
  const shape = decoderShape(options);
  const { style, width, layers, heads, keyValueHeads, headSize, vocabulary, tied } = shape;
  const made = new DecoderWeights(shape);
  const cache = new Map<string, DecoderWeight>();
  const weight = (name: string): DecoderWeight => {
    const known = cache.get(name) ?? made.get(name);
    cache.set(name, known);
    return known;
  };
  const isGpt = style === 'gpt2';
  const linear = (x: Float64Array, name: string): Float64Array => {
    const { data, dims } = weight(name);
    const [from, to] = dims as [number, number];
    const y = new Float64Array(to);
    if (isGpt) y.set(weight(`${name}.bias`).data);
    for (let i = 0; i < from; i++)
      for (let j = 0; j < to; j++) y[j] = (y[j] as number) + (x[i] as number) * (data[i * to + j] as number);
    return y;
  };
  const norm = (x: Float64Array, name: string): Float64Array => {
    const mean = isGpt ? x.reduce((a, b) => a + b, 0) / width : 0;
    const square = x.reduce((a, b) => a + (b - mean) ** 2, 0) / width;
    const { data } = weight(name);
    const bias = isGpt ? weight(`${name}.bias`).data : undefined;
    return x.map((value, i) => ((value - mean) / Math.sqrt(square + 1e-5)) * (data[i] as number) + (bias?.[i] ?? 0));
  };
  const rotated = (x: Float64Array, position: number): Float64Array => {
    if (isGpt) return x;
    const half = headSize / 2;
    const [cos, sin] = [weight('cos').data, weight('sin').data];
    return x.map((value, at) => {
      const within = at % headSize;
      const i = position * half + (within % half);
      const other = x[within < half ? at + half : at - half] as number;
      return value * (cos[i] as number) + (within < half ? -other : other) * (sin[i] as number);
    });
  };
  const keys: Float64Array[][] = Array.from({ length: layers }, () => []);
  const values: Float64Array[][] = Array.from({ length: layers }, () => []);
  return tokens.map((token, position) => {
    const row = (name: string, at: number) =>
      Float64Array.from(weight(name).data.subarray(at * width, (at + 1) * width));
    let hidden: Float64Array = row('embedding', token);
    if (isGpt) hidden = add(hidden, row('positions', position));
    for (let layer = 0; layer < layers; layer++) {
      const x = norm(hidden, `${layer}.norm1`);
      const query = rotated(linear(x, `${layer}.q`), position);
      const layerKeys = keys[layer] as Float64Array[];
      const layerValues = values[layer] as Float64Array[];
      layerKeys.push(rotated(linear(x, `${layer}.k`), position));
      layerValues.push(linear(x, `${layer}.v`));
      const mixed = new Float64Array(width);
      for (let head = 0; head < heads; head++) {
        const from = Math.floor(head / (heads / keyValueHeads)) * headSize;
        const scores = layerKeys.map((key) => {
          let sum = 0;
          for (let i = 0; i < headSize; i++) sum += (query[head * headSize + i] as number) * (key[from + i] as number);
          return sum / Math.sqrt(headSize);
        });
        const most = Math.max(...scores);
        const shares = scores.map((score) => Math.exp(score - most));
        const all = shares.reduce((a, b) => a + b, 0);
        for (const [at, value] of layerValues.entries())
          for (let i = 0; i < headSize; i++) {
            const place = head * headSize + i;
            mixed[place] = (mixed[place] as number) + ((shares[at] as number) / all) * (value[from + i] as number);
          }
      }
      hidden = add(hidden, linear(mixed, `${layer}.o`));
      const y = norm(hidden, `${layer}.norm2`);
      const up = linear(y, `${layer}.up`);
      const gate = isGpt
        ? up.map(gelu)
        : linear(y, `${layer}.gate`).map((g, i) => (g / (1 + Math.exp(-g))) * (up[i] as number));
      hidden = add(hidden, linear(gate, `${layer}.down`));
    }
    const last = norm(hidden, 'norm');
    const head = weight(tied ? 'embedding' : 'lm_head').data;
    return Float64Array.from({ length: vocabulary }, (_, word) => {
      let sum = 0;
      for (let i = 0; i < width; i++)
        sum += (last[i] as number) * (head[tied ? word * width + i : i * vocabulary + word] as number);
      return sum;
    });
  });
}

/** Mean negative log-likelihood of the tokens after the first, and how many they are. */
export function meanNegativeLogLikelihood(logits: readonly Float64Array[], tokens: readonly number[]): number {
  let sum = 0;
  for (let at = 1; at < tokens.length; at++) {
    const row = logits[at - 1] as Float64Array;
    const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const all = row.reduce((a, b) => a + Math.exp(b - most), 0);
    sum -= (row[tokens[at] as number] as number) - most - Math.log(all);
  }
  return sum / (tokens.length - 1);
}

function add(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + (b[i] as number));
}

function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x / Math.SQRT2));
}

/** Series of erf; enough terms for the values of small models. */
function erf(x: number): number {
  if (Math.abs(x) > 5) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
