/** The regularised incomplete beta function and its inverse: what binomial tails and Student's t are made of. */

/**
 * I_x(a, b) for x in 0..1, a and b > 0; accurate to about 1e-13 for parameters up to 10^7. The continued fraction is
 * DLMF 8.17.22, evaluated by Lentz's method. The factor before it is taken in saddle-point form (C. Loader, "Fast and
 * accurate computation of binomial probabilities", 2000), as differences of log-gammas would lose digits for large counts.
 */
export function regularizedIncompleteBeta(x: number, a: number, b: number): number {
  if (Number.isNaN(x)) return x;
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side of the mean; the other side is its mirror image.
  return x < (a + 1) / (a + b + 2) ? lowerPart(x, 1 - x, a, b) : 1 - lowerPart(1 - x, x, b, a);
}

/** The x at which I_x(a, b) = `probability`, by Newton's method inside a shrinking bracket. */
export function inverseIncompleteBeta(probability: number, a: number, b: number): number {
  if (probability <= 0) return 0;
  if (probability >= 1) return 1;
  let low = 0;
  let high = 1;
  let x = a / (a + b);
  for (let i = 0; i < 200; i++) {
    const excess = regularizedIncompleteBeta(x, a, b) - probability;
    if (excess > 0) high = x;
    else low = x;
    const slope = power(x, 1 - x, a, b) / (x * (1 - x));
    let next = x - excess / slope;
    // In the far tails the slope says little: halve there, on a log scale next to zero.
    if (!(next > low && next < high)) next = low > 0 ? Math.sqrt(low * high) : high / 2;
    if (Math.abs(next - x) <= 1e-15 * x || high - low <= 1e-16) return next;
    x = next;
  }
  return x;
}

function lowerPart(x: number, y: number, a: number, b: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1), tiny);
  let fraction = d;
  for (let m = 1; m < 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / nonZero(1 + even * d, tiny);
    c = nonZero(1 + even / c, tiny);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / nonZero(1 + odd * d, tiny);
    c = nonZero(1 + odd / c, tiny);
    const change = d * c;
    fraction *= change;
    if (Math.abs(change - 1) < 3e-16) break;
  }
  return (power(x, y, a, b) * fraction) / a;
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

/** x^a y^b / B(a, b) with y = 1 - x. */
function power(x: number, y: number, a: number, b: number): number {
  const sum = a + b;
  const deviance = partOfDeviance(a, sum * x) + partOfDeviance(b, sum * y);
  const error = stirlingError(sum) - stirlingError(a) - stirlingError(b);
  return Math.sqrt((a * b) / (2 * Math.PI * sum)) * Math.exp(error - deviance);
}

/** value · log(value / mean) + mean - value, without loss where the two are close. */
function partOfDeviance(value: number, mean: number): number {
  const difference = value - mean;
  if (Math.abs(difference) >= 0.1 * (value + mean)) return value * Math.log(value / mean) + mean - value;
  const v = difference / (value + mean);
  let sum = difference * v;
  let term = 2 * value * v;
  for (let k = 3; k < 200; k += 2) {
    term *= v * v;
    const next = sum + term / k;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

/** What Stirling's formula for log Γ(a) misses: the series 1/(12 a) - 1/(360 a³) + …, moved up for small a. */
function stirlingError(a: number): number {
  let shift = 0;
  let value = a;
  for (; value < 15; value++) shift += (value + 0.5) * Math.log1p(1 / value) - 1;
  const s = 1 / (value * value);
  const series = 1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - (s * 691) / 360360))));
  return shift + series / value;
}
