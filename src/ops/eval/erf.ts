/** 2/√π */
const SCALE = 2 / Math.sqrt(Math.PI);

/**
 * The error function, to about 1e-15: by its series with positive terms only (Abramowitz and Stegun 7.1.6), and from 3 on by
 * the continued fraction of its complement (7.1.14), which is below 2.3e-5 there.
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 3) return series(x);
  if (size >= 6) return Math.sign(x);
  return Number.isNaN(x) ? x : Math.sign(x) * (1 - complement(size));
}

function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return SCALE * Math.exp(-x * x) * sum;
}

function complement(x: number): number {
  let fraction = x;
  for (let n = 60; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / (fraction * Math.sqrt(Math.PI));
}
