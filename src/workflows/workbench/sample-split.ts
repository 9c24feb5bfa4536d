import type { SampleSource } from '../../samples/types.js';

/** Which samples are calibrated on and which the result is judged on. */
export interface SampleSplit {
  /** Undefined without data. */
  readonly calibration: { readonly path: string; readonly first: number; readonly count: number } | undefined;
  readonly judging: SampleSource;
  /** False when there were too few samples to keep some apart. */
  readonly heldOut: boolean;
  /** Samples that a run takes where the model has a fixed batch size; absent for 1. */
  readonly block?: number;
}

/** Below this many samples none is held out: each is needed to see the ranges. */
const LEAST_TO_SPLIT = 20;
const HELD_OUT_SHARE = 0.2;
const MOST_JUDGING = 128;

/**
 * Calibrates on the first `limit` samples and judges on those after them; when the data has no more than that, the last
 * fifth is held out. Without `holdOut`, when nothing will be judged, all of them may calibrate. The two are parted between runs
 * of `block` samples: where a model has a fixed first axis, that may be one of time.
 */
export function splitSamples(
  path: string,
  count: number,
  limit: number,
  { holdOut, block = 1 }: { readonly holdOut: boolean; readonly block?: number },
): SampleSplit {
  const spare = count - limit;
  const least = Math.floor(count * HELD_OUT_SHARE);
  const judged = !holdOut || count < LEAST_TO_SPLIT ? 0 : Math.min(MOST_JUDGING, Math.max(spare, least));
  const calibrated = Math.floor(Math.min(limit, count - judged) / block) * block;
  if (judged === 0 || calibrated === 0) {
    const all = Math.min(limit, count);
    return {
      calibration: { path, first: 0, count: all },
      judging: { kind: 'data', path, first: 0, count: all },
      heldOut: false,
      ...(block > 1 ? { block } : {}),
    };
  }
  return {
    calibration: { path, first: 0, count: calibrated },
    judging: { kind: 'data', path, first: calibrated, count: Math.min(count - calibrated, Math.max(judged, block)) },
    heldOut: true,
    ...(block > 1 ? { block } : {}),
  };
}

/** Fewer held-out samples than these would rank layers by chance. */
const LEAST_TO_RANK = 8;

/**
 * Samples that layers are ranked on: held-out ones, since those that made the ranges show nothing of what these clip; where too few are held
 * out, those of the calibration.
 */
export function rankingSamples({ calibration, judging, heldOut }: SampleSplit): {
  readonly source: SampleSource;
  readonly heldOut: boolean;
} {
  if (!calibration) return { source: judging, heldOut: false };
  const enough = judging.kind === 'data' && (judging.count ?? 0) >= LEAST_TO_RANK;
  return heldOut && enough
    ? { source: judging, heldOut: true }
    : { source: { kind: 'data', ...calibration }, heldOut: false };
}
