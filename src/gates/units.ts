import { ServeOptError } from '../errors.js';

/** What a metric is measured in. */
export type MetricUnit = 'ms' | '/s' | 'bytes' | 'ratio' | 'dB' | 'x' | 'count' | 'nats';

/** Units as they are written, each in base units; an empty one where a bare number is clear. */
export const UNITS: Readonly<Record<MetricUnit, Readonly<Record<string, number>>>> = {
  ms: { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1000, min: 60_000 },
  '/s': { '/s': 1, '/min': 1 / 60 },
  bytes: { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 },
  ratio: { '%': 0.01, '': 1 },
  dB: { dB: 1, db: 1, '': 1 },
  x: { x: 1, '×': 1, '': 1 },
  nats: { nats: 1, nat: 1, '': 1 },
  count: { k: 1e3, K: 1e3, M: 1e6, G: 1e9, B: 1e9, T: 1e12, '': 1 },
};

/** A number and what follows it; undefined for what does not begin with a number. Numbers have no sign and no exponent. */
export function splitQuantity(text: string): { readonly value: number; readonly suffix: string } | undefined {
  const [, digits, suffix = ''] = /^(\d+(?:\.\d+)?|\.\d+)\s*(\S*)$/.exec(text.trim()) ?? [];
  return digits === undefined ? undefined : { value: Number(digits), suffix };
}

/** A number in base units, as its decimal digits say: 0.7 % is 0.007, not 0.006999999999999999. */
export function inBaseUnits(value: number, factor: number): number {
  return Number((value * factor).toPrecision(15));
}

/** Timers count 32-bit milliseconds: a longer wait would end at once. */
const LONGEST_MIN = Math.floor((2 ** 31 - 1) / 60_000);

/** A length of time such as `60s`, `500ms`, `2min`, in ms. @throws SO1006 naming the option */
export function parseDuration(text: string, owner: string): number {
  const { value: count = Number.NaN, suffix = '' } = splitQuantity(text) ?? {};
  const value = Object.hasOwn(UNITS.ms, suffix) ? count * (UNITS.ms[suffix] ?? Number.NaN) : Number.NaN;
  if (value > 0 && value <= LONGEST_MIN * 60_000) return value;
  const limit = value === 0 ? 'above 0' : `at most ${LONGEST_MIN}min`;
  throw new ServeOptError('SO1006', `The value "${text}" of ${owner} is not allowed`, {
    why: Number.isNaN(value) ? 'it must be a duration with a unit: ms, s or min' : `it must be ${limit}`,
    // A bare number most likely means seconds.
    hint: `write ${owner} ${/^[1-9]\d{0,3}$/.test(text.trim()) ? text.trim() : 60}s`,
  });
}

/** A share such as `3%` or `0.03`. @throws SO1006 naming the option */
export function parseShare(text: string, owner: string): number {
  const { value: count = Number.NaN, suffix = '' } = splitQuantity(text) ?? {};
  const value = Object.hasOwn(UNITS.ratio, suffix) ? inBaseUnits(count, UNITS.ratio[suffix] ?? Number.NaN) : Number.NaN;
  if (value >= 0 && value < 1) return value;
  throw new ServeOptError('SO1006', `The value "${text}" of ${owner} is not allowed`, {
    why: 'it must be a share below 1',
    hint: `write ${owner} 3%`,
  });
}

/** `30`, `30dB`. @throws SO1006 naming the option */
export function parseDecibels(text: string, owner: string): number {
  const { value, suffix = '' } = splitQuantity(text) ?? {};
  if (value !== undefined && /^(?:dB)?$/i.test(suffix)) return value;
  throw new ServeOptError('SO1006', `The value "${text}" of ${owner} is not allowed`, {
    why: 'it must be a number of decibels, at least 0',
    hint: `write ${owner} 30`,
  });
}
