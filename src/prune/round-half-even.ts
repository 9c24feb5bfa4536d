/** The nearest integer; halves go to the even one, as Python rounds. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** How many of `size` an amount is: a fraction below 1, or a count from 1 on. Never all of them. */
export function countOf(amount: number, size: number): number {
  const count = amount < 1 ? roundHalfEven(amount * size) : Math.floor(amount);
  return Math.min(Math.max(count, 0), size - 1);
}
