import type { SegmentReport } from '../../bench/results.js';
import { formatDuration, plural } from '../format.js';
import { element, type Markup } from '../html/markup.js';
import { CHART_WIDTH, chart, label, path, timeUnit, tooltip, xAxis, yAxis } from './chart.js';
import { isTime } from './samples.js';
import { createScale, linearScale, type Scale } from './scale.js';

export interface TimelineOptions {
  readonly label: string;
  readonly segments: readonly SegmentReport[];
  readonly kind: Scale['kind'];
  /** What a round is, for example `process`. */
  readonly roundName: string;
  readonly width?: number;
  /** How wide the columns of an envelope are; wider ones take less bytes. */
  readonly columnWidth?: number;
}

const HEIGHT = 250;
/** Up to so many requests on the usual width each is a dot; above, columns from the least to the largest of their time. */
const MOST_DOTS = 1600;
/** Fewer dots are drawn larger. */
const FEW_DOTS = 100;
/** Part of the width between two rounds. */
const GAP = 0.012;

/** The requests of all streams of one process, and where its time starts on the common axis. */
interface Round {
  readonly number: number;
  readonly segments: readonly SegmentReport[];
  readonly runs: number;
  readonly lengthMs: number;
}

/**
 * Latency of each request over the time at which it started. Rounds stand beside each other in their order, pauses left out. Needs a request.
 */
export function timeline(options: TimelineOptions): Markup {
  const { label: name, segments, kind, roundName, width = CHART_WIDTH, columnWidth = 1 } = options;
  const rounds = roundsOf(segments);
  const total = rounds.reduce((sum, { lengthMs }) => sum + lengthMs, 0);
  const [low, high] = ends(segments);
  const points = segments.reduce((sum, { latencyMs }) => sum + latencyMs.length, 0);
  const area = { left: 52, right: width - 14, top: 42, bottom: HEIGHT - 46 };
  const y = createScale(kind, low, high, [area.bottom - 6, area.top + 4], 4);
  const unit = timeUnit(high);
  const gap = rounds.length > 1 ? Math.min(GAP * width, (area.right - area.left) / rounds.length / 4) : 0;
  const perMs = (area.right - area.left - gap * (rounds.length - 1)) / total;
  const mostDots = (MOST_DOTS * (width / CHART_WIDTH)) / columnWidth;
  let left = area.left;
  const seconds = timeUnit(total);
  return chart(
    name,
    width,
    HEIGHT,
    yAxis(y, area, unit.format, kind === 'log' ? `${unit.name} (log)` : unit.name),
    rounds.map((round, i) => {
      const from = left;
      const size = Math.max(round.lengthMs * perMs, 1);
      left += size + gap;
      const place = (ms: number): number => from + Math.min(size, ms * perMs);
      const text = `${roundName} ${round.number + 1}`;
      return element(
        'g',
        { class: i % 2 === 0 ? 'round' : 'round odd' },
        element(
          'rect',
          { x: from, y: area.top, width: size, height: area.bottom - area.top, class: 'ground' },
          tooltip(`${text}: ${plural(round.runs, 'request')} in ${formatDuration(round.lengthMs)}`),
        ),
        size > 76
          ? label(text, from + size / 2, area.top - 8, 'quiet', 'middle')
          : size > 18
            ? label(String(round.number + 1), from + size / 2, area.top - 8, 'quiet', 'middle')
            : undefined,
        points <= mostDots
          ? path(dots(round, place, y), points <= FEW_DOTS ? 'dots few' : 'dots')
          : element(
              'g',
              { 'stroke-width': columnWidth + 0.2 },
              path(envelope(round, place, y, columnWidth), 'envelope'),
            ),
      );
    }),
    xAxis(
      { ...linearScale(0, total, [area.left, area.right]), ticks: [] },
      area,
      seconds.format,
      `time measured: ${formatDuration(total)}`,
    ),
  );
}

function roundsOf(segments: readonly SegmentReport[]): readonly Round[] {
  const byNumber = new Map<number, SegmentReport[]>();
  for (const segment of segments) {
    if (segment.latencyMs.length === 0) continue;
    const others = byNumber.get(segment.round);
    if (others === undefined) byNumber.set(segment.round, [segment]);
    else others.push(segment);
  }
  const inOrder = [...byNumber].sort(([a], [b]) => a - b);
  return inOrder.map(([number, own]) => {
    let lengthMs = 0;
    let runs = 0;
    for (const { startMs, latencyMs, every } of own) {
      runs += latencyMs.length * Math.max(1, every);
      for (let i = 0; i < latencyMs.length; i++) {
        const end = (startMs[i] ?? 0) + (latencyMs[i] ?? 0);
        if (isTime(end) && end > lengthMs) lengthMs = end;
      }
    }
    // A clock that did not move still leaves a request to show.
    return { number, segments: own, runs, lengthMs: Math.max(lengthMs, 1e-6) };
  });
}

function ends(segments: readonly SegmentReport[]): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  for (const { latencyMs } of segments) {
    for (const ms of latencyMs) {
      if (!isTime(ms)) continue;
      if (ms < low) low = ms;
      if (ms > high) high = ms;
    }
  }
  return [Math.min(low, high), high];
}

/** A path of points: a line of no length with round ends is a dot, and takes ten bytes. */
function dots({ segments }: Round, place: (ms: number) => number, y: Scale): string {
  let path = '';
  for (const { startMs, latencyMs } of segments) {
    for (let i = 0; i < latencyMs.length; i++) {
      const [start, ms] = [startMs[i], latencyMs[i]];
      if (isTime(start) && isTime(ms)) path += `M${tenth(place(start))} ${tenth(y.at(ms))}h0`;
    }
  }
  return path;
}

/** Of all requests that fall into one column, a line from the least to the largest: no outlier is lost. */
function envelope({ segments }: Round, place: (ms: number) => number, y: Scale, columnWidth: number): string {
  const columns = new Map<number, { low: number; high: number }>();
  for (const { startMs, latencyMs } of segments) {
    for (let i = 0; i < latencyMs.length; i++) {
      const [start, ms] = [startMs[i], latencyMs[i]];
      if (!isTime(start) || !isTime(ms)) continue;
      const column = Math.floor(place(start) / columnWidth);
      const ends = columns.get(column);
      if (ends === undefined) columns.set(column, { low: ms, high: ms });
      else if (ms < ends.low) ends.low = ms;
      else if (ms > ends.high) ends.high = ms;
    }
  }
  return [...columns]
    .sort(([a], [b]) => a - b)
    .map(
      ([column, { low, high }]) => `M${tenth((column + 0.5) * columnWidth)} ${tenth(y.at(low))}V${tenth(y.at(high))}`,
    )
    .join('');
}

function tenth(value: number): string {
  return String(Math.round(value * 10) / 10);
}
