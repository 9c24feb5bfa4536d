import { inverseIncompleteBeta } from './incomplete-beta.js';

/**
 * The t that Student's distribution with so many degrees of freedom exceeds with probability `tail` (0 to 0.5). From few
 * processes one cannot know their spread; this is what it costs.
 */
export function studentQuantile(tail: number, degrees: number): number {
  if (tail >= 0.5) return 0;
  const x = inverseIncompleteBeta(2 * tail, degrees / 2, 0.5);
  return Math.sqrt((degrees * (1 - x)) / x);
}
