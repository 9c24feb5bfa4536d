/** Seeded pseudo-random numbers: the same seed gives the same numbers on every machine and Node version. */

/** A stream of pseudo-random numbers; not for secrets. */
export interface Random {
  /** An integer in 0..2^32-1. */
  uint32(): number;
  /** A number in [0, 1) with 53 random bits. */
  float(): number;
  /** An integer in 0..exclusiveUpper-1; `exclusiveUpper` is from 1 to 2^53. */
  integer(exclusiveUpper: number): number;
  /** A number of the standard normal distribution (Box-Muller). */
  normal(): number;
}

/** Spreads a small seed over 32 bits (the finalizer of MurmurHash3, with a Weyl step). */
function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
}

/**
 * A generator (xoshiro128**, Blackman and Vigna 2018) seeded by integers: streams of different seed lists are
 * unrelated, so `createRandom(seed, sample, input)` can be asked for in any order.
 */
export function createRandom(...seeds: readonly number[]): Random {
  let mixed = 0;
  for (const seed of seeds) mixed = splitmix32(mixed ^ seed ^ Math.floor(seed / 2 ** 32))();
  const next = splitmix32(mixed);
  let s0 = next();
  let s1 = next();
  let s2 = next();
  let s3 = next() | 1;
  let spare: number | undefined;

  const uint32 = (): number => {
    const x = Math.imul(s1, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = (s3 << 11) | (s3 >>> 21);
    return result;
  };
  const float = (): number => ((uint32() >>> 5) * 2 ** 26 + (uint32() >>> 6)) / 2 ** 53;
  const normal = (): number => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - float()));
    const angle = 2 * Math.PI * float();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return { uint32, float, normal, integer: (exclusiveUpper) => Math.floor(float() * exclusiveUpper) };
}
