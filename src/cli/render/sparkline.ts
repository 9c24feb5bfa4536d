import type { SegmentReport } from '../../bench/results.js';

/** Heights from nothing to full. */
const BLOCKS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const ASCII = [' ', '.', ':', '-', '=', '+', '*', '#', '@'] as const;

export interface Sparkline {
  /** One character a bin; whatever fell into a bin is visible. */
  readonly text: string;
  /** From and to, in ms. */
  readonly lowMs: number;
  readonly highMs: number;
  /** Share of requests beyond `highMs`, 0 to 1. */
  readonly beyond: number;
}

/**
 * How latencies are spread, in one line. The line ends at `endMs` (a quantile near the end), as one straggler would press
 * all the rest into one bin. Undefined without at least two different latencies.
 */
export function latencySparkline(
  segments: readonly SegmentReport[],
  cells: number,
  endMs: number,
  ascii = false,
): Sparkline | undefined {
  let [lowMs, mostMs] = [Number.POSITIVE_INFINITY, 0];
  for (const { latencyMs } of segments) {
    for (const ms of latencyMs) {
      if (ms < lowMs) lowMs = ms;
      if (ms > mostMs) mostMs = ms;
    }
  }
  const highMs = Math.min(mostMs, endMs);
  if (!(highMs > lowMs)) return undefined;
  const bins = new Float64Array(cells);
  let [all, beyond] = [0, 0];
  for (const { latencyMs, every } of segments) {
    for (const ms of latencyMs) {
      all += every;
      if (ms > highMs) beyond += every;
      else {
        const bin = Math.min(cells - 1, Math.floor(((ms - lowMs) / (highMs - lowMs)) * cells));
        bins[bin] = (bins[bin] ?? 0) + every;
      }
    }
  }
  const fullest = Math.max(...bins);
  const levels = ascii ? ASCII : BLOCKS;
  const text = Array.from(
    bins,
    (count) => levels[count === 0 ? 0 : Math.max(1, Math.round((count / fullest) * 8))] ?? '',
  );
  return { text: text.join(''), lowMs, highMs, beyond: beyond / all };
}

/** A bar for a share of a whole, to eighths of a character. */
export function shareBar(share: number, cells: number, ascii = false): string {
  const eighths = Math.max(0, Math.min(cells * 8, Math.round(share * cells * 8)));
  if (ascii) return '#'.repeat(Math.round(eighths / 8));
  const rest = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? '';
  return '█'.repeat(Math.floor(eighths / 8)) + rest;
}
