/**
 * The candidate a user most likely meant, or undefined when none is near: at most a third of its letters differ, or it begins as
 * the typed word does, whatever hyphens are in either.
 */
export function suggest(typed: string, candidates: Iterable<string>): string | undefined {
  const known = [...candidates];
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  const wanted = typed.toLowerCase().slice(0, 100);
  for (const candidate of known) {
    const limit = Math.max(1, Math.floor(Math.max(candidate.length, wanted.length) / 3));
    const distance = editDistance(wanted, candidate.toLowerCase().slice(0, 100));
    if (distance <= limit && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? longerForm(typed, known);
}

/** Fewer letters begin too many words. */
const LEAST_LETTERS = 4;
/** So many letters in common are no accident, even where the words end differently. */
const TELLING_LETTERS = 8;

/** The shortest of those that begin with the most letters of the typed word: with all, or with three quarters of a long one. */
function longerForm(typed: string, candidates: readonly string[]): string | undefined {
  const letters = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');
  const wanted = letters(typed);
  if (wanted.length < LEAST_LETTERS) return undefined;
  let best: string | undefined;
  let most = Math.min(wanted.length, Math.max(TELLING_LETTERS, Math.ceil(wanted.length * 0.75)));
  for (const candidate of candidates) {
    const common = commonStart(wanted, letters(candidate));
    if (common < most || (common === most && best !== undefined && candidate.length >= best.length)) continue;
    best = candidate;
    most = common;
  }
  return best;
}

function commonStart(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
