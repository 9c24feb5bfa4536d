/** What a whole number among the options may be. */
export interface WholeNumberLimits {
  /** Default 0. */
  readonly minimum?: number;
  /** Default `LARGEST_SIZE`. */
  readonly maximum?: number;
}

/** The largest size of anything: sizes and counts are 32-bit integers in much of what they reach. */
export const LARGEST_SIZE = 2 ** 31 - 1;

/** Limits of the numbers among the options, by the flag that gives them. Help, parsing and the library's checks read them here. */
export const NUMBER_LIMITS = {
  opset: { minimum: 7, maximum: 24 },
  samples: { minimum: 1 },
  batch: { minimum: 1 },
  seed: { minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
  rate: { minimum: 1 },
  // Each is a process that holds a model.
  streams: { minimum: 1, maximum: 256 },
  processes: { minimum: 1 },
  concurrency: { minimum: 1 },
  bins: { minimum: 1, maximum: 1000 },
  resamples: { minimum: 0, maximum: 100_000 },
  'max-tokens': { minimum: 1 },
  'max-length': { minimum: 1, maximum: 1_000_000 },
  'top-k': { minimum: 1 },
  'cache-top-k': { minimum: 1 },
  // Each is a process that holds a model.
  workers: { minimum: 1, maximum: 256 },
  'builder-level': { minimum: 0, maximum: 5 },
  dla: { minimum: 0, maximum: 15 },
  gpu: { minimum: 0, maximum: 1023 },
  'inference-streams': { minimum: 1, maximum: 256 },
  // Each is started, whatever the machine has; the largest servers have about half as many cores.
  threads: { minimum: 1, maximum: 1024 },
  'max-batch': { minimum: 0 },
  // Each holds the model.
  instances: { minimum: 1, maximum: 1024 },
} as const satisfies Readonly<Record<string, WholeNumberLimits>>;

/** Why a number is not allowed, as a clause; undefined when it is. */
export function whyNotWholeNumber(value: number, limits: WholeNumberLimits = {}): string | undefined {
  const { minimum = 0, maximum = LARGEST_SIZE } = limits;
  if (Number.isNaN(value) || (Number.isFinite(value) && !Number.isInteger(value))) return 'it must be a whole number';
  if (value < minimum) return `it must be at least ${minimum}`;
  if (value > maximum) return `it must be at most ${maximum}`;
  return undefined;
}

/** The number that a text writes in decimal digits; NaN for anything else. */
export function readWholeNumber(text: string): number {
  return /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
}
