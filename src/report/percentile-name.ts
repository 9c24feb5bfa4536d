/** `p50`, `p99`, `p99.9` for 0.5, 0.99, 0.999. */
export function percentileName(probability: number): string {
  return `p${Number((probability * 100).toPrecision(9))}`;
}
