/** Numbers as they stand in the clauses that give reasons. */

/** `3,000` */
export function count(value: number): string {
  // Much faster than toLocaleString, and judges build their reasons at every look.
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 run`, `3,000 runs` */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${Math.round(value) === 1 ? one : many}`;
}

/** A share to two digits, three near 100 %: `0.62 %`, `13 %`, `99.9 %`. */
export function percent(share: number): string {
  const value = share * 100;
  return `${Number(value.toPrecision(Math.abs(value) >= 90 && Math.abs(value) < 100 ? 3 : 2))} %`;
}

/** Four digits, without an exponent where it can be: `1,234`, `12.35`, `0.001235`. */
export function amount(value: number): string {
  if (Math.abs(value) >= 1000) return count(value);
  return String(Number(value.toPrecision(4)));
}
