/**
 * Area under the ROC curve of scores against 0/1 labels, exact: the probability that a positive scores higher than a
 * negative, ties counting half (Mann-Whitney U over the mid-ranks). NaN when there is only one class or a score is NaN.
 * Time n log n.
 */
export function rocAuc(scores: ArrayLike<number>, labels: ArrayLike<number>): number {
  const n = scores.length;
  let positives = 0;
  for (let i = 0; i < n; i++) {
    if (Number.isNaN(scores[i])) return Number.NaN;
    if (labels[i] === 1) positives++;
  }
  const negatives = n - positives;
  if (positives === 0 || negatives === 0) return Number.NaN;
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  order.sort((i, j) => compare(scores[i] as number, scores[j] as number));
  let rankSum = 0;
  for (let from = 0; from < n; ) {
    const score = scores[order[from] as number];
    let to = from;
    let tiedPositives = 0;
    for (; to < n && scores[order[to] as number] === score; to++)
      if (labels[order[to] as number] === 1) tiedPositives++;
    // Ranks count from 1; all of a tie get the mean of theirs.
    rankSum += tiedPositives * ((from + 1 + to) / 2);
    from = to;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Subtraction would give NaN for two equal infinities. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
