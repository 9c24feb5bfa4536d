import { roundHalfEven } from '../tensor/round-half-even.js';

/** How many of `size` an amount is: a fraction below 1, or a count from 1 on. Never all of them. */
export function countOf(amount: number, size: number): number {
  const count = amount < 1 ? roundHalfEven(amount * size) : Math.floor(amount);
  return Math.min(Math.max(count, 0), size - 1);
}
