import { LEAST_EFFECT } from '../../../bench/least-effect.js';
import type { LatencyComparison } from '../../../bench/results.js';
import type { AlternativeReport } from '../../../report/search-types.js';
import { SESSIONS } from '../../../runtime/session-options.js';
import { withWorkFolder } from '../../../runtime/work-folder.js';
import type { SampleSource } from '../../../samples/types.js';
import { QUANTIZE_DEFAULTS, type QuantizeOptions } from '../../options.js';
import type { ModelRun } from '../../produce/model-run.js';
import { CandidateFiles } from '../../workbench/candidate-files.js';
import { Failure } from '../../workbench/failure.js';
import type { measureLatency } from '../../workbench/measure-latency.js';
import { OriginalRuns } from '../../workbench/original-runs.js';
import { isClearlySlower, LoadedContestant, TimedContests } from '../../workbench/timed-contest.js';
import type { QuantizeWork } from '../before-work.js';
import type { QuantizeCandidate } from '../quantize-candidate.js';
import { mixedBySpeed } from './mixed-by-speed.js';
import { convertAs, settleAccuracy } from './settle-accuracy.js';

/** For a result that seems slower, where a first measurement is too noisy to tell. */
const LONG_LOOK = { minRuns: 400, maxMs: 10_000 } as const;

/** What became of a result that seemed slower than the original. */
export type SpeedOutcome =
  /** It stands; with a closer measurement where there was one. */
  | { readonly latency: LatencyComparison; readonly next?: undefined }
  /** It is slower beyond doubt: this is to be written and checked instead. */
  | { readonly next: QuantizeCandidate };

/** Whether a candidate that is slower than the original is to be replaced: where there is a goal, and the mode is ours to choose. */
export function mayReplace({ options }: ModelRun<QuantizeOptions>, candidate: QuantizeCandidate): boolean {
  if (options.allowSlower || candidate.alternatives.length > 0) return false;
  if (options.maxDrop === undefined && options.minSpeedup === undefined) return false;
  if ((options.mode ?? QUANTIZE_DEFAULTS.mode) !== 'auto') return false;
  if ((options.for ?? QUANTIZE_DEFAULTS.for) !== 'ort-cpu') return false;
  return candidate.done === 'static' || candidate.done === 'dynamic';
}

/**
 * Looks at a result whose first measurement is slower than the original: closer, in new processes. Where that confirms it, other forms
 * are timed beside the original, and the first that is not slower is to be delivered: some layers in FP32, dynamic INT8, FP16, and at
 * last the original.
 * @param path the result as a file
 * @param measure the clock; another one in tests
 */
export async function keepSpeed(
  run: ModelRun<QuantizeOptions>,
  work: QuantizeWork,
  candidate: QuantizeCandidate,
  path: string,
  source: SampleSource,
  first: LatencyComparison,
  measure?: typeof measureLatency,
): Promise<SpeedOutcome> {
  if (first.ratio < 1 + LEAST_EFFECT) return { latency: first };
  const { options, stages } = run;
  const original = new OriginalRuns(run.runtime, run.model, run.model, run.path, options);
  const contests = new TimedContests(original, options, measure);
  const baseline = { session: () => original.sessions.optimized() };
  const timed = async (file: string) => {
    const load = () => original.sessions.load(file, SESSIONS.timed, 'result');
    const contestant = new LoadedContestant(original.sessions, load, undefined);
    const found = await original.sessions.attempt('measuring the result', () =>
      contests.contest(baseline, contestant, source),
    );
    await contestant.release();
    return found;
  };
  stages.start('compete');
  if (!isClearlySlower(first)) {
    // Slower, but not beyond the noise of so few runs.
    const load = () => original.sessions.load(path, SESSIONS.timed, 'result');
    const contestant = new LoadedContestant(original.sessions, load, undefined);
    const longer = await original.sessions.attempt('measuring the result', () =>
      contests.look(baseline, contestant, source, LONG_LOOK),
    );
    await contestant.release();
    if (longer instanceof Failure || !isClearlySlower(longer)) {
      stages.end('not confirmed to be slower');
      return { latency: longer instanceof Failure ? first : longer };
    }
  }
  const confirmed = await timed(path);
  if (confirmed instanceof Failure || !confirmed.slower) {
    stages.end('not confirmed to be slower');
    return { latency: confirmed instanceof Failure ? first : confirmed.latency };
  }
  const tried: AlternativeReport[] = [
    { form: formOf(candidate), ...ratioOf(confirmed.latency), outcome: 'slower', why: 'slower than the original' },
  ];
  const next = await withWorkFolder(async (folder) => {
    const files = new CandidateFiles(folder);
    for (const [form, make] of alternatives(run, work, candidate, files, source)) {
      stages.start(form === 'none' ? 'compete' : `try ${form}`);
      const made = await make();
      stages.end(made ? undefined : 'nothing to try');
      if (!made || made.done === 'none' || made.search?.met === false) {
        tried.push({ form, outcome: 'rejected', why: whyRejected(made) });
        continue;
      }
      stages.start('compete');
      const contest = await timed(await files.write(made.model));
      stages.end();
      if (contest instanceof Failure) {
        tried.push({ form, outcome: 'rejected', why: contest.reason });
        continue;
      }
      if (contest.slower || contest.latency.ratio >= 1 + LEAST_EFFECT) {
        tried.push({ form, ...ratioOf(contest.latency), outcome: 'slower', why: 'slower than the original' });
        continue;
      }
      const delivered: AlternativeReport = {
        form,
        ...ratioOf(contest.latency),
        outcome: 'delivered',
        why: 'the first form that is not slower than the original',
      };
      return { ...made, alternatives: [...tried, delivered] };
    }
    return undefined;
  });
  if (next) return { next };
  const unchanged: AlternativeReport = { form: 'none', outcome: 'delivered', why: 'every other form is slower here' };
  const tooLarge =
    'No quantized form is as fast as the original on this machine, so the output is the unchanged model. --allow-slower delivers the INT8 model.';
  return {
    next: { ...candidate, model: run.model, done: 'none', tooLarge, alternatives: [...tried, unchanged] },
  };
}

/** Other forms, in the order in which they are preferred. */
function* alternatives(
  run: ModelRun<QuantizeOptions>,
  work: QuantizeWork,
  candidate: QuantizeCandidate,
  files: CandidateFiles,
  source: SampleSource,
): Generator<readonly [AlternativeReport['form'], () => Promise<QuantizeCandidate | undefined>]> {
  yield ['mixed', () => mixedBySpeed(run, candidate, files, source)];
  if (candidate.done === 'static')
    yield [
      'dynamic',
      async () => {
        const dynamic = await convertAs(run, work, 'dynamic');
        return dynamic && settleAccuracy(run, work, dynamic);
      },
    ];
  yield ['fp16', () => convertAs(run, work, 'fp16')];
}

function formOf({ done, search }: QuantizeCandidate): AlternativeReport['form'] {
  return done === 'static' && (search?.kept ?? 0) > 0 ? 'mixed' : done;
}

function whyRejected(made: QuantizeCandidate | undefined): string {
  if (!made) return 'it leaves nothing quantized';
  return made.done === 'none' ? (made.tooLarge ?? 'it quantizes nothing') : 'it does not keep --max-drop';
}

function ratioOf({ ratio, ratioLow, ratioHigh }: LatencyComparison) {
  return {
    ratio,
    ...(ratioLow === undefined ? {} : { ratioLow }),
    ...(ratioHigh === undefined ? {} : { ratioHigh }),
  };
}
