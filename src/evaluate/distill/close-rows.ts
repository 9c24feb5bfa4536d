/** Divergences of rows that are close to each other, from terms that are all positive: differences would leave rounding alone. */
import type { SoftmaxRows } from '../../tensor/softmax-rows.js';

/** e^-x - 1 + x, which is x²/2 - x³/6 + … */
export function excess(x: number): number {
  if (Math.abs(x) > 0.05) return Math.expm1(-x) + x;
  return x * x * (1 / 2 - x * (1 / 6 - x * (1 / 24 - x * (1 / 120 - x * (1 / 720 - x / 5040)))));
}

/**
 * KL of row 0 from row 1, and the reverse: Σ p₀ (e^-x - 1 + x) with x = ln p₀ - ln p₁, since Σ p₀ e^-x = Σ p₁ = 1.
 * @param shift ln of the total of row 0 less that of row 1
 */
export function closeKl(
  { scores, exponentials, width }: SoftmaxRows,
  totals: readonly [number, number],
  maxima: readonly [number, number],
  scale: number,
  shift: number,
): [kl: number, reverseKl: number] {
  const [zt, zs] = scores;
  const [et, es] = exponentials;
  let [kl, reverseKl] = [0, 0];
  for (let i = 0; i < width; i++) {
    const d = (zt[i] as number) - maxima[0] - ((zs[i] as number) - maxima[1]);
    const x = scale * d - shift;
    // What has no probability on one side adds nothing there, however far apart the scores are.
    if (et[i] !== 0) kl += ((et[i] as number) / totals[0]) * excess(x);
    if (es[i] !== 0) reverseKl += ((es[i] as number) / totals[1]) * excess(-x);
  }
  return [kl, reverseKl];
}

/** Jensen-Shannon divergence: Σ m·h(x) / 2 with x = (p₀ - p₁) / (p₀ + p₁), h(x) = (1 + x)·ln(1 + x) + (1 - x)·ln(1 - x). */
export function closeJensenShannon({ exponentials, width }: SoftmaxRows, totals: readonly [number, number]): number {
  const [et, es] = exponentials;
  let sum = 0;
  for (let i = 0; i < width; i++) {
    const [p, q] = [(et[i] as number) / totals[0], (es[i] as number) / totals[1]];
    if (p + q > 0) sum += ((p + q) / 2) * spread((p - q) / (p + q));
  }
  return sum / 2;
}

function spread(x: number): number {
  const y = x * x;
  if (y < 0.01) return y * (1 + y * (1 / 6 + y * (1 / 15 + y * (1 / 28 + y * (1 / 45 + y / 66)))));
  const part = (u: number): number => (u > 0 ? u * Math.log(u) : 0);
  return part(1 + x) + part(1 - x);
}
