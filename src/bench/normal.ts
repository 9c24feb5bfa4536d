/** The standard normal distribution, to about 1e-14. */

const ROOT_TWO_PI = Math.sqrt(2 * Math.PI);

/** P(Z > z). Sources: Abramowitz and Stegun 26.2.11 (series) and 26.2.14 (continued fraction). */
export function normalUpperTail(z: number): number {
  if (z < 0) return 1 - normalUpperTail(-z);
  const density = Math.exp(-0.5 * z * z) / ROOT_TWO_PI;
  if (z < 3.5) {
    let term = z;
    let sum = z;
    for (let k = 3; term > 1e-17 * sum; k += 2) {
      term *= (z * z) / k;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = z;
  for (let k = 60; k >= 1; k--) fraction = z + k / fraction;
  return density / fraction;
}

/** The z below which the share `probability` of the distribution lies; `probability` is above 0 and below 1. */
export function normalQuantile(probability: number): number {
  if (probability > 0.5) return -normalQuantile(1 - probability);
  // A start within 0.003 (Abramowitz and Stegun 26.2.22), then Halley's method.
  const t = Math.sqrt(-2 * Math.log(probability));
  let z = t - (2.30753 + 0.27061 * t) / (1 + 0.99229 * t + 0.04481 * t * t);
  for (let i = 0; i < 4; i++) {
    const step = ((normalUpperTail(z) - probability) * ROOT_TWO_PI) / Math.exp(-0.5 * z * z);
    z += step / (1 - 0.5 * z * step);
  }
  return -z;
}
