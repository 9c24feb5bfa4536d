/** From values to places on an axis. */
export interface Scale {
  readonly kind: 'linear' | 'log';
  readonly low: number;
  readonly high: number;
  /** Where a value stands, in units of the drawing; what lies outside stands at the end. */
  readonly at: (value: number) => number;
  /** Round numbers within the axis. */
  readonly ticks: readonly number[];
}

/** The two ends of an axis in units of the drawing. */
export type Range = readonly [from: number, to: number];

/** Beyond this many times the median, the tail would leave nothing of a linear axis to the rest. */
const LONG_TAIL = 6;

/** Whether values with this least, middle and largest one are better read on a logarithmic axis. */
export function scaleKind(low: number, middle: number, high: number): Scale['kind'] {
  return low > 0 && high / Math.max(middle, low) > LONG_TAIL ? 'log' : 'linear';
}

/** An axis of the given kind that shows all of `low` to `high`, with some room where both are one. */
export function createScale(kind: Scale['kind'], low: number, high: number, range: Range, ticks = 5): Scale {
  return kind === 'log' && low > 0 ? logScale(low, high, range, ticks) : linearScale(low, high, range, ticks);
}

/** Equal steps; the ends are as given, not rounded. */
export function linearScale(low: number, high: number, [from, to]: Range, count = 5): Scale {
  const [start, end] = widened(low, high);
  const step = niceStep((end - start) / count);
  const ticks: number[] = [];
  for (let i = Math.ceil(start / step - 1e-9); i * step <= end + step * 1e-9; i++) {
    // i · 0.1 is not a round number in binary; as text it is.
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return { kind: 'linear', low: start, high: end, ticks, at: placed((v) => v, start, end, from, to) };
}

/** Equal ratios. `low` must be above 0. */
export function logScale(low: number, high: number, range: Range, count = 5): Scale {
  const [from, to] = range;
  const [start, end] = differ(low, high) ? [low, high] : [low / 1.1, low * 1.1];
  const ticks = logTicks(start, end, count);
  return {
    kind: 'log',
    low: start,
    high: end,
    ticks: ticks.length < 2 ? linearScale(start, end, range, count).ticks : ticks,
    at: placed(Math.log, start, end, from, to),
  };
}

function placed(bend: (v: number) => number, low: number, high: number, from: number, to: number) {
  const start = bend(low);
  const perUnit = (to - from) / (bend(high) - start);
  return (value: number): number => from + (bend(Math.min(high, Math.max(low, value))) - start) * perUnit;
}

/** Below this part of themselves two ends are one: steps between them would get lost in rounding. */
const LEAST_SPAN = 1e-9;

function differ(low: number, high: number): boolean {
  return high - low > Math.max(Math.abs(low), Math.abs(high), 1e-290) * LEAST_SPAN;
}

/** Ends that differ: an axis needs a length. */
function widened(low: number, high: number): readonly [number, number] {
  if (differ(low, high) && Number.isFinite(high - low)) return [low, high];
  const finite = Number.isFinite(low) ? low : 0;
  const room = finite === 0 ? 1 : Math.abs(finite) * 0.1;
  return [finite - room, finite + room];
}

/** 1, 2 or 5 times a power of ten, at least `rough`. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const times = rough / power;
  return power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

/** As dense as `count` allows: 1 2 5 10, 1 3 10, 1 10, 1 100, … */
function logTicks(low: number, high: number, count: number): readonly number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const within = (times: readonly number[], every: number): number[] => {
    const ticks: number[] = [];
    for (let power = first; power <= last; power++) {
      if ((power - first) % every !== 0) continue;
      for (const time of times) {
        const tick = Number((time * 10 ** power).toPrecision(12));
        if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push(tick);
      }
    }
    return ticks;
  };
  for (const times of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = within(times, 1);
    if (ticks.length <= count + 1) return ticks;
  }
  return within([1], Math.ceil((last - first) / count));
}
